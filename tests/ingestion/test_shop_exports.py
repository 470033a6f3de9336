"""Exports of shop systems, dropped as they are: recognised by their header, and to the cent.

The files have the systems' real headers, cut down; what an order says once stands on its first line.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ingestion.contract import load_contracts
from ingestion.landing import land
from ingestion.reading import open_reading
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)
SHOPIFY = """\
Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,\
Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,\
Lineitem compare at price,Lineitem sku,Lineitem fulfillment status,Billing Name,Billing Country,\
Cancelled at,Source,Lineitem discount
#1001,ann@shop.example,paid,2026-02-03 09:15:00 +0000,fulfilled,EUR,28.00,4.90,4.47,32.90,,0.00,Standard,\
2026-02-03 09:14:58 +0000,2,Red mug,10.00,,MUG-R,fulfilled,Ann Archer,DE,,web,1.00
#1001,ann@shop.example,,,,,,,,,,,,2026-02-03 09:14:58 +0000,1,Green tea,9.00,,TEA-G,fulfilled,,,,,0.00
#1002,bob@shop.example,voided,,unfulfilled,EUR,15.00,0.00,2.39,15.00,,0.00,,\
2026-02-04 18:00:00 +0000,1,Blue mug,10.00,,MUG-B,pending,Bob Birch,FR,2026-02-05 08:00:00 +0000,web,0.00
#1002,bob@shop.example,,,,,,,,,,,,2026-02-04 18:00:00 +0000,1,Sticker,5.00,,STK,pending,,,,,0.00
#1003,,paid,2026-02-04 19:00:00 +0000,fulfilled,EUR,0.00,0.00,0.00,0.00,,0.00,,\
2026-02-04 19:00:00 +0000,1,Sticker,0.00,,STK,fulfilled,,,,pos,0.00
"""


def test_a_shopify_export_needs_no_contract_and_no_answer(warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "orders_export_1.csv"
    path.write_text(SHOPIFY)
    (landed,) = land(warehouse, [path], today=TODAY).landed
    assert (landed.status, landed.feed, landed.rows_accepted, landed.rows_rejected) == (
        "landed",
        "shopify",
        5,
        0,
    )
    with warehouse.connect("loader") as conn:
        rows = conn.execute(
            "select order_id, product_id, gross_cents, discount_cents, net_cents, order_status,"
            " customer_name, country, channel from raw.sales_lines order by order_line_key"
        ).fetchall()
    assert rows == [
        ("#1001", "MUG-R", 2000, -100, 1900, "paid", "Ann Archer", "DE", "web"),
        ("#1001", "TEA-G", 900, 0, 900, "paid", "Ann Archer", "DE", "web"),
        ("#1002", "MUG-B", 1000, 0, 1000, "voided", "Bob Birch", "FR", "web"),
        ("#1002", "STK", 500, 0, 500, "voided", "Bob Birch", "FR", "web"),
        ("#1003", "STK", 0, 0, 0, "paid", None, None, "pos"),
    ]


def test_a_status_written_once_reaches_the_lines_below_a_damaged_one(tmp_path: Path) -> None:
    lines = SHOPIFY.splitlines(keepends=True)
    lines.insert(4, '#1002,bob@shop.example,"torn\n')
    path = tmp_path / "orders_export_2.csv"
    path.write_text("".join(lines))
    reading = open_reading(path, today=TODAY, currency="EUR").careful()
    batches = list(reading.batches())
    statuses = [status for batch in batches for status in batch.accepted["order_status"].to_pylist()]
    assert statuses == ["paid", "paid", "voided", "voided", "paid"]
    assert sum(len(batch.rejected) for batch in batches) == 1


@pytest.mark.parametrize("feed", sorted(name for name, one in load_contracts().items() if one.export_of))
def test_a_contract_of_ones_own_goes_before_that_of_the_system(feed: str) -> None:
    from ingestion.matching import choose_contract  # noqa: PLC0415

    contracts = load_contracts()
    header = [column.names[0] for column in contracts[feed].columns.values()]
    assert choose_contract(header, contracts, feed=None).contract.feed == feed
    own = contracts[feed].model_copy(update={"feed": "our_shop", "export_of": None})
    assert choose_contract(header, {**contracts, "our_shop": own}, feed=None).contract.feed == "our_shop"
