"""What the shop sells: products with a category, prices and costs that change, and a life from launch to end.

Put here: products and how much each is wanted in a month. Never here: orders.
Products of a later year never change those of the years before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ingestion.simulating.draws import Choice, Ints, below, bits, happens
from ingestion.simulating.shop import Shop

REVIEW_MONTHS = 6  # prices are looked at every half year
NEVER = 10**6  # a month that does not come
EVERGREEN = 250_000
_SOLD_BEFORE = 600_000  # of the first year's products: there from the first day on
_PRICE_CHANGES = 500_000


@dataclass(frozen=True)
class Category:
    """Prices in pence from `cheapest` to `dearest`; `season`: how wanted it is from January to December, in
    thousandths; `tax_pct`: on top of the price."""

    name: str
    kinds: tuple[str, ...]
    cheapest: int
    dearest: int
    tax_pct: int = 20
    season: tuple[int, ...] = (1000,) * 12


_GIFTS = (700, 900, 800, 800, 900, 800, 800, 800, 900, 1000, 1500, 2400)
_SUMMER = (300, 400, 900, 1500, 1900, 1800, 1600, 1200, 800, 500, 300, 300)
_WINTER = (1500, 1300, 1000, 700, 500, 400, 400, 500, 900, 1200, 1500, 1700)
CATEGORIES = (
    Category("Kitchen", ("Teapot", "Saucepan", "Mug", "Chopping board"), 495, 7995),
    Category("Coffee and tea", ("Beans", "Loose leaf", "Filter coffee"), 345, 2495, tax_pct=0),
    Category("Home", ("Lamp", "Cushion", "Throw", "Clock"), 895, 14995, season=_WINTER),
    Category("Garden", ("Planter", "Trowel", "Lantern"), 395, 8995, season=_SUMMER),
    Category("Toys", ("Puzzle", "Board game", "Wooden train"), 595, 4995, season=_GIFTS),
    Category("Books", ("Cookbook", "Novel", "Atlas"), 599, 3499, tax_pct=0),
    Category("Clothing", ("Scarf", "Jumper", "Cap", "Raincoat"), 995, 8995, season=_WINTER),
    Category("Stationery", ("Notebook", "Fountain pen", "Gift card set"), 250, 3995, season=_GIFTS),
    Category("Outdoor", ("Flask", "Rucksack", "Picnic rug"), 1295, 11995, season=_SUMMER),
    Category("Bathroom", ("Soap", "Towel", "Bath salts"), 350, 4495),
)
WORDS = (
    "Alder", "Amber", "Ash", "Birch", "Cedar", "Clover", "Coral", "Dune", "Elm", "Fern", "Flint", "Hazel",
    "Indigo", "Ivory", "Juniper", "Larch", "Linen", "Maple", "Moss", "Ochre", "Pearl", "Pine", "Rowan",
    "Sage", "Slate", "Sorrel", "Teal", "Thistle", "Umber", "Willow",
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """Products by position; `prices` and `costs` are pence by (half year, product)."""

    shop: Shop
    names: list[str]
    category: Ints
    kind: Ints
    launched: Ints  # month
    ended: Ints  # the first month without it
    ramp: Ints  # months from launch to full sales
    fading: Ints  # months from full sales to the end
    popularity: Ints
    prices: Ints
    costs: Ints

    @cached_property
    def tax_pct(self) -> Ints:
        """The tax of each product, in percent on top of its price."""
        rates: Ints = np.array([category.tax_pct for category in CATEGORIES], dtype=np.int64)[self.category]
        return rates

    def on_sale(self, month: int) -> Ints:
        """The products sold in a month."""
        found: Ints = np.flatnonzero((self.launched <= month) & (month < self.ended))
        return found

    def wanted(self, month: int) -> Ints:
        """How wanted each product is in a month: its popularity, its stage of life, its season."""
        age, rest = month - self.launched, self.ended - month
        rising = np.minimum(1000 * (age + 1) // (self.ramp + 1), 1000)
        falling = np.minimum(1000 * rest // (self.fading + 1), 1000)
        stage = np.where((age >= 0) & (rest > 0), np.minimum(rising, falling), 0)
        at = self.shop.month_start(month).month - 1
        season = np.array([category.season[at] for category in CATEGORIES], dtype=np.int64)[self.category]
        weight: Ints = self.popularity * stage * season // 1_000_000
        return weight

    def choice(self, month: int) -> Choice:
        """Picks products as they are bought in a month."""
        return Choice(self.wanted(month))


def review_of(month: int) -> int:
    """Which half year's prices hold in a month."""
    return max(month, 0) // REVIEW_MONTHS


