"""From a file to published figures through the command line, with numbers small enough to check by hand."""

from pathlib import Path
from typing import Any

import pytest

from warehouse.database import Warehouse

GOLDEN = """\
order_id,line,order_date,product,quantity,unit_price,currency
A1,1,2026-03-01 09:15,Tea,2,4.50,GBP
A1,2,2026-03-01 09:15,Cup,1,12.00,GBP
A2,1,2026-03-01 10:00,Tea,1,4.50,GBP
A3,1,2026-03-02 11:30,Cup,3,12.00,GBP
A3,2,2026-03-03 08:00,Cup,-1,12.00,GBP
"""
DAYS = "select sale_date, gross_sales_cents, returns_cents, net_sales_cents from marts.daily_sales order by 1"


def published(shopx: Any, query: str = DAYS) -> list[list[str]]:
    lines = shopx("sql", "--csv", query).stdout.splitlines()
    return [line.split(",") for line in lines[1:]]


def test_a_file_is_published_to_the_cent_and_a_second_run_changes_nothing(shopx: Any, tmp_path: Path) -> None:
    file = tmp_path / "golden.csv"
    file.write_text(GOLDEN)
    first = shopx.json("run", file)
    assert [(v["verdict"], v["rows_accepted"], v["amount_cents"]) for v in first["verdicts"]] == [
        ("IN", 5, 4_950)
    ]
    days = published(shopx)
    assert [row[1:] for row in days if row[1:] != ["0", "0", "0"]] == [
        ["2550", "0", "2550"],
        ["3600", "0", "3600"],
        ["0", "-1200", "-1200"],
    ]
    again = shopx.json("run", file)
    assert [v["verdict"] for v in again["verdicts"]] == ["DUPLICATE"]
    assert again["publication_id"] is None and again["nothing_new"]
    assert published(shopx) == days
    assert published(shopx, "select publication_id from marts.publication") == [
        [str(first["publication_id"])]
    ]
    assert "holds" in shopx("verify").stdout
    shopx("doctor")


def test_a_list_before_the_first_sale_is_in_and_there_is_nothing_to_publish(
    shopx: Any, tmp_path: Path
) -> None:
    products = tmp_path / "products.csv"
    products.write_text("Product ID,Product Name,Unit Cost\nM1,Mug,1.20\nM1,Mug,1.30\n", encoding="utf-8")
    first = shopx("run", str(products))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "No sales count yet" in first.stdout
    assert "two different things about 1 of its products" in " ".join(first.stdout.split())


def test_a_file_that_may_still_be_written_is_left_for_the_next_run_with_a_word(
    shopx: Any, warehouse: Warehouse
) -> None:
    fresh = warehouse.settings.inbox / "fresh.csv"
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text("date,product,amount\n")
    outcome = shopx.json("run")
    assert [(v["delivery"], v["verdict"]) for v in outcome["verdicts"]] == [("fresh.csv", "NOT YET")]
    assert "./shopx run" in outcome["verdicts"][0]["why"]
    assert fresh.exists()


def test_three_wrong_rows_of_a_thousand_are_kept_with_their_reasons(shopx: Any, orders_file: Any) -> None:
    file = orders_file("thousand.csv", rows=1000, broken=(10, 500, 900))
    outcome = shopx.json("run", file)
    assert [(v["verdict"], v["rows_accepted"], v["rows_rejected"]) for v in outcome["verdicts"]] == [
        ("IN WITH REJECTS", 997, 3)
    ]
    rejects = shopx.json("rejects")
    assert [row["sheet_row"] for row in rejects] == [12, 502, 902]
    assert all(
        row["delivered_name"] == "thousand.csv" and row["messages"] and row["reasons"] for row in rejects
    )


@pytest.mark.parametrize("kind", ["empty", "binary", "no required column", "folder", "missing", "unreadable"])
def test_what_is_no_delivery_gets_one_sentence_and_leaves_no_trace(
    shopx: Any, warehouse: Warehouse, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "given.csv"
    if kind == "empty":
        path.touch()
    elif kind == "binary":
        path.write_bytes(bytes(range(256)) * 64)
    elif kind == "no required column":
        path.write_text("colour,weight\nred,3\n")
    elif kind == "folder":
        path.mkdir()
    elif kind == "unreadable":
        path.symlink_to(path)  # also unreadable for root
    outcome = shopx.json("run", path, expect=1)
    assert [v["verdict"] for v in outcome["verdicts"]] == ["REFUSED"]
    assert len(outcome["verdicts"][0]["why"]) > 20 and "\n" not in outcome["verdicts"][0]["why"]
    with warehouse.connect("owner") as conn:
        for table in ("raw.loads", "raw.sales_lines", "raw.rejected_rows", "ops.changes"):
            assert conn.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_a_wrong_statement_is_answered_with_a_sentence(shopx: Any) -> None:
    done = shopx("sql", "select nonsense", expect=1)
    assert done.stderr.startswith("shopx: PostgreSQL answered: column")
    assert (
        "There are marts.publication, ops.held_loads"
        in shopx("sql", "select 1 from marts.sales", expect=1).stderr
    )
    assert "read-only" in shopx("sql", "delete from marts.publication", expect=1).stderr


def test_a_build_that_breaks_a_rule_is_not_published_and_says_which(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    shopx("run", orders_file("good.csv", rows=20))
    before = published(shopx)
    with warehouse.connect("owner") as conn:
        conn.execute(
            "update raw.sales_lines set net_cents = net_cents + 1 where order_line_key % 10000000000 = 1"
        )
    failed = shopx.json("run", "--full-refresh", expect=1)
    assert failed["publication_id"] is None
    assert any("net_is_gross_plus_discount" in sentence for sentence in failed["failures"])
    assert published(shopx) == before
    assert "last build" in shopx("doctor", expect=1).stdout
    with warehouse.connect("dagster") as conn:
        last = conn.execute("select status from runs order by id desc limit 1").fetchone()
    assert last == ("FAILURE",)
    shopx("run", "--full-refresh", expect=1)
    with warehouse.connect("owner") as conn:
        raised = conn.execute("select kind, message from ops.alerts where resolved_at is null").fetchall()
    assert [kind for kind, _ in raised] == ["batch"]
    assert "net_is_gross_plus_discount" in raised[0][1] and "shopx run" in raised[0][1]


def test_a_publication_that_would_shrink_is_refused_loudly_and_goes_through_once_it_is_allowed(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    shopx("run", orders_file("good.csv", rows=60))
    with warehouse.connect("owner") as conn:  # as if rows vanished without anyone's decision
        conn.execute("delete from raw.sales_lines where sale_date > '2026-03-05'")
        conn.execute(
            "update raw.loads set (rows_delivered, rows_accepted, amount_cents) ="
            " (select count(*), count(*), sum(net_cents) from raw.sales_lines)"
        )
    refused = shopx.json("run", "--full-refresh", expect=1)
    assert any("shopx run --allow-shrink" in sentence for sentence in refused["failures"])
    with warehouse.connect("owner", autocommit=True) as conn:
        raised = conn.execute("select kind, message from ops.alerts where resolved_at is null").fetchall()
        assert [kind for kind, _ in raised] == ["batch"] and "--allow-shrink" in raised[0][1]
        build = conn.execute("select status from ops.builds order by build_id desc limit 1").fetchone()
        assert build == ("failed",)
        assert "--allow-shrink" in shopx("doctor", expect=1).stdout.replace("\n", "")
        assert shopx.json("run", "--full-refresh", "--allow-shrink")["publication_id"] is not None
        assert conn.execute("select count(*) from ops.alerts where resolved_at is null").fetchone() == (0,)
