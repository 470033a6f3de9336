"""The contracts of the simulated shop's files, as its owner would have written them.

Put here: the YAML of its feeds. Never here: reading a contract (ingestion/contract.py).
Lists of products, stores, representatives and stock need none: their headers are common ones.
"""

from __future__ import annotations

from pathlib import Path

from ingestion.simulating.sales_csv import COLUMNS, CORRECTION_COLUMNS, RETURN_COLUMNS
from ingestion.simulating.shop import CURRENCY, Shop

SOURCE = "simulated_shop"
#: Header -> our name, where they differ.
_OURS = {
    "line": "line_number",
    "order_date": "date",
    "return_date": "date",
    "product": "product_name",
    "discount_amount": "discount",
    "status": "order_status",
}
_FEEDS = (
    ("simulated_sales", "Simulated shop: sales of a day", "events", COLUMNS),
    ("simulated_corrections", "Simulated shop: orders as corrected", "orders", CORRECTION_COLUMNS),
    ("simulated_returns", "Simulated shop: returns under the order's id", "events", RETURN_COLUMNS),
)
_CUSTOMERS = f"""\
feed: simulated_customers
title: "Simulated shop: customers"
holds: customers
source: {SOURCE}
columns:
  customer_id: {{names: [customer_id]}}
  customer_name: {{names: [customer_name]}}
  customer_email: {{names: [email]}}
  segment: {{names: [segment]}}
  region: {{names: [region]}}
  country: {{names: [country]}}
  created: {{names: [created]}}
"""


def contracts(shop: Shop) -> dict[str, str]:
    """Feed -> its YAML."""
    most = min(max(5, 4 * shop.mess // 10_000), 100)
    found = {
        feed: f"""\
feed: {feed}
title: "{title}"
source: {SOURCE}
delivers: {delivers}
timezone: Europe/London
currency: {CURRENCY}
decimal_mark: "."
date_formats: [iso]
amount_is: after_discount
identity: [order_id, line_number]
max_reject_share: {most / 100}
columns:
"""
        + "".join(f"  {_OURS.get(name, name)}: {{names: [{name}]}}\n" for name in columns)
        for feed, title, delivers, columns in _FEEDS
    }
    return {**found, "simulated_customers": _CUSTOMERS}


def write_contracts(shop: Shop, folder: Path) -> list[Path]:
    """Keep the contracts in a folder of contracts; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for feed, text in contracts(shop).items():
        path = folder / f"{feed}.yaml"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths
