"""What a delivery can hold besides sales: each kind of master data with its columns, its key and its table.

Put the description of a kind of row here: column names, kinds of value, what a row must have. Never SQL,
never matching of headers (matching.py), never how a value is read (reading/entity_rules.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Holds = Literal["sales", "products", "categories", "customers", "stores", "sales_reps", "inventory", "rates"]

#: text · price, rate, count: exact decimals with at most 6, 9 and 3 places · share: 0 to 1, or a percentage
#: · flag: yes or no · day: a date, its time of day dropped
Kind = Literal["text", "price", "rate", "count", "share", "flag", "day"]

#: Columns of master data that sales do not have.
MasterField = Literal[
    "subcategory", "category_id", "subcategory_id", "on_hand", "is_active", "launched", "discontinued",
    "first_name", "last_name", "segment", "city", "state", "created", "store_id", "time_zone", "opened",
    "sales_rep_id", "email", "commission_rate", "rate", "effective_from",
]  # fmt: skip

DECIMALS: dict[Kind, int] = {"price": 6, "rate": 9, "count": 3, "share": 6}


@dataclass(frozen=True)
class Entity:
    """One kind of master data. A row is a version of what it is about: `columns` maps our names to kinds.

    `stored` renames a column in the table where our name would be a bare `date`; `made_of`: a name that may
    come in parts, which are joined by a blank. A row needs at least one column of each group in `needs`, and
    the header one of each group in `told_by`, or it is no such list.
    `never_with`: columns of sales that a list of this kind does not have. `key`: what a version is about, in
    columns of the table; of several in a group the first that is filled.
    """

    name: Holds
    noun: str
    columns: dict[str, Kind]
    needs: tuple[tuple[str, ...], ...]
    key: tuple[tuple[str, ...], ...]
    told_by: tuple[tuple[str, ...], ...] = ()
    never_with: frozenset[str] = frozenset()
    stored: tuple[tuple[str, str], ...] = ()
    made_of: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def table_columns(self) -> dict[str, Kind]:
        """The columns of raw.<name> after load_id and row_number, in order, with their kinds."""
        parts = {part for _, parts in self.made_of for part in parts}
        return {self.stored_name(name): kind for name, kind in self.columns.items() if name not in parts}

    def stored_name(self, column: str) -> str:
        """The column of raw.<name> that our column goes to."""
        return dict(self.stored).get(column, column)

    @property
    def members(self) -> str:
        """What its rows are about, in the plural."""
        return "counts" if self.name == "inventory" else self.name.replace("_", " ")

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Our columns of these kinds, in order."""
        return tuple(name for name, kind in self.columns.items() if kind in kinds)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns whose cells are numbers in the file's decimal mark."""
        return self.of_kind("price", "rate", "count", "share")

    @property
    def days(self) -> tuple[str, ...]:
        """Columns whose cells are dates."""
        return self.of_kind("day")


_ORDER = frozenset({"order_id", "line_number", "order_status", "amount", "quantity", "discount", "tax"})
_CUSTOMER = frozenset({"customer_id", "customer_name", "customer_email"})
_PRODUCT = frozenset({"product_id", "product_name", "unit_price"})

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        Entity(
            name="products",
            noun="a product list",
            columns={
                "product_id": "text", "product_name": "text", "category": "text", "subcategory": "text",
                "category_id": "text", "subcategory_id": "text", "unit_cost": "price", "unit_price": "price",
                "on_hand": "count", "is_active": "flag", "launched": "day", "discontinued": "day",
                "effective_from": "day",
            },
            needs=(("product_id", "product_name"),),
            key=(("product_id", "product_name"), ("effective_from",)),
            told_by=(
                ("unit_cost", "unit_price", "category", "subcategory", "category_id", "subcategory_id"),
            ),
            never_with=_ORDER | _CUSTOMER | {"date", "store", "sales_rep", "channel"},
        ),
        Entity(
            name="categories",
            noun="a list of categories",
            columns={
                "category_id": "text", "category": "text", "subcategory_id": "text", "subcategory": "text",
            },
            needs=(("category_id", "subcategory_id"),),
            key=(("subcategory_id", "category_id"),),
            told_by=(("category", "subcategory"),),
            never_with=_ORDER | _CUSTOMER | _PRODUCT | {"date", "store"},
        ),
        Entity(
            name="customers",
            noun="a customer list",
            columns={
                "customer_id": "text", "customer_name": "text", "first_name": "text", "last_name": "text",
                "customer_email": "text", "segment": "text",
                "city": "text", "state": "text", "region": "text", "country": "text", "created": "day",
                "effective_from": "day",
            },
            needs=(("customer_id", "customer_email"),),
            key=(("customer_id", "customer_email"), ("effective_from",)),
            told_by=(
                ("customer_name", "first_name", "customer_email"),
                ("customer_email", "segment", "country", "region", "city", "created", "last_name"),
            ),
            never_with=_ORDER | _PRODUCT | {"date", "store", "channel"},
            made_of=(("customer_name", ("first_name", "last_name")),),
        ),
        Entity(
            name="stores",
            noun="a list of stores",
            columns={
                "store_id": "text", "store": "text", "city": "text", "region": "text", "country": "text",
                "time_zone": "text", "opened": "day", "effective_from": "day",
            },
            needs=(("store_id", "store"),),
            key=(("store_id", "store"), ("effective_from",)),
            told_by=(("store", "region", "country"),),
            never_with=_ORDER | _CUSTOMER | _PRODUCT | {"date", "channel", "sales_rep"},
        ),
        Entity(
            name="sales_reps",
            noun="a list of sales representatives",
            columns={
                "sales_rep_id": "text", "sales_rep": "text", "email": "text", "region": "text",
                "commission_rate": "share", "is_active": "flag", "effective_from": "day",
            },
            needs=(("sales_rep_id", "sales_rep"),),
            key=(("sales_rep_id", "sales_rep"), ("effective_from",)),
            told_by=(("commission_rate", "email", "region"),),
            never_with=_ORDER | _CUSTOMER - {"customer_email"} | _PRODUCT | {"date", "channel"},
        ),
        Entity(
            name="inventory",
            noun="a stock count",
            columns={
                "date": "day", "store": "text", "product_id": "text", "product_name": "text",
                "on_hand": "count",
            },
            needs=(("date",), ("product_id", "product_name"), ("on_hand",)),
            key=(("count_date",), ("store",), ("product_id", "product_name")),
            never_with=_ORDER | _CUSTOMER | {"sales_rep", "channel"},
            stored=(("date", "count_date"),),
        ),
        Entity(
            name="rates",
            noun="a list of exchange rates",
            columns={"date": "day", "currency": "text", "rate": "rate"},
            needs=(("date",), ("currency",), ("rate",)),
            key=(("rate_date",), ("currency",)),
            never_with=_ORDER | _CUSTOMER | _PRODUCT,
            stored=(("date", "rate_date"),),
        ),
    )
}  # fmt: skip
