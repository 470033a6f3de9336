"""What `feed init` proves, asks and proposes for files that nobody has described."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from ingestion.contract import Contract, load_contracts, own_feeds, read_contract
from ingestion.proposing import Proposal, agrees, check_file, propose, save
from ingestion.proposing.naming import feed_name
from warehouse.errors import ShopxError

TODAY = date(2026, 6, 1)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def till(folder: Path, *rows: str, header: str = "Datum;Artikel;Betrag", encoding: str = "utf-8") -> Path:
    path = folder / "kasse.csv"
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def asked(proposal: Proposal) -> list[str]:
    return [question.key for question in proposal.open_questions]


def kept(proposal: Proposal) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(proposal.yaml)
    return found


def test_a_german_till_is_read_but_for_its_currency(tmp_path: Path) -> None:
    path = till(tmp_path, "31.12.2025;Müsli;1.204,50", "02.01.2026;Käse;3,20", encoding="cp1252")
    assert asked(propose(path, today=TODAY)) == ["currency"]
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert asked(proposal) == []
    said = kept(proposal)
    assert (said["decimal_mark"], said["encoding"]) == (",", "cp1252")
    assert said["date_formats"] == ["iso", "day-first"]
    assert '# proven: "31.12.2025"' in proposal.yaml
    assert proposal.check is not None
    assert (proposal.check.verdict, proposal.check.net_cents) == ("IN", {"EUR": 120_770})


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("Datum;Artikel;Betrag (EUR)", "3,20"),
        ("Datum;Artikel;Betrag", "€ 3,20"),
        ("Datum;Artikel;Betrag", "3,20 EUR"),
    ],
)
def test_a_currency_that_the_file_names_is_not_asked(tmp_path: Path, header: str, cell: str) -> None:
    proposal = propose(till(tmp_path, f"2026-01-02;Käse;{cell}", header=header), today=TODAY)
    assert asked(proposal) == []
    assert kept(proposal)["currency"] == "EUR"


def test_a_dollar_may_be_any_dollar(tmp_path: Path) -> None:
    assert asked(propose(till(tmp_path, "2026-01-02;Käse;$3.20"), today=TODAY)) == ["currency"]


def test_the_order_of_day_and_month_is_asked_where_all_dates_fit_both(tmp_path: Path) -> None:
    path = till(tmp_path, "01.02.2026;Käse;3,20")
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert asked(proposal) == ["date_order"]
    assert set(proposal.open_questions[0].choices) == {"day-first", "month-first"}
    done = propose(path, today=TODAY, answers={"currency": "EUR", "date_order": "day-first"})
    assert done.check is not None
    assert done.check.first_date == date(2026, 2, 1)


def test_the_decimal_mark_is_asked_where_nothing_proves_it(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-02-01;Käse;1.204")
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert asked(proposal) == ["decimal_mark"]
    done = propose(path, today=TODAY, answers={"currency": "EUR", "decimal_mark": "decimal-comma"})
    assert done.check is not None
    assert done.check.net_cents == {"EUR": 120_400}


def test_a_time_zone_is_asked_only_where_there_are_times(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02 10:30;Käse;3,20 EUR")
    assert asked(propose(path, today=TODAY)) == ["timezone"]


def test_all_that_is_open_is_asked_at_once(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02 10:30;Käse;3,20", header="Datum;Irgendwas;Geld")
    assert asked(propose(path, today=TODAY)) == [
        "column.product_name",
        "column.amount",
        "currency",
        "timezone",
    ]


def test_two_candidates_for_one_column_are_a_forced_choice(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02;2026-01-05;Mug;3.20", header="Order Date;Invoice Date;Product;Amount")
    answers = {"currency": "EUR"}
    assert asked(propose(path, today=TODAY, answers=answers)) == ["column.date"]
    done = propose(path, today=TODAY, answers=answers | {"column.date": "Invoice Date"})
    assert done.check is not None
    assert done.check.first_date == date(2026, 1, 5)
    assert done.matched.ignored == ["Order Date"]


def test_a_column_named_like_a_date_that_holds_none_is_left_out(tmp_path: Path) -> None:
    path = till(tmp_path, "open;Mug;3.20", "paid;Mug;1.00", header="Date;Product;Amount")
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert "Date" in proposal.matched.doubts
    assert asked(proposal) == ["holds"]


def test_words_for_nothing_and_ids_from_spreadsheets_are_seen(tmp_path: Path) -> None:
    rows = ("2026-01-02,Mug,3.20,17850.0", "2026-01-02,Mug,ERROR,17851.0", "UNKNOWN,Mug,N/A,17851.0")
    path = till(tmp_path, *rows, header="Date,Product,Amount,Customer ID")
    said = kept(propose(path, today=TODAY, answers={"currency": "EUR"}))
    assert said["null_words"] == ["ERROR", "N/A", "UNKNOWN"]
    assert said["columns"]["customer_id"]["spreadsheet_integer"] is True  # type: ignore[index]


def test_rounding_is_proposed_where_lines_are_finer_than_the_currency(tmp_path: Path) -> None:
    path = till(tmp_path, *["2026-01-02;Mug;1.10"] * 3000, "2026-01-02;Mug;1.005")
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert kept(proposal)["round"] == "line"
    assert proposal.check is not None
    assert proposal.check.net_cents == {"EUR": 330_101}


def test_a_header_below_other_lines_is_found(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("Sales report\nFrom;01.01.2026\n\nDatum;Artikel;Betrag\n2026-01-02;Käse;3,20\n")
    proposal = propose(path, today=TODAY)
    assert (proposal.look.header, len(proposal.look.preamble)) == (["Datum", "Artikel", "Betrag"], 3)


def test_a_product_list_is_proposed_as_one(tmp_path: Path) -> None:
    path = till(tmp_path, "A1,Mug,2.10,4.00", header="SKU,Product,Cost,Price")
    proposal = propose(path, today=TODAY)
    assert kept(proposal)["holds"] == "products"
    assert proposal.check is not None
    assert (proposal.check.verdict, proposal.check.rows_accepted) == ("IN", 1)


def test_a_customer_list_must_say_whose_customers(tmp_path: Path) -> None:
    path = till(tmp_path, "1,Ann,ann@shop.example", header="Customer ID,Name,E-mail")
    assert asked(propose(path, today=TODAY)) == ["source"]
    proposal = propose(path, today=TODAY, answers={"source": "sales_csv"})
    assert "ann@shop.example" not in proposal.yaml


EXPORTS = [one for one in load_contracts().values() if one.export_of]


def export_header(export: Contract) -> dict[str, str]:
    """Ours -> theirs, every column that the system's export can have."""
    return {ours: column.names[0] for ours, column in export.columns.items()}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.feed)
