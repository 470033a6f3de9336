"""The filters of a board as a form shows them.

Put here: which choices there are, which are made, and how they are said.
Never here: what they do to a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dashboards.answers.page import Option
from dashboards.answers.spans import Span
from dashboards.answers.state import NONE_NAMED, PRESETS, FilterState
from dashboards.spec.model import Board

COMPARISONS = {"previous": "Period before", "year_before": "Same weekdays a year before", "none": "Nothing"}


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True)
class PeriodChoice:
    """The period of a board: presets, own dates, and what it is compared with."""

    presets: tuple[Choice, ...]
    compares: tuple[Choice, ...]
    custom: bool
    first: str
    last: str


@dataclass(frozen=True)
class FilterChoice:
    """A filter with its values; `words` says what is chosen."""

    key: str
    name: str
    options: tuple[Choice, ...]
    single: bool
    words: str

    @property
    def set(self) -> bool:
        """Whether something is chosen."""
        return any(option.chosen for option in self.options if option.value)


def period_choice(board: Board, state: FilterState, span: Span) -> PeriodChoice | None:
    """The period's part of the form; None for a board without one."""
    if not any(one.options is None for one in board.filters.values()):
        return None
    return PeriodChoice(
        presets=tuple(Choice(key, label, key == state.period) for key, label in PRESETS.items()),
        compares=tuple(Choice(key, label, key == state.compare) for key, label in COMPARISONS.items()),
        custom=state.period == "custom",
        first=span.first.isoformat(),
        last=span.last.isoformat(),
    )


def filter_choices(
    board: Board, state: FilterState, options: Mapping[str, Sequence[Option]]
) -> tuple[FilterChoice, ...]:
    """The other filters. A value that is chosen and exists no more stays in the list: it can be undone."""
    found = []
    for key, one in board.filters.items():
        if one.options is None:
            continue
        chosen = state.chosen.get(key, ())
        values = {option.value: option.label for option in options.get(key, ())}
        values.update({value: value or "(none named)" for value in chosen if value not in values})
        if len(values) < 2 and not chosen:
            continue  # one store is no choice
        picked = [label for value, label in values.items() if value in chosen]
        choices = [
            Choice(NONE_NAMED if value is None else value, label, value in chosen)
            for value, label in values.items()
        ]
        if one.single:
            choices.insert(0, Choice("", "All", not chosen))
        found.append(FilterChoice(key, one.name, tuple(choices), one.single, _said(picked)))
    return tuple(found)


def _said(picked: Sequence[str]) -> str:
    if not picked:
        return "All"
    return picked[0] if len(picked) == 1 else f"{picked[0]} + {len(picked) - 1}"


def chosen_words(choices: Sequence[FilterChoice]) -> str:
    """Store: Leeds, York · Channel: web; empty where nothing is chosen."""
    return " · ".join(
        f"{one.name}: {', '.join(option.label for option in one.options if option.chosen)}"
        for one in choices
        if one.set
    )


def of_board(board: Board, state: FilterState) -> FilterState:
    """The state without values of filters that this board does not have: its URLs hold only its own."""
    return replace(
        state, chosen={key: values for key, values in state.chosen.items() if key in board.filters}
    )
