"""A board, its filters, tabs and cards, as they stand in boards/*.yaml.

Put here: fields, their meaning, and rules that need no warehouse. Never here: reading files (loading.py),
rules that ask the warehouse (dashboards/lint).
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    field_validator,
    model_validator,
)

from warehouse.errors import ShopxError

MAX_DEFINITION_WORDS = 25
DAY = "day"  # the filter of the period
BASE = "base"  # the days it is compared with: no filter of a board, follows from period and comparison
COLUMNS_OF_GRID = 24

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Column = Annotated[str, StringConstraints(pattern=r"^(marts|ops)\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, StringConstraints(min_length=3)]
Display = Literal[
    "scalar", "line", "area", "bar", "row", "combo", "pie", "table", "scatter", "heatmap", "waterfall"
]
FilterType = Literal["date/all-options", "string/="]

TAG = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


class Strict(BaseModel):
    """Frozen; a key that is not known is an error, because it would be a typo that nothing obeys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Filter(Strict):
    """A filter of a board. Dates choose a period, strings any number of values."""

    name: str = Field(description="What the reader sees.")
    type: FilterType = Field(description="date/all-options chooses a period, string/= one or more values.")
    options: Column | None = Field(default=None, description="Of string/=: the column the choices come from.")
    default: str | None = Field(default=None, description="Of the period: a preset, e.g. last_28_days.")
    single: bool = Field(default=False, description="At most one value may be chosen.")

    @model_validator(mode="after")
    def _choices_come_from_somewhere(self) -> Filter:
        if (self.type == "string/=") != (self.options is not None):
            raise ValueError("options: a string/= filter names the column its choices come from, a date none")
        return self


class Placed(Strict):
    """Something on the grid: a card, a heading, or a text."""

    at: tuple[int, int, int, int] = Field(description="Column, row, width, height; the grid has 24 columns.")
    card: Key | None = None
    heading: str | None = None
    text: str | None = Field(default=None, description="Markdown.")

    @model_validator(mode="after")
    def _is_one_thing_on_the_grid(self) -> Placed:
        if sum(part is not None for part in (self.card, self.heading, self.text)) != 1:
            raise ValueError("give exactly one of card, heading, text")
        column, row, width, height = self.at
        if column < 0 or row < 0 or width < 1 or height < 1 or column + width > COLUMNS_OF_GRID:
            raise ValueError(f"at: {list(self.at)} does not fit a grid of {COLUMNS_OF_GRID} columns")
        return self


class Tab(Strict):
    """A page of a board."""

    name: str
    layout: tuple[Placed, ...] = Field(min_length=1)


class ForMetabase(Strict):
    """What only Metabase reads; merged last."""

    display: str | None = None
    visualization_settings: dict[str, Any] = Field(default_factory=dict)


class Card(Strict):
    """One question to the marts and how its answer looks.

    Columns named *_cents are money in minor units; the surfaces scale them, the SQL never does.
    """

    name: str = Field(
        description="The plain title; a finding may take its place where the figures support it."
    )
    display: Display
    sql: str = Field(
        description="One select over marts; {{filter}} is a condition, [[…]] only when it is set."
    )
    x: str | None = Field(
        default=None, description="Column of the horizontal axis, the groups of a row chart."
    )
    y: tuple[str, ...] = Field(
        default=(), description="Columns drawn; of a scalar and a heat map the figure."
    )
    series: str | None = Field(
        default=None, description="Column that tells series apart; rows of a heat map."
    )
    stack: Literal["stacked", "normalized"] | None = None
    size: str | None = Field(default=None, description="Of a scatter: the column that sizes its points.")
    label: str | None = Field(default=None, description="Of a scatter: the column that names its points.")
    low: str | None = Field(default=None, description="Lower edge of a band around y.")
    high: str | None = Field(default=None, description="Upper edge of a band around y.")
    lines: dict[str, Literal["solid", "dashed", "dotted"]] = Field(default_factory=dict)
    bars: tuple[str, ...] = Field(
        default=(), description="Of a combo: which of y are bars; the others lines."
    )
    format: dict[str, Key] = Field(
        default_factory=dict, description="Column to number format of palette.yaml."
    )
    labels: dict[str, str] = Field(default_factory=dict, description="Column to the heading a reader sees.")
    hidden: tuple[str, ...] = Field(default=(), description="Columns that tables leave out.")
    definition: Sentence = Field(description="What the figure is, in at most 25 words.")
    source: Column = Field(description="The mart column behind it: schema.table.column.")
    filters: dict[Key, Column] = Field(default_factory=dict, description="Filter to the column it acts on.")
    ignores: dict[Key, Sentence] = Field(
        default_factory=dict, description="Filter to why it cannot be obeyed."
    )
    several: dict[Key, Sentence] = Field(
        default_factory=dict, description="Filter to what to say when more than one value is chosen."
    )
    compare: bool = Field(default=False, description="Also ask for the period it is compared with.")
    reaches_back_days: int | None = Field(
        default=None, description="Of a mart that keeps the last days only: how many before as_of."
    )
    beside: tuple[str, ...] = Field(
        default=(), description="Of a scalar: columns told in small beside the figure."
    )
    base: str | None = Field(default=None, description="Column that counts orders: below 10 no percentage.")
    spark: str | None = Field(
        default=None, description="SQL of the 28 days up to the period's end: day, value."
    )
    higher_is: Literal["good", "bad", "neutral"] = "neutral"
    missing: dict[str, Sentence] = Field(
        default_factory=dict, description="Column to the reason why it has no value where it has none."
    )
    empty: Sentence = Field(
        default="Nothing in this period with these filters.", description="What stands where no row is."
    )
    link: dict[str, str] = Field(
        default_factory=dict,
        description="Column to a page of ours it leads to; {column} stands for the row's value.",
    )
    finding: Key | None = Field(
        default=None, description="Rule of answers/findings.py that may title the card."
    )
    metabase: ForMetabase = Field(default_factory=ForMetabase)

    _key: str = PrivateAttr(default="")
    _board: str = PrivateAttr(default="")

    @property
    def key(self) -> str:
        """Its name in the file: unique over all boards, never shown, never changed."""
        return self._key

    @property
    def board(self) -> str:
        """Key of the board it stands on."""
        return self._board

    @field_validator("sql", "spark")
    @classmethod
    def _is_one_statement(cls, text: str | None) -> str | None:
        if text is None:
            return None
        text = text.strip()
        if ";" in text:
            raise ValueError("one statement, without a semicolon")
        if text.count("[[") != text.count("]]"):
            raise ValueError("each [[ needs its ]]")
        for optional in re.findall(r"\[\[(.*?)\]\]", text, re.DOTALL):
            if not TAG.search(optional) or "[[" in optional:
                raise ValueError(f"[[{optional}]] must hold a {{{{filter}}}} and no other [[…]]")
        return text

    @field_validator("definition")
    @classmethod
    def _is_short(cls, text: str) -> str:
        words = len(text.split())
        if words > MAX_DEFINITION_WORDS:
            raise ValueError(f"{words} words; a definition has at most {MAX_DEFINITION_WORDS}")
        return text

    @model_validator(mode="after")
    def _filters_are_those_of_the_sql(self) -> Card:
        used = set(TAG.findall(self.sql)) | set(TAG.findall(self.spark or ""))
        if used - set(self.filters):
            raise ValueError(
                f"sql uses {_tags(used - set(self.filters))}, which filters does not map to a column"
            )
        if set(self.filters) - set(TAG.findall(self.sql)):
            raise ValueError(f"filters maps {_tags(set(self.filters) - used)}, which sql does not use")
        both = set(self.filters) & set(self.ignores)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} stands in filters and in ignores")
        if self.display == "scalar" and len(self.y) != 1:
            raise ValueError("y: a scalar shows exactly one column")
        if self.display in (
            "line",
            "area",
            "bar",
            "row",
            "combo",
            "pie",
            "scatter",
            "heatmap",
            "waterfall",
        ) and not (self.x and self.y):
            raise ValueError(f"x and y: a {self.display} needs both")
        return self