def test_a_known_export_needs_no_answer_about_its_columns(tmp_path: Path, export: Contract) -> None:
    values = {
        "date": "2026-01-02", "order_id": "#1001", "quantity": "1", "unit_price": "4.00", "amount": "4.00",
        "discount": "0.00", "tax": "0.64", "currency": "EUR",
    }  # fmt: skip
    cells = {theirs: values.get(ours, f"some {ours}") for ours, theirs in export_header(export).items()}
    path = till(tmp_path, ",".join(cells.values()), header=",".join(cells))
    proposal = propose(path, today=TODAY, answers={"currency": "EUR"})
    assert proposal.export == export
    assert asked(proposal) == []
    assert proposal.check is not None
    assert (proposal.check.verdict, proposal.check.net_cents) == ("IN", {"EUR": 400})


def test_the_check_groups_refused_rows_by_what_repairs_them(tmp_path: Path) -> None:
    rows = ["2026-01-02,Mug,1.00"] * 5 + ["2026-02-30,Mug,1.00", "2026-01-02,,1.00", "2026-01-02,,2.00"]
    found = check_file(till(tmp_path, *rows, header="Date,Product,Amount"), today=TODAY, currency="EUR")
    assert (found.verdict, found.rows_accepted, found.rows_rejected) == ("IN WITH REJECTS", 5, 3)
    assert [(group.rows, group.codes) for group in found.refused] == [
        (2, ("VALUE_MISSING",)),
        (1, ("DATE_IMPOSSIBLE",)),
    ]
    assert found.refused[0].examples[0].startswith("row 8 (line 8)")


