"""From a file and answers to a contract: what the file proves, what is open, what the result would load.

Put the order of steps here. Never how a step is done: looking.py, columns.py, checking.py, drafting.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ingestion.contract import NUMBERS, Contract, load_contracts
from ingestion.contract_edits import contract_keys
from ingestion.matching import choose_contract, known_export
from ingestion.proposing import cells as look_of
from ingestion.proposing import questions as ask
from ingestion.proposing.checking import Check, check_file
from ingestion.proposing.columns import Matched, match_columns, test_of
from ingestion.proposing.drafting import Draft
from ingestion.proposing.looking import Look, look
from ingestion.proposing.naming import feed_name, title_of
from ingestion.proposing.questions import KEPT, Question, question_of, said_as
from ingestion.reading import numbers, open_reading
from ingestion.refusals import FileRefused, Undecided
from warehouse.errors import ShopxError

#: Keys of a contract that may be given as an answer although nothing asks for them.
_ALSO = (
    "title", "source", "order_id_scope", "day_starts_at", "round", "amount_is", "discount_is",
    "max_reject_share", "identity", "allow_zero_amount", "complete", "null_words", "path",
)  # fmt: skip
_ASKED = ("holds", "currency", "timezone", "prices_include_tax", "delivers", "amount_counts", "derive", *KEPT)
#: What stands for an answer that is not given yet, while the rest of the file is looked at.
_STAND_INS = {"currency": "XXX", "source": "unknown"}
_PERSONAL = (
    "customer_id",
    "customer_name",
    "customer_email",
    "first_name",
    "last_name",
    "sales_rep",
    "email",
)
_IDS = ("order_id", "customer_id", "product_id", "line_number", "store_id", "category_id", "subcategory_id")


@dataclass(frozen=True)
class Proposal:
    """`open_questions`: without their answers there is no contract; `others` may stay open. `draft` and
    `check` are None until all needed ones are answered. `alike`: a contract that the header fits as well."""

    look: Look
    export: Contract | None
    matched: Matched
    feed: str
    open_questions: list[Question]
    others: list[Question]
    draft: Draft | None = None
    check: Check | None = None
    alike: str | None = None

    @property
    def yaml(self) -> str:
        """The contract as text."""
        if self.draft is None:
            raise ValueError("questions are open")
        return self.draft.yaml()


def propose(
    path: Path,
    *,
    today: date,
    answers: Mapping[str, str] = MappingProxyType({}),
    feed: str | None = None,
    expect: str | None = None,
    contracts: Mapping[str, Contract] | None = None,
) -> Proposal:
    """Propose a contract for a file and check it, without writing. `answers`: contract key, or
    `column.<ours>`, -> text; `expect`: the control total of the shop's own report, kept as a comment.

    Raises FileRefused for what is no table, ShopxError (exit code 2) for an answer that cannot be.
    """
    known = load_contracts() if contracts is None else contracts
    _check_answers(answers)
    name = feed_name(path) if feed is None else feed
    encoding = {"encoding": answers["encoding"]} if "encoding" in answers else {}
    try:
        seen = look(path, read_as=encoding | _worksheet(path, answers))
    except Undecided as undecided:
        question = question_of(undecided)
        if question is None:
            raise
        empty = Look(path, [], ",", [], [], 0, {})
        return Proposal(empty, None, Matched("sales", {}, [], []), name, [question], [])
    export = known_export(seen.header, known) if answers.get("holds", "sales") == "sales" else None
    matched = match_columns(seen, known, export, answers)
    found = Proposal(seen, export, matched, name, list(matched.questions), [])
    return _Drafter(found, known, answers, today=today, expect=expect).proposal()


class _Drafter:
    """Fills a draft from evidence and answers, until the file can be read or a question is open."""

    def __init__(
        self,
        found: Proposal,
        known: Mapping[str, Contract],
        answers: Mapping[str, str],
        *,
        today: date,
        expect: str | None,
    ) -> None:
        self.found, self.known, self.answers, self.today, self.expect = found, known, answers, today, expect
        self.look, self.matched = found.look, found.matched
        self.builtin = next(one for one in known.values() if one.builtin and one.holds == found.matched.holds)
        self.questions: list[Question] = []
        self.others: list[Question] = []
        self.draft = Draft([])

    def proposal(self) -> Proposal:
        self._first_keys()
        self._money_keys()
        if self.matched.questions:
            return replace(self.found, open_questions=[*self.matched.questions, *self.questions])
        self._columns()
        self._answered()
        self._settle()
        done = replace(self.found, open_questions=self.questions, others=self.others)
        if self.questions:
            return done
        check = self._checked()
        self._after_check(check)
        draft = self._in_order()
        contract = draft.contract
        check = check if contract == self._last else self._check()
        self._heading(draft, check)
        return replace(done, others=self.others, draft=draft, check=check, alike=self._alike(contract))

    @property
    def is_sales(self) -> bool:
        return self.matched.holds == "sales"

    def cells(self, ours: str) -> list[str]:
        """Cells of one of our columns in the first rows."""
        found = self.matched.columns.get(ours)
        return self.look.columns[found.position] if found else []

    def _first_keys(self) -> None:
        self.draft.say("feed", self.found.feed)
        self.draft.say("title", self.answers.get("title") or title_of(self.look.path))
        if not self.is_sales:
            self.draft.say("holds", self.matched.holds, "by its header")
        if self.matched.holds == "customers" and "source" not in self.answers:
            sources = sorted(
                {
                    one.source_name
                    for one in self.known.values()
                    if one.holds == "sales" and not one.is_fetched
                }
            )
            text = "Whose customer ids are these? The feed (or source) whose sales name them"
            self.questions.append(Question("source", text, dict.fromkeys(sources, "")))

    def _money_keys(self) -> None:
        if not self.is_sales:
            return
        self._currency()
        clocks = all(map(look_of.has_clock, self._dates()))
        if "timezone" in self.answers:
            self.draft.say("timezone", self.answers["timezone"], "as you said")
        elif clocks:
            self.questions.append(ask.TIME_ZONE)
        if self.found.export:
            for key, value in self._export_keys():
                if key not in self.answers:
                    self.draft.say(key, value, f"{self.found.export.export_of} export")
        for question in (ask.TAX, *((ask.DELIVERS,) if "order_id" in self.matched.columns else ())):
            if question.key not in self.answers and question.key not in self.draft.keys:
                self.others.append(question)

    def _export_keys(self) -> list[tuple[str, Any]]:
        """What the contract of the known export says beyond its columns."""
        assert self.found.export is not None  # noqa: S101 - asked of exports only
        said = self.found.export.model_dump(
            include={"delivers", "amount_is", "once_per_order", "allow_zero_amount"}, exclude_defaults=True
        )
        if once := said.pop("once_per_order", None):
            said["once_per_order"] = [ours for ours in once if ours in self.matched.columns]
        return [(key, value) for key, value in said.items() if value]

    def _dates(self) -> list[list[str]]:
        """The cells of the date, or where it is still asked for, of each column that it could be."""
        asked = [one for one in self.matched.questions if one.key == "column.date" and one.choices]
        if not asked:
            return [self.cells("date")]
        return [self.look.columns[at] for at, name in enumerate(self.look.header) if name in asked[0].choices]

    def _currency(self) -> None:
        if "currency" in self.answers:
            self.draft.say("currency", self.answers["currency"].upper(), "as you said")
            return
        if cells := self.cells("currency"):
            if len(set(cells)) > 1:
                return  # each line says its own
            if re.fullmatch("[A-Za-z]{3}", cells[0]):
                column = self.matched.columns["currency"]
                self.draft.say("currency", cells[0].upper(), f'column "{column.theirs}" says so')
                return
        money = [
            one
            for ours, one in self.matched.columns.items()
            if ours in ("amount", "unit_price", "discount", "tax")
        ]
        for one in money:
            if code := re.search(r"[(\[]([A-Z]{3})[)\]]\s*$", one.theirs):
                self.draft.say("currency", code[1], f'column "{one.theirs}"')
                return
        signs = {
            sign
            for one in money
            for cell in self.look.columns[one.position]
            if (sign := numbers.currency_of(cell))
        }
        if len(signs) == 1:
            self.draft.say(
                "currency", sign := signs.pop(), f"the amounts are written with {sign} or its sign"
            )
            return
        if not signs and (said := self._currency_above()):
            self.draft.say("currency", said[0], f'above the header: "{said[1]}"')
            return
        self.questions.append(ask.CURRENCY)

    def _currency_above(self) -> tuple[str, str] | None:
        """The currency that a line above the header names (`Currency: EUR`), and the words that do."""
        names = "|".join(re.escape(name) for name in self.builtin.columns["currency"].names)
        said = re.findall(rf"\b((?i:{names})\W{{1,3}}([A-Z]{{3}}))\b", "\n".join(self.look.preamble))
        return (said[0][1], said[0][0]) if len({code for _, code in said}) == 1 else None

    def _columns(self) -> None:
        for ours, found in self.matched.columns.items():
            said: dict[str, Any] = {"names": [found.theirs]}
            if ours in _IDS and look_of.is_spreadsheet_integer(self.look.columns[found.position]):
                said["spreadsheet_integer"] = True
            # a contract outlives the people in the file, and is shared: no example of who they are
            shown = "" if ours in _PERSONAL else ": " + " · ".join(found.examples)[:60]
            self.draft.columns[ours] = (said, f"{found.sureness}{shown}")
        tested = [
            (self.look.columns[found.position], test)
            for ours, found in self.matched.columns.items()
            if (test := test_of(self.builtin, ours)) is not None
        ]
        if "null_words" not in self.answers and (words := look_of.words_for_nothing(tested)):
            counted = ", ".join(f"{word} {count} x" for word, count in words.items())
            self.draft.say("null_words", list(words), f"where numbers or dates belong: {counted}")

    def _answered(self) -> None:
        for key in ("prices_include_tax", "delivers", "amount_counts", "derive", *_ALSO):
            if key in self.answers and key != "title":
                self.draft.say(key, _value(key, self.answers[key]), "as you said")

    def _settle(self) -> None:
        """Let the reader prove what it can; what it cannot is a question, or was answered."""
        for key in KEPT:
            if key in self.answers:
                for name, value in self._keys_of(key).items():
                    self.draft.say(name, value, "as you said")
        asked = {question.key for question in self.questions}
        contract = self._with({key: text for key, text in _STAND_INS.items() if key in asked})
        try:
            facts = open_reading(
                self.look.path,
                today=self.today,
                feed=contract.feed,
                contracts={**self.known, contract.feed: contract},
                delivered=self.look.path.absolute().as_posix(),
            ).facts
        except Undecided as undecided:
            question = question_of(undecided)
            if question is None:
                return  # the check says what is wrong with the file
            self.questions.append(question)
            return
        except FileRefused:
            return
        self._proven(facts)

    def _keys_of(self, key: str) -> dict[str, Any]:
        if key == "worksheet":
            return {"worksheet": _worksheet(self.look.path, self.answers)["worksheet"]}
        return contract_keys(said_as(key, self.answers[key]))

    def _with(self, stand_in: Mapping[str, str]) -> Contract:
        trial = Draft([], dict(self.draft.keys), self.draft.columns)
        for key, value in stand_in.items():
            trial.say(key, value)
        return trial.contract

    def _proven(self, facts: Mapping[str, object]) -> None:
        """Write down what the whole file proves."""
        if facts.get("encoding_how") == "detected":
            sure, word = facts.get("encoding_confidence"), facts.get("encoding_example")
            self.draft.say("encoding", facts["encoding"], f'detected, {sure} sure: "{word}"')
        dates = [cell for ours in self._day_columns() for cell in self.cells(ours)]
        order = str(facts.get("date_order"))
        if dates and "date_formats" not in self.draft.keys:
            if order == "iso":
                self.draft.say("date_formats", ["iso"], dates[0])
            else:
                shown = look_of.order_example(dates, order)
                proof = f'proven: "{shown}"' if shown else "proven by a later row"
                self.draft.say("date_formats", ["iso", order], proof)
        mark = str(facts.get("decimal_mark"))
        if "decimal_mark" not in self.draft.keys and self._number_columns():
            example = next(
                (cell for ours in self._number_columns() for cell in self.cells(ours) if mark in cell), None
            )
            self.draft.say("decimal_mark", mark, f'proven: "{example}"' if example else "no number needs one")
        if self.is_sales:
            self._rounding(mark)

    def _number_columns(self) -> list[str]:
        return [ours for ours in self.matched.columns if test_of(self.builtin, ours) is look_of.is_number]

    def _day_columns(self) -> list[str]:
        return [ours for ours in self.matched.columns if test_of(self.builtin, ours) is look_of.is_date]

    def _rounding(self, mark: str) -> None:
        if "round" in self.draft.keys:
            return
        digits = numbers.minor_digits(str(self.draft.keys.get("currency", ("", ""))[0]))
        for ours in ("amount", "unit_price", "discount", "tax"):
            if ours == "unit_price" and "amount" in self.matched.columns:
                continue
            fine = next((cell for cell in self.cells(ours) if look_of.decimals(cell, mark) > digits), None)
            if fine is not None and ours in NUMBERS:
                self.draft.say("round", "line", f'{ours} has more than {digits} decimals: "{fine}"')
                return

    def _check(self) -> Check:
        contract = self._last = self._in_order().contract
        return check_file(
            self.look.path, today=self.today, feed=contract.feed,
            contracts={**self.known, contract.feed: contract},
        )  # fmt: skip

    def _checked(self) -> Check:
        """The check, once more where only a later row showed that rounding is needed."""
        check = self._check()
        rows = check.codes.get("TOO_MANY_DECIMALS", 0)
        if rows and "round" not in self.draft.keys:
            self.draft.say("round", "line", f"{rows:,} rows have more decimals than the currency")
            check = self._check()
        return self._discounted(check)

    def _discounted(self, check: Check) -> Check:
        """Where the amounts disagree, whether they agree once the discount is a share or a percentage."""
        mismatches = check.codes.get("AMOUNT_MISMATCH", 0)
        if not mismatches or "discount" not in self.matched.columns or "discount_is" in self.draft.keys:
            return check
        without = self._last
        for means in ("share", "percent"):
            self.draft.say("discount_is", means, f"with it {mismatches:,} rows agree that did not")
            trial = self._check()
            left = trial.codes.get("AMOUNT_MISMATCH", 0)
            if trial.rows_accepted > check.rows_accepted and left * 20 <= mismatches:
                return trial
            del self.draft.keys["discount_is"]
        self._last = without
        return check

    def _after_check(self, check: Check) -> None:
        """Questions that only the rows raise."""
        three = {"quantity", "unit_price", "amount"} <= self.matched.columns.keys()
        if check.codes.get("AMOUNT_MISMATCH") and three and "amount_counts" not in self.answers:
            self.others.append(ask.AMOUNT_COUNTS)
        if check.codes.get("VALUE_MISSING") and three and "derive" not in self.answers:
            self.others.append(ask.DERIVE)

    def _in_order(self) -> Draft:
        order = (
            "feed",
            "title",
            "holds",
            "source",
            "delivers",
            "currency",
            "timezone",
            "date_formats",
            "decimal_mark",
            "encoding",
        )
        keys = {key: self.draft.keys[key] for key in order if key in self.draft.keys}
        return Draft(
            [], keys | {k: v for k, v in self.draft.keys.items() if k not in keys}, self.draft.columns
        )

    def _heading(self, draft: Draft, check: Check) -> None:
        days = f", {check.first_date} to {check.last_date}" if check.first_date else ""
        draft.heading.append(
            f"Proposed from {self.look.path.name}, {check.rows_delivered:,} rows{days}; the evidence:"
        )
        if self.expect is not None:
            draft.heading.append(f"Control total of the shop's own report for that file: {self.expect}")
        if self.found.export and self.found.export.note:
            draft.heading.append(f"{self.found.export.export_of} export: {self.found.export.note}.")
        if self.matched.ignored:
            draft.heading.append("Not used: " + ", ".join(self.matched.ignored))
        if self.others:
            draft.heading.append("Left open: " + ", ".join(one.key for one in self.others))

    def _alike(self, contract: Contract) -> str | None:
        """The sentence of a run that could not tell this contract from another one."""
        try:
            delivered = self.look.path.absolute().as_posix()
            chosen = choose_contract(
                self.look.header, {**self.known, contract.feed: contract}, feed=None, delivered=delivered
            )
        except FileRefused as refusal:
            return refusal.message
        return (
            None
            if chosen.contract.feed == contract.feed
            else f"the header fits the feed {chosen.contract.feed} better"
        )


def _check_answers(answers: Mapping[str, str]) -> None:
    for key in answers:
        if key not in _ASKED and key not in _ALSO and not key.startswith("column."):
            known = ", ".join(sorted((*_ASKED, *_ALSO)))
            raise ShopxError(f"there is no question {key}; known: {known}, column.<ours>.", exit_code=2)


def _value(key: str, text: str) -> Any:
    """An answer as the contract holds it."""
    if key in ("identity", "null_words"):
        return [part.strip() for part in text.split(",")]
    if key in ("derive", "prices_include_tax", "allow_zero_amount", "complete"):
        if text.lower() not in ("true", "false", "yes", "no"):
            raise ShopxError(f"{key}={text}: say true or false.", exit_code=2)
        return text.lower() in ("true", "yes")
    if key == "max_reject_share":
        try:
            return float(text)
        except ValueError:
            raise ShopxError(f"{key}={text}: say a share like 0.3.", exit_code=2) from None
    return text


def _worksheet(path: Path, answers: Mapping[str, str]) -> dict[str, str]:
    """The worksheet that was said, by its name or its number `sheet-2`."""
    if (said := answers.get("worksheet")) is None:
        return {}
    try:
        look(path)
    except Undecided as undecided:
        return {"worksheet": undecided.choices.get(said, {}).get("worksheet", said)}
    return {"worksheet": said}
