"""What only a person can answer, and how an answer is given: `--answer key=value`.

Put the shape and the wording of questions here. Never the decision whether one arises (proposal.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ingestion.refusals import Undecided


@dataclass(frozen=True)
class Question:
    """`choices`: answer -> what it means, empty where any value of the described form goes; `needed`: no
    contract without it."""

    key: str
    text: str
    choices: dict[str, str] = field(default_factory=dict)
    needed: bool = True

    @property
    def options(self) -> str:
        """How the answer is written on the command line."""
        if not self.choices:
            return f"--answer {self.key}=…"
        return " or ".join(f"--answer {self.key}={_quoted(choice)}" for choice in self.choices)


def _quoted(text: str) -> str:
    return f"'{text}'" if not text.replace("-", "").replace("_", "").isalnum() else text


#: Keys of `read_as` that can be kept in a contract; their answers are asked for.
KEPT = ("date_order", "date_count", "decimal_mark", "encoding", "worksheet")


def question_of(undecided: Undecided) -> Question | None:
    """The question that a file leaves open; None where no contract could hold the answer."""
    keys = {key for read_as in undecided.choices.values() for key in read_as}
    if len(keys) != 1 or (key := keys.pop()) not in KEPT:
        return None
    said = {
        choice: _MEANS.get(choice, "") or next(iter(way.values()))
        for choice, way in undecided.choices.items()
    }
    return Question(key, undecided.message, said)


_MEANS = {
    "day-first": "31/12/2026",
    "month-first": "12/31/2026",
    "year-first": "26/12/31",
    "decimal-comma": "1.234,56",
    "decimal-point": "1,234.56",
    "excel-serial": "days since 1900",
    "excel-serial-1904": "days since 1904",
}


def said_as(
    key: str, answer: str, undecided_choices: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> dict[str, str]:
    """An answer as `read_as` wants it."""
    if answer in undecided_choices:
        return dict(undecided_choices[answer])
    words = {"decimal-comma": "comma", "decimal-point": "point", ",": "comma", ".": "point"}
    return {key: words.get(answer, answer)}


CURRENCY = Question("currency", "Which currency are the amounts in? Three letters, like EUR, GBP or USD")
TIME_ZONE = Question(
    "timezone", "Which time zone are the times in, and whose midnight ends the day? Like Europe/London"
)
TAX = Question(
    "prices_include_tax",
    "Do the prices include tax?",
    {"true": "with tax", "false": "without tax"},
    needed=False,
)
DELIVERS = Question(
    "delivers",
    "If an order comes again in a later file, what does that mean?",
    {
        "orders": "each file holds whole orders; the newer version replaces the older",
        "days": "each file is complete for its days; they are replaced as a whole",
        "events": "nothing ever comes again; every row is new",
    },
    needed=False,
)
AMOUNT_COUNTS = Question(
    "amount_counts",
    "Where quantity x price is not the amount, which of them counts? Without an answer the row is refused",
    {"amount": "the amount", "quantity_x_price": "quantity x price"},
    needed=False,
)
DERIVE = Question(
    "derive",
    "Where quantity, price or amount is missing, work it out from the other two? Without an answer the row "
    "is refused",
    {"true": "work it out", "false": "refuse the row"},
    needed=False,
)
