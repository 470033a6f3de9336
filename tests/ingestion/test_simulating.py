"""The simulated shop: the same bytes for the same seed, days that never change, shapes as asked for."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.contract import read_contract
from ingestion.reasons import REASONS
from ingestion.simulating import draws
from ingestion.simulating.demand import MONTHS, WEEKDAYS, events_of, orders_of_days
from ingestion.simulating.feeds import write_contracts
from ingestion.simulating.market import Market
from ingestion.simulating.mess import DAMAGES
from ingestion.simulating.orders import late_sales_of, sales_of
from ingestion.simulating.shop import Shop
from ingestion.simulating.simulation import go_on, simulate
from warehouse.errors import ShopxError

SMALL = Shop(
    years=1, lines=6_000, customers_per_year=300, products_per_year=60, stores=4, mess=50_000, late=50_000
)


def rows_of(folder: Path, pattern: str) -> list[dict[str, str]]:
    return [
        row for path in sorted(folder.glob(pattern)) for row in csv.DictReader(path.open(encoding="utf-8"))
    ]


def digest(folder: Path) -> dict[str, tuple[str, float]]:
    """Path -> hash of its bytes and time, of every file below."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime if path.name.startswith("sales") else 0,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    simulate(folder, SMALL)
    return folder


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(shop_folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", SMALL)
    assert digest(tmp_path / "again") == digest(shop_folder)
    simulate(tmp_path / "other", replace(SMALL, seed=8))
    assert digest(tmp_path / "other").keys() != digest(shop_folder).keys() or digest(
        tmp_path / "other"
    ) != digest(shop_folder)


FIRST_DRAWS = [2725635004, 2506681155, 2425183547, 3489888540]


def test_the_draws_are_those_they_have_always_been() -> None:
    """Bytes must not differ between machines and versions, so the numbers themselves are written down."""
    drawn = draws.bits(7, "sale.buyer", 3, 4)
    assert drawn.tolist() == draws.bits(7, "sale.buyer", 3, 9)[:4].tolist()
    assert drawn.tolist() == FIRST_DRAWS
    assert draws.below(drawn, 10).tolist() == [value * 10 >> 32 for value in FIRST_DRAWS]
    ends = np.array([0, 1 << 30, 1 << 31, (1 << 32) - 1], np.uint64)
    assert draws.Choice([0, 1, 3, 0]).pick(ends).tolist() == [1, 2, 2, 2]


def test_going_on_changes_no_earlier_day_and_is_the_longer_simulation(tmp_path: Path) -> None:
    """Days that end within a month, twice: what they bring is what one longer call brings."""
    for days in ([9, 25], [34]):
        folder = tmp_path / str(len(days))
        simulate(folder, SMALL)
        for number in days:
            go_on(folder, days=number)
    twice, once = tmp_path / "2", tmp_path / "1"
    assert (twice / "truth" / "daily.csv").read_bytes() == (once / "truth" / "daily.csv").read_bytes()
    named = [sorted((folder / "truth" / "files.csv").read_text().splitlines()) for folder in (twice, once)]
    assert named[0] == named[1]
    assert (twice / "truth" / "planted.csv").read_bytes() == (once / "truth" / "planted.csv").read_bytes()
    parts = [{p.name: p.read_bytes() for p in folder.glob("2022-*/*")} for folder in (twice, once)]
    assert parts[0] == parts[1] and len(parts[0]) > 34


def test_one_file_holds_what_the_daily_files_without_mess_amount_to(tmp_path: Path) -> None:
    shop = replace(SMALL, mess=0)
    daily = simulate(tmp_path / "daily", shop)
    whole = simulate(tmp_path / "whole", shop, one_file=True)
    truths = [(tmp_path / form / "truth/daily.csv").read_bytes() for form in ("daily", "whole")]
    assert truths[0] == truths[1]
    current = {(row["order_id"], row["line"]): row for row in rows_of(daily.deliveries, "sales_2*.csv")}
    assert len(current) > 5_000
    for row in rows_of(daily.deliveries, "corrections_*.csv"):
        row.pop("customer_email")
        current[row["order_id"], row["line"]] = row
    assert {(row["order_id"], row["line"]): row for row in rows_of(whole.deliveries, "sales.csv")} == current
    returned = [rows_of(made.deliveries, "returns*.csv") for made in (daily, whole)]
    assert sorted(map(str, returned[0])) == sorted(map(str, returned[1])) and len(returned[0]) > 20


def test_the_truth_is_the_sum_of_the_sound_rows(shop_folder: Path) -> None:
    """Worked out once more from the files: current rows, those that are not damaged, once each."""
    planted = {
        (row["file"], int(row["line"])) for row in csv.DictReader((shop_folder / "truth/planted.csv").open())
    }
    deliveries = shop_folder / "2021-01-01_2021-12-31"
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for path in sorted(deliveries.glob("sales_2*.csv")):
        for number, row in enumerate(csv.DictReader(path.open()), start=2):
            if (path.name.replace(" (1)", ""), number) not in planted:
                lines[row["order_id"], row["line"]] = row
    for row in rows_of(deliveries, "corrections_*.csv"):
        lines[row["order_id"], row["line"]] = row
    counted = [
        row
        for row in [*lines.values(), *rows_of(deliveries, "returns_*.csv")]
        if row["status"] == "completed"
    ]
    days: dict[str, Counter[str]] = {}
    orders: dict[str, set[str]] = {}
    for row in counted:
        day = (row.get("order_date") or row["return_date"])[:10]
        of_day = days.setdefault(day, Counter())
        quantity = int(row["quantity"])
        net = Decimal(row["amount"]) * 100
        of_day["net_sales_cents"] += int(net)
        of_day["tax_cents"] += int(Decimal(row["tax"]) * 100)
        of_day["cost_cents"] += int(quantity * Decimal(row["unit_cost"]) * 100)
        of_day["lines"] += 1
        if quantity < 0:
            of_day["returns_cents"] += int(net)
            continue
        of_day["units"] += quantity
        of_day["gross_sales_cents"] += int(quantity * Decimal(row["unit_price"]) * 100)
        of_day["discounts_cents"] -= int(Decimal(row["discount_amount"]) * 100)
        orders.setdefault(day, set()).add(row["order_id"])
    for row in csv.DictReader((shop_folder / "truth/daily.csv").open()):
        found = days.pop(row["sale_date"]) | {"orders": len(orders.get(row["sale_date"], ()))}
        assert {name: found[name] for name in found} == {name: int(row[name]) for name in found}
    assert not days


def test_each_file_holds_what_the_truth_says_of_it(shop_folder: Path) -> None:
    deliveries = shop_folder / "2021-01-01_2021-12-31"
    files = list(csv.DictReader((shop_folder / "truth/files.csv").open()))
    assert {row["name"] for row in files} == {path.name for path in deliveries.iterdir()}
    for row in files:
        content = (deliveries / row["name"]).read_bytes()
        assert content.count(b"\n") - 1 == int(row["rows"])
        if row["copy_of"]:
            assert content == (deliveries / row["copy_of"]).read_bytes()
        else:
            assert int(row["rows"]) == sum(int(row[name]) for name in ("accepted", "rejected", "repeated"))
    planted = list(csv.DictReader((shop_folder / "truth/planted.csv").open()))
    assert Counter(row["file"] for row in planted) == Counter(
        {row["name"]: int(row["rejected"]) for row in files if int(row["rejected"])}
    )
    rows = json.loads((shop_folder / "truth/totals.json").read_text())["rows"]
    assert 0.035 < rows["rejected"] / rows["rows"] < 0.06  # asked for: 0.05, orders that change are spared
    assert rows["repeated"] > 50 and rows["in_copies"] > 200


def test_damages_name_reasons_that_exist() -> None:
    assert {damage.reason for damage in DAMAGES} <= {reason.code for reason in REASONS.values()}


def test_weekdays_months_and_growth_are_those_asked_for() -> None:
    """Without chance the ratios would be the tables' own; two years of 400,000 lines leave a few percent."""
    shop = Shop(years=2, lines=800_000, growth=0)
    days = shop.day_of(shop.last_day_of_years) + 1
    orders = orders_of_days(shop, days, []) / 1e6
    dates = [shop.date_of(day) for day in range(days)]
    by_weekday = [sum(orders[d] for d, at in enumerate(dates) if at.weekday() == w) for w in range(7)]
    assert by_weekday[5] / by_weekday[0] == pytest.approx(WEEKDAYS[5] / WEEKDAYS[0], rel=0.05)
    by_month: Counter[int] = Counter()
    for day, at in enumerate(dates):
        by_month[at.month] += orders[day]
    assert by_month[11] / by_month[6] == pytest.approx(MONTHS[10] / MONTHS[5], rel=0.05)
    orders = orders_of_days(replace(shop, growth=200_000), days, []) / 1e6
    first, second = orders[:365].sum(), orders[365:].sum()
    assert second / first == pytest.approx(1.2, rel=0.02)
    assert orders.sum() * 2.37 == pytest.approx(800_000 * 0.98, rel=0.01)


def test_market_events_move_their_days() -> None:
    shop = Shop(years=1, lines=200_000)
    events = events_of(shop, date(2021, 12, 31))
    assert {"spring sale", "summer sale", "Black Friday"} <= {event.name for event in events}
    friday = next(event for event in events if event.name == "Black Friday")
    assert friday.first == date(2021, 11, 25) and friday.last == date(2021, 11, 29)
    quiet, busy = orders_of_days(shop, 365, []), orders_of_days(shop, 365, [friday])
    day = shop.day_of(friday.first) + 1
    # the year's lines stay as asked for, so a busy weekend takes a little from every other day
    assert busy[day] / quiet[day] == pytest.approx(friday.sales / 1000, rel=0.05)
    assert busy[100] / quiet[100] == pytest.approx(1, rel=0.05)


@pytest.fixture(scope="module")
def market() -> Market:
    shop = Shop(years=3, lines=300_000, customers_per_year=1_000, products_per_year=100)
    return Market(shop, shop.day_of(shop.last_day_of_years))


def test_products_are_launched_grow_fade_and_end(market: Market) -> None:
    catalogue = market.catalogue
    wanted = np.stack([catalogue.wanted(month) for month in range(36)])
    ended = np.flatnonzero((catalogue.launched > 0) & (catalogue.ended < 36))
    assert len(ended) > 20
    for product in ended.tolist():
        first, last = int(catalogue.launched[product]), int(catalogue.ended[product])
        life = wanted[:, product]
        assert not life[:first].any() and not life[last:].any()
        assert life[first:last].max() > 0
    assert (catalogue.prices[-1] > catalogue.prices[0]).mean() > 0.2  # prices change, most upwards
    assert (catalogue.costs < catalogue.prices).mean() > 0.99


def test_orders_keep_shop_hours_and_late_ones_come_up_to_400_days_after_their_day(market: Market) -> None:
    sales, late = sales_of(market, 30), late_sales_of(market, 30)
    hours = sales.minute // 60
    in_store = market.is_web[sales.place] == 0
    assert hours[in_store].min() >= 9 and hours[in_store].max() <= 19
    assert set(np.unique(hours[~in_store])) >= {0, 8, 21} and 1 not in hours  # the hour of summer time
    lag = late.delivered - late.sold
    assert lag.min() >= 1 and 300 < lag.max() <= 400
    share = len(late) / (len(sales) + len(late))
    assert share == pytest.approx(0.02, abs=0.008)
    guests = (sales.customer < 0).mean()
    assert guests == pytest.approx(0.25, abs=0.03)
    assert sales.customer.max() < market.shop.customers_on(np.array([market.days_of(30)[-1]]))[0]


def test_the_contracts_are_contracts(tmp_path: Path) -> None:
    paths = write_contracts(SMALL, tmp_path)
    found = {path.stem: read_contract(path) for path in paths}
    assert {name: contract.meaning for name, contract in found.items()} == {
        "simulated_sales": "events",
        "simulated_corrections": "orders",
        "simulated_returns": "events",
        "simulated_customers": "lines",
    }
    assert {contract.source_name for contract in found.values()} == {"simulated_shop"}


@pytest.mark.parametrize(
    "asked",
    [
        {"first_day": date(2021, 1, 2)},
        {"years": 0},
        {"stores": 1},
        {"lines": 10},
        {"mess": 900_000},
        {"seed": -1},
    ],
)
def test_no_such_shop_is_one_sentence(asked: dict[str, Any]) -> None:
    with pytest.raises(ShopxError, match=r"^No such shop: [^\n]+\.$") as refused:
        Shop(**asked)
    assert refused.value.exit_code == 2


def test_a_folder_in_use_and_a_folder_without_a_simulation_are_refused(
    shop_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ShopxError, match=r"is not empty.*--days 30"):
        simulate(shop_folder, SMALL)
    with pytest.raises(ShopxError, match=r"holds no simulation.*shopx simulate"):
        go_on(tmp_path, days=3)
    (tmp_path / "simulation.json").write_text('{"shop": 3}')
    with pytest.raises(ShopxError, match="is not as it was written"):
        go_on(tmp_path, days=3)
