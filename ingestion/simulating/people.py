"""Who sells and who buys: stores, their representatives and channels, regions, customers.

Put here: names and places, and which of them an order gets. Never here: when or what is bought.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ingestion.simulating.draws import Bits, Choice, Ints, below, bits
from ingestion.simulating.shop import Shop

GUEST = -1
WEB = 0  # the store that is none
GUESTS = 250_000
LOYAL = 300_000
REPS_A_STORE = 3
TOWNS = (
    "Web shop", "Camden", "Leeds", "Bristol", "York", "Cardiff", "Glasgow", "Norwich", "Oxford", "Exeter",
    "Bath", "Durham", "Chester", "Lincoln", "Truro", "Perth", "Derby", "Reading", "Dover", "Kendal",
)  # fmt: skip
REGIONS = (
    ("London", "United Kingdom"),
    ("North", "United Kingdom"),
    ("South West", "United Kingdom"),
    ("Wales", "United Kingdom"),
    ("Scotland", "United Kingdom"),
    ("East", "United Kingdom"),
    ("Midlands", "United Kingdom"),
    ("Leinster", "Ireland"),
)
#: Town -> its region, by position in REGIONS
_REGION_OF_TOWN = (0, 0, 1, 2, 1, 3, 4, 5, 6, 2, 2, 1, 6, 6, 2, 4, 6, 0, 5, 1)
_CHANNELS = (("online", "marketplace"), ("in store", "phone"))
_SECOND_CHANNEL = (200, 60)  # thousandths
FIRST_NAMES = (
    "Ada", "Ben", "Cleo", "Dara", "Eve", "Finn", "Grace", "Hugo", "Iris", "Jonas", "Kira", "Liam", "Maya",
    "Noah", "Orla", "Priya", "Quinn", "Rosa", "Sam", "Tess", "Uma", "Vera", "Will", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Baker", "Cole", "Doyle", "Ellis", "Fraser", "Grant", "Hughes", "Ivers", "Jones", "Khan",
    "Lowe", "Moss", "Nolan", "Owen", "Price", "Quirk", "Reid", "Shaw", "Turner", "Usher", "Vance",
    "Wood", "Young",
)  # fmt: skip
SEGMENTS = ("Consumer", "Business")


@dataclass(frozen=True)
class Place:
    """Where and how something is sold; `rep` is empty in the web shop."""

    store: int
    channel: str
    rep: str

    @property
    def store_name(self) -> str:
        """The store as people say it."""
        return TOWNS[self.store]


def places_of(shop: Shop) -> list[Place]:
    """Every combination of store, channel and representative; those of a store stand together."""
    found = []
    for store in range(shop.stores):
        reps = [""] if store == WEB else reps_of(store)
        found += [Place(store, channel, rep) for channel in _CHANNELS[store != WEB] for rep in reps]
    return found


def reps_of(store: int) -> list[str]:
    """The representatives of a store."""
    return [
        f"{FIRST_NAMES[(store * 7 + number * 3) % len(FIRST_NAMES)]} "
        f"{LAST_NAMES[(store * 5 + number) % len(LAST_NAMES)]}"
        for number in range(REPS_A_STORE)
    ]


def opened(shop: Shop, store: int) -> date:
    """The day a store opened; the last one opens in the second year, if there is one."""
    is_new = store == shop.stores - 1 and shop.years > 1
    return shop.month_start(18) if is_new else shop.month_start(-12 * (1 + store % 5))


def place_weights(shop: Shop, month: int) -> list[int]:
    """How often each of `places_of` is where an order of a month is placed; the web shop grows."""
    found = []
    for place in places_of(shop):
        second = _SECOND_CHANNEL[place.store != WEB]
        share = second if place.channel == _CHANNELS[place.store != WEB][1] else 1000 - second
        if place.store == WEB:
            weight = 3 * (900 + 12 * min(max(month, 0), 120)) * 2
        elif opened(shop, place.store) > shop.month_start(month):
            weight = 0
        else:
            weight = 2600 - 2000 * place.store // shop.stores
            weight = weight * (4 + reps_of(place.store).index(place.rep)) // 4
        found.append(weight * share // 10)
    return found


def region_of_store(store: int) -> int:
    """The region a store stands in, by position in REGIONS."""
    return _REGION_OF_TOWN[store]


def regions_of_customers(shop: Shop, count: int) -> Ints:
    """The region each customer lives in, by position in REGIONS."""
    choice = Choice((300, 180, 120, 70, 110, 100, 90, 30))
    return choice.pick(bits(shop.seed, "customer.region", 0, count))


def buyers(shop: Shop, days: Ints, kinds: Bits, which: Bits) -> Ints:
    """The customer of each order on its day, GUEST for nobody known.

    Most buy often at first and then less, some stay.
    """
    known = shop.customers_on(days)
    recent = known - 1 - below((which * which) >> np.uint64(32), known)
    loyal = below(which, known // 8 + 1) * 8 % known
    kind = below(kinds, 1_000_000)
    found: Ints = np.where(kind < GUESTS, GUEST, np.where(kind < GUESTS + LOYAL, loyal, recent))
    return found


def customer_id(customer: int) -> str:
    """The id of a customer."""
    return f"C{100_000 + customer}"


def customer_name(customer: int) -> tuple[str, str]:
    """First and last name of a customer."""
    first = FIRST_NAMES[customer * 7 % len(FIRST_NAMES)]
    return first, LAST_NAMES[(customer * 11 + customer // len(FIRST_NAMES)) % len(LAST_NAMES)]


def customer_email(customer: int) -> str:
    """The address of a customer."""
    first, last = customer_name(customer)
    return f"{first}.{last}.{customer}@example.com".lower()
