"""What a simulated shop is told: how long, how large, how messy; and its days and months as numbers.

Put here: the parameters and the calendar that follows from them. Never here: anything drawn by chance.
Days are counted from the first one (0), months from the first one (0).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from ingestion.simulating.draws import Ints
from warehouse.errors import ShopxError

FIRST_DAY = date(2021, 1, 1)
LINES_PER_CUSTOMER_AND_YEAR = 40
MOST_LATE_DAYS = 400
CURRENCY = "GBP"


@dataclass(frozen=True)
class Shop:
    """Shares are in millionths of: `growth` the sales of the year before, `mess` the rows of daily files,
    `late` the delivered lines, `corrections` and `returns` the orders.

    `lines`: about how many sales lines the first `years` bring; 0: 40 for each new customer and year.
    `corrections_every_days`: how often a file of corrections and one of returns comes (7: on Mondays).
    """

    seed: int = 7
    first_day: date = FIRST_DAY
    years: int = 5
    customers_per_year: int = 2_000
    products_per_year: int = 200
    stores: int = 6
    lines: int = 0
    growth: int = 120_000
    mess: int = 10_000
    late: int = 20_000
    corrections: int = 10_000
    returns: int = 25_000
    corrections_every_days: int = 7

    def __post_init__(self) -> None:
        """Refuse what no shop can be. Raises ShopxError with a sentence."""
        wrong = next((sentence for fine, sentence in self._rules() if not fine), None)
        if wrong:
            raise ShopxError(f"No such shop: {wrong}.", exit_code=2)

    def _rules(self) -> list[tuple[bool, str]]:
        return [
            (0 <= self.seed < 2**32, "the seed is a whole number from 0 to 4,294,967,295"),
            (self.first_day.day == 1, f"it opens on the first of a month, not on {self.first_day}"),
            (1 <= self.years <= 50, "years are 1 to 50"),
            (1 <= self.customers_per_year <= 5_000_000, "customers a year are 1 to 5,000,000"),
            (2 <= self.products_per_year <= 50_000, "products a year are 2 to 50,000"),
            (2 <= self.stores <= 20, "stores are 2 to 20, the web shop included"),
            (self.lines == 0 or self.lines >= 1_000, "it sells at least 1,000 lines"),
            (-500_000 <= self.growth <= 1_000_000, "growth is -0.5 to 1.0 a year"),
            (0 <= self.mess <= 200_000, "mess is 0 to 0.2 of the rows"),
            (0 <= self.late <= 500_000, "late rows are 0 to 0.5 of the lines"),
            (0 <= self.corrections <= 500_000, "corrections are 0 to 0.5 of the orders"),
            (0 <= self.returns <= 300_000, "returns are 0 to 0.3 of the orders"),
            (1 <= self.corrections_every_days <= 31, "corrections come every 1 to 31 days"),
        ]

    @property
    def wanted_lines(self) -> int:
        """About how many sales lines the first years bring."""
        return self.lines or LINES_PER_CUSTOMER_AND_YEAR * self.customers_per_year * self.years

    @property
    def last_day_of_years(self) -> date:
        """The last day of the first `years` years."""
        return self.first_day.replace(year=self.first_day.year + self.years) - timedelta(days=1)

    def day_of(self, day: date) -> int:
        """A date as a number."""
        return (day - self.first_day).days

    def date_of(self, day: int) -> date:
        """A number as a date."""
        return self.first_day + timedelta(days=int(day))

    def month_start(self, month: int) -> date:
        """The first day of a month by its number; negative ones lie before the shop opened."""
        months = self.first_day.year * 12 + self.first_day.month - 1 + month
        return date(months // 12, months % 12 + 1, 1)

    def month_of(self, day: date) -> int:
        """The number of the month of a date."""
        return (day.year - self.first_day.year) * 12 + day.month - self.first_day.month

    def months_of_days(self, days: int) -> Ints:
        """The month of each of the first `days` days."""
        return np.array([self.month_of(self.date_of(day)) for day in range(days)], dtype=np.int64)

    def customers_on(self, days: Ints) -> Ints:
        """How many customers are known on these days: half a year's number on the first one."""
        known: Ints = self.customers_per_year // 2 + 1 + self.customers_per_year * days // 365
        return known

    def corrections_day(self, days: Ints) -> Ints:
        """The first day on or after these on which corrections are delivered."""
        passed = days + self.first_day.weekday()
        due: Ints = days + (-passed) % self.corrections_every_days
        return due