def test_a_check_says_what_would_be_held_and_what_refused(tmp_path: Path) -> None:
    broken = till(
        tmp_path, *["2026-01-02,Mug,1.00"] * 30, *["2026-01-02,,1.00"] * 20, header="Date,Product,Amount"
    )
    assert check_file(broken, today=TODAY).verdict == "HELD"
    torn = till(tmp_path, "01/02/2026,Mug,1.00", header="Date,Product,Amount")
    assert "DATE_ORDER_UNDECIDED" in check_file(torn, today=TODAY).why
    other = till(tmp_path, "1,2", header="a,b")
    assert check_file(other, today=TODAY).verdict == "REFUSED"


def test_what_is_saved_is_found_and_chosen_by_the_header(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02;Käse;3,20", header="Datum;Artikel;Betrag (EUR)")
    proposal = propose(path, today=TODAY)
    saved = save(proposal, own_feeds() / "kasse.yaml")
    assert load_contracts()["kasse"] == read_contract(saved)
    assert check_file(path, today=TODAY).feed == "kasse"
    with pytest.raises(ShopxError, match="exists"):
        save(proposal, saved)
    assert [entry.name for entry in own_feeds().iterdir()] == ["kasse.yaml"]


def test_no_contract_of_an_installation_hides_a_built_in_one(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02;Käse;3,20", header="Datum;Artikel;Betrag (EUR)")
    proposal = propose(path, today=TODAY, feed="sales_csv")
    made = own_feeds() / "sales_csv.yaml"
    with pytest.raises(ShopxError, match="built-in"):
        save(proposal, made)
    made.parent.mkdir(parents=True)
    made.write_text(proposal.yaml)
    with pytest.raises(ShopxError, match="built-in"):
        load_contracts()


def test_a_control_total_is_compared_to_the_cent(tmp_path: Path) -> None:
    path = till(tmp_path, "2026-01-02;Käse;11.940,20", header="Datum;Artikel;Betrag (EUR)")
    proposal = propose(path, today=TODAY, expect="11,940.20")
    assert proposal.check is not None
    assert agrees("11,940.20", proposal.check)
    assert not agrees("11940.21", proposal.check)
    assert "# Control total of the shop's own report for that file: 11,940.20" in proposal.yaml
    with pytest.raises(ShopxError, match="no amount"):
        agrees("about ten", proposal.check)


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"colour": "red"}, "there is no question colour"),
        ({"currency": "euros"}, "currency"),
        ({"timezone": "Mars/Base", "currency": "EUR"}, "no time zone"),
        ({"column.dates": "Datum"}, "no column of ours"),
        ({"column.date": "Day"}, 'no columns named "Day"'),
        ({"holds": "dreams"}, "known are sales"),
    ],
)
def test_an_answer_that_cannot_be_is_a_sentence(
    tmp_path: Path, answers: dict[str, str], sentence: str
) -> None:
    path = till(tmp_path, "2026-01-02;Käse;3,20")
    with pytest.raises(ShopxError, match=sentence) as caught:
        propose(path, today=TODAY, answers=answers)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "feed"),
    [
        ("Sales_April_2019.csv", "sales"),
        ("Kasse Köln 2026-03.csv.gz", "kasse_k_ln"),
        ("loads.csv", "loads_feed"),
        ("ORDERS.XLSX", "orders"),
    ],
)
def test_a_feed_is_named_after_its_file(name: str, feed: str) -> None:
    assert feed_name(Path("/in") / name) == feed


def test_dates_and_ids_are_no_choice_where_a_sum_of_money_is_asked(tmp_path: Path) -> None:
    path = till(
        tmp_path,
        "2026-01-02;Brot;WEB-26001;02.01.2026 09:51;3,20",
        "2026-01-02;Öl;WEB-26002;02.01.2026 09:59;13,20",
        header="Datum;Artikel;Beleg-Ref;Erfasst;Endwert",
    )
    (question,) = (one for one in propose(path, today=TODAY).open_questions if one.key == "column.amount")
    assert list(question.choices) == ["Endwert"]