class Board(Strict):
    """A dashboard: the decision it serves, its filters, tabs and cards."""

    key: Key
    name: str
    question: Sentence = Field(description="The decision it helps with, as a question.")
    place: int = Field(description="Its place in the menu.")
    renamed_from: tuple[str, ...] = Field(
        default=(), description="Former names, so that a rename is an update."
    )
    filters: dict[Key, Filter] = Field(default_factory=dict)
    tabs: tuple[Tab, ...] = Field(min_length=1)
    cards: dict[Key, Card]

    def model_post_init(self, _context: Any) -> None:
        """Tell each card its key and board."""
        for key, card in self.cards.items():
            card._key, card._board = key, self.key

    def card(self, key: str) -> Card:
        """One of its cards. Raises ShopxError when there is none of that key."""
        try:
            return self.cards[key]
        except KeyError:
            raise ShopxError(
                f"Dashboard {self.key} has no card {key}; it has {', '.join(self.cards)}."
            ) from None

    @property
    def default_period(self) -> str:
        """The period it opens with: a preset of answers/state.py."""
        return (self.filters[DAY].default if DAY in self.filters else None) or "last_28_days"

    @model_validator(mode="after")
    def _all_fits_together(self) -> Board:
        placed = [part.card for tab in self.tabs for part in tab.layout if part.card is not None]
        if unknown := sorted(set(placed) - set(self.cards)):
            raise ValueError(f"tabs: card {', '.join(unknown)} is placed but not described")
        if unplaced := sorted(set(self.cards) - set(placed)):
            raise ValueError(f"cards: {', '.join(unplaced)} stands on no tab")
        if len({tab.name for tab in self.tabs}) != len(self.tabs):
            raise ValueError("tabs: two have the same name")
        for tab in self.tabs:
            _refuse_overlaps(tab)
        for key, card in self.cards.items():
            answered = (set(card.filters) | set(card.ignores)) - {BASE}
            if silent := sorted(set(self.filters) - answered):
                raise ValueError(
                    f"cards.{key}: filter {', '.join(silent)} is neither obeyed (filters) nor refused with a "
                    "reason (ignores)"
                )
            if stray := sorted(answered - set(self.filters)):
                raise ValueError(f"cards.{key}: the board has no filter {', '.join(stray)}")
        return self


def _refuse_overlaps(tab: Tab) -> None:
    taken: dict[tuple[int, int], Placed] = {}
    for part in tab.layout:
        column, row, width, height = part.at
        for cell in ((c, r) for c in range(column, column + width) for r in range(row, row + height)):
            if cell in taken:
                raise ValueError(f"tabs: on {tab.name}, {list(part.at)} lies over {list(taken[cell].at)}")
            taken[cell] = part


def _tags(names: set[str]) -> str:
    return ", ".join(f"{{{{{name}}}}}" for name in sorted(names))
