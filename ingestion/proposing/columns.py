"""Which column of an unknown file is which of ours, and why that is believed.

Put the matching of a whole file here: by the names of the built-in contracts, by a known export, by what a
person said, and never against what the cells hold. Never a guess: two that fit alike, or none, is a question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingestion.contract import NUMBERS, Contract
from ingestion.entities import ENTITIES
from ingestion.matching import candidates, choose_contract, could_hold, normalise
from ingestion.proposing import cells as look_of
from ingestion.proposing.looking import Look
from ingestion.proposing.questions import Question
from ingestion.refusals import FileRefused
from warehouse.errors import ShopxError

_SURE = 0.8  # share of cells that must look like what the name says
_LEAVE_OUT = "-"


@dataclass(frozen=True)
class Found:
    """`why`: name, the system it is an export of, or what a person said; `fits`: the share of its cells that
    look like what it is, None for texts."""

    ours: str
    theirs: str
    position: int
    why: str
    fits: float | None
    examples: tuple[str, ...]

    @property
    def sureness(self) -> str:
        """How sure the match is, in words."""
        return self.why if self.fits is None else f"{self.why}; {self.fits:.0%} of the cells fit"


@dataclass(frozen=True)
class Matched:
    """`holds`: sales, or a kind of master data; `doubts`: their column -> why it was not taken;
    `unfilled`: our columns that none of theirs is."""

    holds: str
    columns: dict[str, Found]
    questions: list[Question]
    ignored: list[str]
    doubts: dict[str, str] = field(default_factory=dict)
    unfilled: list[str] = field(default_factory=list)


def match_columns(
    look: Look, contracts: Mapping[str, Contract], export: Contract | None, answers: Mapping[str, str]
) -> Matched:
    """Match every column of a file. `answers` may hold `holds` and `column.<ours>`: their name, or `-`.

    Raises ShopxError for an answer that names no column of the file or none of ours.
    """
    builtins = {name: contract for name, contract in contracts.items() if contract.builtin}
    holds = answers.get("holds") or ("sales" if export else _holds(look.header, builtins))
    if holds is None:
        question = Question(
            "holds",
            "The header fits sales and a list alike. What does the file hold?",
            dict.fromkeys(["sales", *ENTITIES], ""),
        )
        return Matched("sales", {}, [question], [])
    if holds not in ("sales", *ENTITIES):
        raise ShopxError(f"holds={holds}: known are sales, {', '.join(ENTITIES)}.", exit_code=2)
    builtin = next(one for one in builtins.values() if one.holds == holds)
    said = _said(look, builtin, answers)
    positions, rivals = _positions(look, builtin, export, said)
    taken = {at for ours, (at, _) in positions.items() if ours in said}
    columns: dict[str, Found] = {}
    doubts: dict[str, str] = {}
    for ours, (at, why) in positions.items():
        if at in taken and ours not in said:
            continue
        found_here = _found(look, builtin, ours, at, why)
        if found_here.fits is not None and found_here.fits < _SURE and ours not in said:
            doubts[look.header[at]] = (
                f"named like {ours}, but {1 - found_here.fits:.0%} of its cells are none"
            )
            continue
        columns[ours] = found_here
    questions = [_forced(look, ours, found) for ours, found in rivals.items()]
    missing = _missing(look, builtin, columns, rivals, said)
    if holds == "sales" and "holds" not in answers and any(not one.choices for one in missing):
        what = "The file does not look like sales. What does it hold?"
        missing = [Question("holds", what, dict.fromkeys(["sales", *ENTITIES], ""))]
    questions += missing
    used = {one.position for one in columns.values()}
    ignored = [name for at, name in enumerate(look.header) if at not in used and name]
    unfilled = [ours for ours in _ours(builtin) if ours not in columns]
    return Matched(holds, columns, questions, ignored, doubts, unfilled)


def _positions(
    look: Look, builtin: Contract, export: Contract | None, said: Mapping[str, int | None]
) -> tuple[dict[str, tuple[int, str]], dict[str, list[int]]]:
    """Our columns -> where each stands and why; and those that several could be -> where."""
    of_export = {} if export is None else candidates(look.header, export)
    named = candidates(look.header, builtin)
    positions: dict[str, tuple[int, str]] = {}
    rivals: dict[str, list[int]] = {}
    for ours in _ours(builtin):
        found = named.get(ours, [])
        if ours in said:
            if (at := said[ours]) is not None:
                positions[ours] = (at, "as you said")
        elif export is not None:
            if ours in of_export:
                positions[ours] = (of_export[ours][0], f"{export.export_of} export")
        elif len(found) == 1:
            positions[ours] = (found[0], "name")
        elif found:
            rivals[ours] = found
    return positions, rivals


def _ours(builtin: Contract) -> list[str]:
    """The columns that a file of this kind can have."""
    return [*builtin.columns] if builtin.entity is None else [*builtin.entity.columns]


def test_of(builtin: Contract, ours: str) -> Callable[[str], bool] | None:
    """What a cell of this column must look like; None for texts."""
    entity = builtin.entity
    if ours in (entity.days if entity else ("date",)):
        return look_of.is_date
    if ours in (entity.numbers if entity else NUMBERS):
        return look_of.is_number
    return None


def _found(look: Look, builtin: Contract, ours: str, at: int, why: str) -> Found:
    cells = look.columns[at]
    test = test_of(builtin, ours)
    fits = None if test is None else look_of.share(cells, test)
    return Found(ours, look.header[at], at, why, fits, tuple(dict.fromkeys(cells))[:3])


def _holds(header: list[str], builtins: Mapping[str, Contract]) -> str | None:
    """What a file with this header holds; None where two kinds fit alike."""
    try:
        return choose_contract(header, builtins, feed=None).contract.holds
    except FileRefused as refusal:
        if "[FEED_UNDECIDED]" in refusal.message:
            return None
    whole = [one for one in builtins.values() if could_hold(header, one, builtins["sales_csv"])]
    return "sales" if not whole or any(one.holds == "sales" for one in whole) else whole[0].holds


def _said(look: Look, builtin: Contract, answers: Mapping[str, str]) -> dict[str, int | None]:
    """Our column -> the position a person named, None to leave it out."""
    known = _ours(builtin)
    said: dict[str, int | None] = {}
    for key, value in answers.items():
        if not key.startswith("column."):
            continue
        ours = key.removeprefix("column.")
        if ours not in known:
            raise ShopxError(
                f"{key}: {ours} is no column of ours; known: {', '.join(sorted(known))}.", exit_code=2
            )
        if value == _LEAVE_OUT:
            said[ours] = None
            continue
        fitting = [at for at, name in enumerate(look.header) if name == value] or [
            at for at, name in enumerate(look.header) if normalise(name) == normalise(value)
        ]
        if len(fitting) != 1:
            names = ", ".join(f'"{name}"' for name in look.header if name)
            raise ShopxError(
                f'{key}: the file has {len(fitting) or "no"} columns named "{value}"; it has {names}.',
                exit_code=2,
            )
        said[ours] = fitting[0]
    return said


def _forced(look: Look, ours: str, found: list[int]) -> Question:
    choices = {look.header[at]: _sample(look, at) for at in found} | {_LEAVE_OUT: "none of them"}
    return Question(
        f"column.{ours}", f"{len(found)} columns could be the {ours.replace('_', ' ')}. Which is it?", choices
    )


def _sample(look: Look, at: int) -> str:
    return ", ".join(dict.fromkeys(look.columns[at][:50]))[:60]


def _missing(
    look: Look,
    builtin: Contract,
    columns: Mapping[str, Found],
    rivals: Mapping[str, list[int]],
    said: Mapping[str, int | None],
) -> list[Question]:
    """What must be there and is not: each a choice among the columns that look like it."""
    has = columns.keys() | rivals.keys()
    wanted: list[tuple[str, str]] = []
    if builtin.entity is not None:
        wanted = [(group[0], " or ".join(group)) for group in builtin.entity.needs if not has & set(group)]
    else:
        if "date" not in has:
            wanted.append(("date", "date of sale"))
        if not has & {"product_id", "product_name"}:
            wanted.append(("product_name", "product"))
        if "amount" not in has and not has >= {"quantity", "unit_price"}:
            asks_price = "quantity" in has and "unit_price" not in said
            wanted.append(
                ("unit_price", "price of one piece") if asks_price else ("amount", "amount of the line")
            )
    used = {one.position for one in columns.values()}
    free = [at for at, name in enumerate(look.header) if at not in used and name and look.columns[at]]
    return [_choice(look, builtin, ours, words, free) for ours, words in wanted]


def _choice(look: Look, builtin: Contract, ours: str, words: str, free: list[int]) -> Question:
    test = test_of(builtin, ours)
    fitting = [
        at for at in free if (_looks(look.columns[at], test) if test else not _is_plain(look.columns[at]))
    ]
    if ours in ("amount", "unit_price"):  # sums of money mostly have decimals, and ids have none
        fitting.sort(key=lambda at: not any(look_of.has_decimals(cell) for cell in look.columns[at][:200]))
    choices = {look.header[at]: _sample(look, at) for at in fitting}
    if ours == "unit_price":
        choices[_LEAVE_OUT] = "none of them; there is an amount of the line"
    none = "" if fitting else ", and no cell looks like one"
    return Question(f"column.{ours}", f"No column is named like the {words}{none}. Which one is it?", choices)


def _looks(cells: list[str], test: Callable[[str], bool]) -> bool:
    """Whether most cells pass; dates and ids pass for numbers by their digits alone, and are none."""
    if test is look_of.is_number and any(
        look_of.share(cells, other) >= _SURE for other in (look_of.is_date, look_of.is_id)
    ):
        return False
    return look_of.share(cells, test) >= _SURE


def _is_plain(cells: list[str]) -> bool:
    return look_of.share(cells, look_of.is_date) >= _SURE or look_of.share(cells, look_of.is_number) >= _SURE