def product_id(position: int) -> str:
    """The id of a product."""
    return f"P{10_000 + position}"


def make_catalogue(shop: Shop, months: int) -> Catalogue:
    """All products launched in the first `months` months."""
    years = [_of_year(shop, year) for year in range((months - 1) // 12 + 1)]
    columns = {name: np.concatenate([year[name] for year in years]) for name in years[0]}
    category, kind, word = columns["category"], columns["kind"], columns["word"]
    names = [
        f"{WORDS[word[at]]} {CATEGORIES[category[at]].kinds[kind[at]].lower()} {1 + at}"
        for at in range(len(category))
    ]
    prices, costs = _prices(shop, columns, review_of(months - 1) + 1)
    return Catalogue(
        shop=shop, names=names, category=category, kind=kind, launched=columns["launched"],
        ended=columns["ended"], ramp=columns["ramp"], fading=columns["fading"],
        popularity=columns["popularity"], prices=prices, costs=costs,
    )  # fmt: skip


def _of_year(shop: Shop, year: int) -> dict[str, Ints]:
    count = shop.products_per_year

    def drawn(subject: str, limit: int | Ints) -> Ints:
        return below(bits(shop.seed, f"product.{subject}", year, count), limit)

    category = drawn("category", len(CATEGORIES))
    kinds = np.array([len(one.kinds) for one in CATEGORIES], dtype=np.int64)[category]
    launched = 12 * year + drawn("month", 12)
    if year == 0:
        old = happens(bits(shop.seed, "product.old", 0, count), _SOLD_BEFORE)
        old[0] = True  # something is there on the first day
        launched = np.where(old, -1 - drawn("before", 24), launched)
    ramp, fading = 1 + drawn("ramp", 5), 3 + drawn("fading", 8)
    evergreen = happens(bits(shop.seed, "product.evergreen", year, count), EVERGREEN)
    if year == 0:
        evergreen[0] = True  # and something always will be
    life = ramp + fading + 6 + drawn("mature", 25)
    cheapest = np.array([one.cheapest for one in CATEGORIES], dtype=np.int64)[category]
    dearest = np.array([one.dearest for one in CATEGORIES], dtype=np.int64)[category]
    # the lower of two draws: most products are cheap
    dear = np.minimum(drawn("price", 10_000), drawn("price again", 10_000))
    price = (cheapest + (dearest - cheapest) * dear // 10_000) // 10 * 10 + 5
    return {
        "category": category,
        "kind": drawn("kind", kinds),
        "word": drawn("word", len(WORDS)),
        "launched": launched,
        "ended": np.where(evergreen, NEVER, np.maximum(launched, 0) + life),
        "ramp": ramp,
        "fading": fading,
        "popularity": 1_000_000_000 // (12 + drawn("rank", count)),
        "price": price,
        "cost": price * (400 + drawn("cost", 280)) // 1000,
    }


def _prices(shop: Shop, columns: dict[str, Ints], reviews: int) -> tuple[Ints, Ints]:
    """Prices and costs by half year: at each review half of the products change theirs, most upwards."""
    prices, costs = [columns["price"]], [columns["cost"]]
    count = len(columns["price"])
    for review in range(1, reviews):
        changes = happens(bits(shop.seed, "review", review, count), _PRICE_CHANGES)
        changes &= columns["launched"] < review * REVIEW_MONTHS
        by = 975 + below(bits(shop.seed, "review.by", review, count), 90)
        prices.append(np.where(changes, prices[-1] * by // 1000 // 5 * 5 + 5, prices[-1]))
        by = 990 + below(bits(shop.seed, "review.cost", review, count), 50)
        costs.append(np.where(changes, costs[-1] * by // 1000 + 1, costs[-1]))
    return np.stack(prices), np.stack(costs)