def test_a_discount_that_is_a_share_is_proven_by_the_amounts(tmp_path: Path) -> None:
    header = "Datum;Artikel;Menge;Einzelpreis;Nachlass;Betrag"
    answers = {"currency": "EUR", "column.discount": "Nachlass"}
    rows = [
        "31.12.2025;Brot;2;5,00;;10,00",
        "31.12.2025;Öl;1;14,90;0,15;12,67",
        "31.12.2025;Öl;2;14,90;0,1;26,82",
    ]
    proposal = propose(till(tmp_path, *rows, header=header), today=TODAY, answers=answers)
    assert kept(proposal)["discount_is"] == "share"
    assert "2 rows agree that did not" in proposal.yaml
    assert proposal.check is not None
    assert (proposal.check.verdict, proposal.check.net_cents) == ("IN", {"EUR": 4_949})
    percent = [row.replace("0,15", "15").replace("0,1;", "10;") for row in rows]
    proposal = propose(till(tmp_path, *percent, header=header), today=TODAY, answers=answers)
    assert kept(proposal)["discount_is"] == "percent"
    money = [row.replace("0,15", "2,23").replace("0,1;", "2,98;") for row in rows]
    proposal = propose(till(tmp_path, *money, header=header), today=TODAY, answers=answers)
    assert "discount_is" not in kept(proposal)


def test_amounts_that_no_reading_of_the_discount_explains_stay_refused(tmp_path: Path) -> None:
    path = till(
        tmp_path, "31.12.2025;Brot;2;5,00;;10,00", "31.12.2025;Öl;1;14,90;0,15;9,99",
        header="Datum;Artikel;Menge;Einzelpreis;Nachlass;Betrag",
    )  # fmt: skip
    proposal = propose(path, today=TODAY, answers={"currency": "EUR", "column.discount": "Nachlass"})
    assert "discount_is" not in kept(proposal)
    assert proposal.check is not None
    assert proposal.check.codes == {"AMOUNT_MISMATCH": 1}
    assert "amount_counts" in [question.key for question in proposal.others]


def test_a_currency_named_above_the_header_is_not_asked(tmp_path: Path) -> None:
    path = till(
        tmp_path, "2026-01-02;Käse;3,20", header="Kasse Nord – Währung: CHF;;\n\nDatum;Artikel;Betrag"
    )
    proposal = propose(path, today=TODAY)
    assert asked(proposal) == []
    assert kept(proposal)["currency"] == "CHF"
    assert 'above the header: "Währung: CHF"' in proposal.yaml


def test_two_currencies_above_the_header_are_asked(tmp_path: Path) -> None:
    header = "Währung: CHF;;\nWährung: EUR;;\nDatum;Artikel;Betrag"
    assert asked(propose(till(tmp_path, "2026-01-02;Käse;3,20", header=header), today=TODAY)) == ["currency"]


def test_a_damaged_date_is_no_proof_of_the_order(tmp_path: Path) -> None:
    path = till(tmp_path, "31.09.2026 1?:05;Käse;3,20", "13.01.2026 09:00;Käse;3,20")
    proposal = propose(path, today=TODAY, answers={"currency": "EUR", "timezone": "Europe/Berlin"})
    assert '# proven: "13.01.2026 09:00"' in proposal.yaml


def test_the_time_zone_is_asked_together_with_the_column_of_the_date(tmp_path: Path) -> None:
    row, header = "13.01.2026 09:00;Käse;3,20", "Wann;Artikel;Betrag"
    answers = {"currency": "EUR"}
    with_times = propose(till(tmp_path, row, header=header), today=TODAY, answers=answers)
    assert sorted(asked(with_times)) == ["column.date", "timezone"]
    days = propose(till(tmp_path, row.replace(" 09:00", ""), header=header), today=TODAY, answers=answers)
    assert asked(days) == ["column.date"]
