"""A star of several real files: sales beside products, customers, categories and territories."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract import load_contracts, read_contract
from ingestion.landing import land
from warehouse.database import Warehouse

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "adventureworks"

CONTRACTS = {
    "aw_sales": """
title: Sales, a file a year
source: adventureworks
currency: USD
date_formats: [month-first]
round: line
price_from: products
columns:
  date: {names: [OrderDate]}
  order_id: {names: [OrderNumber]}
  line_number: {names: [OrderLineItem]}
  product_id: {names: [ProductKey]}
  customer_id: {names: [CustomerKey]}
  store: {names: [TerritoryKey]}
  quantity: {names: [OrderQuantity]}
""",
    "aw_products": """
title: Products
holds: products
columns:
  product_id: {names: [ProductKey]}
  product_name: {names: [ProductName]}
  subcategory_id: {names: [ProductSubcategoryKey]}
  unit_cost: {names: [ProductCost]}
  unit_price: {names: [ProductPrice]}
""",
    "aw_customers": """
title: Customers
holds: customers
source: adventureworks
encoding: cp1252
columns:
  customer_id: {names: [CustomerKey]}
  customer_name: {names: [FirstName, LastName], join: " "}
  customer_email: {names: [EmailAddress]}
""",
    "aw_territories": """
title: Territories, which sales name as their store
holds: stores
columns:
  store_id: {names: [SalesTerritoryKey]}
  store: {names: [Region]}
  country: {names: [Country]}
""",
}


@pytest.mark.real_data
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real sales files are not at {FOLDER}")
def test_a_star_of_files_lands_with_the_prices_of_its_product_table(
    files: Any, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_contracts()
    for feed, text in CONTRACTS.items():
        (tmp_path / f"{feed}.yaml").write_text(f"feed: {feed}\n{text}")
        known[feed] = read_contract(tmp_path / f"{feed}.yaml")
    for module in ("ingestion.reading.opening", "ingestion.landing"):
        monkeypatch.setattr(f"{module}.load_contracts", lambda: known)
    result = land(warehouse, [FOLDER], today=date(2026, 3, 1))
    assert [refused.path.name for refused in result.refused] == ["AdventureWorks_Calendar.csv"]
    assert {item.status for item in result.landed} == {"landed"}
    assert files.rows(
        warehouse,
        "select holds, count(*), sum(rows_accepted), sum(rows_rejected), sum(amount_cents)"
        " from raw.loads group by holds order by holds",
    ) == [
        ("categories", 2, 41, 0, 0),
        ("customers", 1, 18_148, 0, 0),
        ("products", 1, 293, 0, 0),
        ("sales", 3, 56_046, 0, 2_491_458_366),
        ("stores", 1, 10, 0, 0),
    ]
    assert files.rows(
        warehouse,
        "select count(*) from raw.sales_lines as s left join raw.products as p using (product_id)"
        " left join raw.customers as c using (customer_id) left join raw.stores as t on s.store = t.store_id"
        " where p.load_id is null or c.load_id is null or t.load_id is null",
    ) == [(0,)]
