"""The newest price of each product that product lists tell, for sales that name a quantity but no price.

Put the question for those prices here. Never how a price gets into a row (reading/validation.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

#: "product_id" and "product_name" -> that of a product -> its price with a decimal point
Prices = Mapping[str, Mapping[str, str]]

_NEWEST = """
select distinct on (coalesce(p.product_id, chr(31) || p.product_name))
    p.product_id, p.product_name, trim_scale(p.unit_price)::text
from raw.products as p
inner join raw.loads as l on p.load_id = l.load_id
where
    l.status in ('landed', 'approved') and p.unit_price is not null
    and (p.effective_from is null or p.effective_from <= %s)
order by
    coalesce(p.product_id, chr(31) || p.product_name),
    coalesce(p.effective_from, (l.first_seen_at at time zone 'UTC')::date) desc, l.delivery_no desc,
    p.row_number desc
"""


def newest_prices(conn: psycopg.Connection[Any], *, today: date) -> Prices:
    """Prices of the product lists that count; a price that holds from a later day on is left out."""
    rows = conn.execute(_NEWEST, [today]).fetchall()
    return {
        "product_id": {product: price for product, _, price in rows if product is not None},
        "product_name": {name: price for _, name, price in rows if name is not None},
    }
