"""The sample shop itself: what it sells, where, and who sells it.

Put here: goods, stores, representatives. Never here: orders, or how files look.
"""

from dataclasses import dataclass
from datetime import date

FIRST_DAY, LAST_DAY = date(2025, 6, 1), date(2026, 5, 31)


@dataclass(frozen=True)
class Product:
    """One article; prices in pence, cost and tax in percent of the price."""

    product_id: str
    name: str
    category: str
    price: int
    cost_pct: int
    tax_pct: int
    wanted: float
    first: date = FIRST_DAY
    last: date = LAST_DAY

    @property
    def cost(self) -> int:
        """What a piece costs the shop, in pence."""
        return self.price * self.cost_pct // 100


@dataclass(frozen=True)
class Store:
    """One place of sale; the web shop has neither a city nor representatives."""

    store_id: str
    name: str
    channel: str
    city: str
    region: str
    weight: int
    reps: tuple[str, ...] = ()


STORES = (
    Store("S1", "Camden", "store", "London", "London", 4, ("Ada Reid", "Ben Cole")),
    Store("S2", "Brighton", "store", "Brighton", "South East", 3, ("Cleo Grant", "Dara Moss")),
    Store("S3", "Leeds", "store", "Leeds", "North", 2, ("Finn Shaw",)),
    Store("S4", "Web", "online", "", "Online", 3),
)
COMMISSION_PCT = {"Ada Reid": 3, "Ben Cole": 2, "Cleo Grant": 3, "Dara Moss": 2, "Finn Shaw": 4}

#: Category -> cost and tax in percent of the price, then name, price in pence, how much it is wanted, and the
#: days on sale where they are not the whole year. Coffee, tea and biscuits bear no British value added tax.
_GOODS: dict[str, tuple[int, int, tuple[tuple[str, int, float, date, date], ...]]] = {
    "Coffee": (
        52,
        0,
        (
            ("House blend 250 g", 799, 3.0, FIRST_DAY, LAST_DAY),
            ("Espresso 1 kg", 2450, 1.6, FIRST_DAY, LAST_DAY),
            ("Decaf 250 g", 849, 1.1, FIRST_DAY, LAST_DAY),
            ("Ethiopia 250 g", 1095, 1.3, FIRST_DAY, LAST_DAY),
            ("Winter blend 250 g", 995, 2.4, date(2025, 10, 20), date(2026, 1, 15)),
            ("Cold brew can", 295, 1.8, date(2026, 3, 23), LAST_DAY),
        ),
    ),
    "Tea": (
        38,
        0,
        (
            ("Earl Grey 50 bags", 450, 1.4, FIRST_DAY, LAST_DAY),
            ("Sencha 100 g", 890, 0.8, FIRST_DAY, LAST_DAY),
            ("Chamomile 40 bags", 395, 0.9, FIRST_DAY, LAST_DAY),
            ("Assam 125 g", 640, 0.9, FIRST_DAY, LAST_DAY),
        ),
    ),
    "Brewing": (
        61,
        20,
        (
            ("French press", 2795, 0.7, FIRST_DAY, LAST_DAY),
            ("Pour-over cone", 1650, 0.7, FIRST_DAY, LAST_DAY),
            ("Paper filters 100", 475, 1.2, FIRST_DAY, LAST_DAY),
            ("Hand grinder", 5900, 0.4, FIRST_DAY, LAST_DAY),
            ("Syphon brewer", 8900, 0.1, FIRST_DAY, date(2026, 1, 31)),
        ),
    ),
    "Cups": (
        47,
        20,
        (
            ("Espresso cup pair", 1450, 0.7, FIRST_DAY, LAST_DAY),
            ("Travel mug", 1895, 0.6, FIRST_DAY, LAST_DAY),
            ("Tea bowl", 1200, 0.5, FIRST_DAY, LAST_DAY),
            ("Latte glass", 925, 0.5, FIRST_DAY, LAST_DAY),
        ),
    ),
    "Sweets": (
        66,
        20,
        (
            ("Shortbread 200 g", 525, 0.9, FIRST_DAY, LAST_DAY),
            ("Dark chocolate 90 g", 395, 1.2, FIRST_DAY, LAST_DAY),
            ("Cantuccini 250 g", 599, 0.7, FIRST_DAY, LAST_DAY),
            ("Fudge 150 g", 450, 0.6, FIRST_DAY, LAST_DAY),
        ),
    ),
}


def _products() -> tuple[Product, ...]:
    rows = [
        (name, category, price, cost_pct, tax_pct, wanted, first, last)
        for category, (cost_pct, tax_pct, goods) in _GOODS.items()
        for name, price, wanted, first, last in goods
    ]
    return tuple(Product(f"P{100 + number}", *row) for number, row in enumerate(rows))


PRODUCTS = _products()
GRINDER = next(product for product in PRODUCTS if product.name == "Hand grinder")
