"""Master data as the shop would deliver it: products, customers, stores, representatives, stock counts.

Put here: the lists and what stands in them at the start of a month. Never here: sales.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np

from ingestion.simulating.catalogue import CATEGORIES, REVIEW_MONTHS, product_id, review_of
from ingestion.simulating.draws import below, bits, happens
from ingestion.simulating.market import Market
from ingestion.simulating.people import (
    REGIONS,
    REPS_A_STORE,
    SEGMENTS,
    TOWNS,
    WEB,
    customer_email,
    customer_id,
    customer_name,
    opened,
    region_of_store,
    reps_of,
)

Row = Sequence[str]
PRODUCTS = (
    "product_id", "product_name", "category", "subcategory", "unit_cost", "unit_price", "launched",
    "discontinued", "effective_from",
)  # fmt: skip
CUSTOMERS = ("customer_id", "customer_name", "email", "segment", "region", "country", "created")
STORES = ("store_id", "store", "city", "region", "country", "opened")
SALES_REPS = ("sales_rep_id", "sales_rep", "email", "region", "commission_rate")
INVENTORY = ("count_date", "store", "product_id", "on_hand")
_OUT_OF_STOCK = 40_000


def list_csv(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    """A list as the bytes of a CSV file; no cell needs quotes."""
    return "".join([",".join(row) + "\n" for row in (columns, *rows)]).encode()


def products(market: Market, month: int) -> Iterator[Row]:
    """What the product list says anew on the first of a month: launches, new prices, ends; in the first month
    every product that is there."""
    catalogue, shop = market.catalogue, market.shop
    review = review_of(month)
    changed = np.zeros(len(catalogue.names), dtype=np.bool_)
    if month % REVIEW_MONTHS == 0 and month > 0:
        for table in (catalogue.prices, catalogue.costs):
            changed |= table[review] != table[review - 1]
    there = (catalogue.launched < month) & (catalogue.ended > month) & (changed | (month == 0))
    for at in np.flatnonzero((catalogue.launched == month) | (catalogue.ended == month) | there).tolist():
        category = CATEGORIES[catalogue.category[at]]
        ended = int(catalogue.ended[at])
        launched = shop.month_start(int(catalogue.launched[at])).isoformat()
        yield (
            product_id(at), catalogue.names[at], category.name, category.kinds[catalogue.kind[at]],
            _amount(int(catalogue.costs[review, at])), _amount(int(catalogue.prices[review, at])), launched,
            shop.month_start(ended).isoformat() if ended <= month else "",
            # what was there before the first day has its price from its launch on
            launched if month == 0 else shop.month_start(month).isoformat(),
        )  # fmt: skip


def customers(market: Market, first: int, last: int) -> Iterator[Row]:
    """Who became a customer from day `first` to day `last`; from day 0 on also those from before."""
    known = market.shop.customers_on(np.arange(first - 1, last + 1))
    start = 0 if first == 0 else int(known[0])
    for customer in range(start, int(known[-1])):
        day = first + int(np.searchsorted(known[1:], customer, side="right"))
        yield (
            customer_id(customer), " ".join(customer_name(customer)), customer_email(customer),
            SEGMENTS[customer % 9 == 4], *REGIONS[market.region_of_customer[customer]],
            market.shop.date_of(day).isoformat(),
        )  # fmt: skip


def stores(market: Market) -> Iterator[Row]:
    """Every store, the web shop included."""
    for store in range(market.shop.stores):
        region, country = REGIONS[region_of_store(store)]
        yield (
            f"ST{store:02d}",
            TOWNS[store],
            "" if store == WEB else TOWNS[store],
            region,
            country,
            opened(market.shop, store).isoformat(),
        )


def sales_reps(market: Market) -> Iterator[Row]:
    """Every representative with the share of sales he or she earns."""
    for store in range(market.shop.stores):
        for number, rep in enumerate(reps_of(store) if store != WEB else []):
            at = store * REPS_A_STORE + number
            email = f"{rep.replace(' ', '.').lower()}@example.com"
            yield f"R{at:03d}", rep, email, REGIONS[region_of_store(store)][0], f"0.0{1 + at % 5}"


def stock(market: Market, day: int) -> Iterator[Row]:
    """What lies in each store on the evening of a day: a few weeks of what is wanted, sometimes nothing."""
    shop = market.shop
    month = int(market.month_of_day[day])
    on_sale = market.catalogue.on_sale(month)
    wanted = market.catalogue.wanted(month)[on_sale]
    sold = int(market.expected[max(day - 27, 0) : day + 1].sum()) // 1_000_000 * 3 // shop.stores
    date_text, ids = shop.date_of(day).isoformat(), [product_id(at) for at in on_sale.tolist()]
    weeks = 1 + wanted * sold // max(int(wanted.sum()), 1)
    for store in range(shop.stores):
        if opened(shop, store) > shop.date_of(day):
            continue
        drawn = bits(shop.seed, f"stock.{store}", day, len(on_sale))
        none = happens(bits(shop.seed, f"stock.none.{store}", day, len(on_sale)), _OUT_OF_STOCK)
        on_hand = np.where(none, 0, 1 + below(drawn, 3 * weeks + 4))
        for product, pieces in zip(ids, map(str, on_hand.tolist()), strict=True):
            yield date_text, TOWNS[store], product, pieces


def month_end(market: Market, month: int) -> tuple[int, date]:
    """The last day of a month, as a number and a date."""
    day = int(market.days_of(month)[-1])
    return day, market.shop.date_of(day)


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
