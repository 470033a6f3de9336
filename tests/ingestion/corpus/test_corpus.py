"""Bad and odd inputs, each with what must become of it. A case harms nothing: a sound file of the same call
still loads, and none hangs."""

from __future__ import annotations

import os
import re
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.arrival import run_arrival_gate
from ingestion import deciding, landing
from ingestion.contract import Contract, load_contracts
from ingestion.inbox import clear_landed
from ingestion.landing import land
from ingestion.reading import opening as reading_opening
from tests.ingestion.corpus import containers, encodings, opening, overlaps, structure, values
from tests.ingestion.corpus.cases import Case, lines
from tests.ingestion.corpus.opening import NAMES
from warehouse.database import Warehouse

TODAY = date(2026, 3, 1)
MOST_SECONDS = 30
TOPICS = (encodings, containers, structure, values, overlaps, opening)
CASES = [case for topic in TOPICS for case in topic.CASES]
SOUND = b"companion,beside,worth\n%d,2026-01-05,1.00\n"


@dataclass(frozen=True)
class Became:
    """What became of a case and of the sound file beside it. `status` is the ledger's or `refused`."""

    status: str
    reason: str
    sentence: str
    accepted: int
    cents: int
    rejected: Mapping[str, int]
    kept: int
    companion: int
    seconds: float


def contracts_of(case: Case, source: str) -> tuple[dict[str, Contract], str | None]:
    """The shipped contracts with a source of the case's own, and the feed it names where it changes one."""
    known = {
        name: one.model_copy(update={"source": source})
        for name, one in load_contracts().items()
        if one.builtin
    }
    sales = known["sales_csv"].model_dump()
    names = {"date": "beside", "product_name": "companion", "amount": "worth"}
    known["companion"] = Contract.model_validate(
        sales
        | {"feed": "companion", "builtin": False, "source": "companion", "delivers": "events"}
        | {"columns": {ours: {"names": [theirs]} for ours, theirs in names.items()}}
    )
    if not case.contract:
        return known, None
    known["till"] = Contract.model_validate(
        sales | {"feed": "till", "builtin": False} | _all_optional(sales) | dict(case.contract)
    )
    return known, "till"


def _all_optional(sales: Mapping[str, Any]) -> dict[str, Any]:
    needed = ("date", "product_name", "amount")
    return {"columns": {n: c | {"optional": n not in needed} for n, c in sales["columns"].items()}}


@pytest.fixture(scope="module")
def became(
    euro_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Became]]:
    """Every case landed by a call of its own, and all of them judged by the gate."""
    with pytest.MonkeyPatch.context() as patch:
        yield _land_all(euro_warehouse, tmp_path_factory.mktemp("corpus"), patch)


def _land_all(warehouse: Warehouse, place: Path, patch: pytest.MonkeyPatch) -> dict[str, Became]:
    found: dict[str, tuple[int | None, int | None, str, float]] = {}
    for number, case in enumerate(CASES):
        source = f"case_{number}"
        known, feed = contracts_of(case, source)
        for module in (landing, reading_opening):
            patch.setattr(module, "load_contracts", lambda known=known: known)
        for place_in_order, content in enumerate(case.earlier):
            earlier = place / f"{number}-{place_in_order}.csv"
            earlier.write_bytes(content)
            land(warehouse, [earlier], feed=feed, today=TODAY)
            _approve(warehouse, source)
        found[case.name] = _land(warehouse, place, number, case, feed)
    with warehouse.connect("owner") as conn:
        waiting = conn.execute("select load_id from raw.loads where status = 'landed'").fetchall()
    run_arrival_gate(warehouse, [load_id for (load_id,) in waiting])
    return _look(warehouse, found)


def _land(
    warehouse: Warehouse, place: Path, number: int, case: Case, feed: str | None
) -> tuple[int | None, int | None, str, float]:
    """Load of the case and of the file beside it, the sentence of a refusal, seconds."""
    folder = (warehouse.settings.inbox if case.in_inbox else place) / str(number)
    folder.mkdir(parents=True)
    if callable(case.content):
        path = case.content(folder)
    else:
        path = folder / case.file
        path.write_bytes(case.content)
        os.utime(path, (1_000, 1_000))
    beside = place / f"companion-{number}.csv"
    if case.verdict == "load":  # what is sound harms nothing
        beside = path
    else:
        beside.write_bytes(SOUND % number)
    start = time.perf_counter()
    try:
        given = [path] if feed or beside == path else [path, beside]  # --feed is for all files of a call
        result = land(warehouse, given, feed=feed, today=TODAY)
        seconds = time.perf_counter() - start
        if feed is not None and beside != path:
            result.landed.extend(land(warehouse, [beside], today=TODAY).landed)
    except Exception:  # one case must not hide the others
        return None, None, traceback.format_exc(), time.perf_counter() - start
    by_path = {item.path: item.load_id for item in result.landed if item.path}
    sentence = next((one.sentence for one in result.refused), "")
    assert len(result.refused) <= 1, result.refused
    return by_path.get(path), by_path.get(beside), sentence, seconds


def _approve(warehouse: Warehouse, source: str) -> None:
    with warehouse.connect() as conn, conn.transaction():
        waiting = conn.execute(
            "select load_id from raw.loads where status = 'landed' and source = %s", [source]
        ).fetchall()
        for (load_id,) in waiting:
            deciding.decide(conn, load_id, status="approved", by="gate")


def _look(
    warehouse: Warehouse, found: Mapping[str, tuple[int | None, int | None, str, float]]
) -> dict[str, Became]:
    with warehouse.connect("owner") as conn:
        loads = {
            row[0]: row[1:]
            for row in conn.execute(
                "select load_id, status, coalesce(held_reason, ''), coalesce(held_message, ''),"
                " rows_accepted, amount_cents from raw.loads"
            ).fetchall()
        }
        codes: dict[int, Counter[str]] = {}
        for load_id, code, rows in conn.execute(
            "select load_id, unnest(reasons), count(*) from raw.rejected_rows group by 1, 2"
        ).fetchall():
            codes.setdefault(load_id, Counter())[code] = rows
        kept = dict(
            conn.execute(
                """
                select l.source, sum(r.net_cents)::bigint
                from raw.current_lines(
                    (select array_agg(load_id order by load_id) from raw.loads where status = 'approved'),
                    (select array_agg(mode order by load_id) from raw.loads where status = 'approved'),
                    '1970-01-01', '2100-01-01') r join raw.loads l using (load_id)
                group by 1
                """
            ).fetchall()
        )
    became = {}
    for number, (name, (load, beside, sentence, seconds)) in enumerate(found.items()):
        status, reason, message, accepted, cents = loads[load] if load else ("refused", "", "", 0, 0)
        if sentence:
            codes_seen = re.findall(r"\[([A-Z0-9_]+)\]$", sentence)
            reason = codes_seen[0] if codes_seen else "no code"
        became[name] = Became(
            status, reason, sentence or message, accepted, cents, codes.get(load or 0, Counter()),
            kept.get(f"case_{number}", 0), loads[beside][3] if beside else 0, seconds,
        )  # fmt: skip
    return became


STATUS = {"load": "approved", "hold": "held", "duplicate": "duplicate", "refused": "refused"}


@pytest.mark.parametrize("case", CASES, ids=[re.sub(r"[^\w ,.'-]", "?", case.name) for case in CASES])
def test_what_becomes_of_it(became: dict[str, Became], case: Case) -> None:
    one = became[case.name]
    seen = (one.status, one.reason, one.accepted, one.cents, dict(one.rejected))
    expected = (STATUS[case.verdict], case.reason, case.accepted, case.cents, dict(case.rejected))
    assert seen == expected, one.sentence
    if case.verdict != "load":
        assert one.companion == 1
    if case.kept is not None:
        assert one.kept == case.kept
    elif case.verdict == "load":
        assert one.kept == case.cents
    if case.verdict in ("hold", "refused"):
        assert re.search(r"[a-z]{3}", one.sentence), "no sentence that says what to do"
        assert "Traceback" not in one.sentence


def test_each_ends_within_seconds(became: dict[str, Became]) -> None:
    assert [(name, one.seconds) for name, one in became.items() if one.seconds > MOST_SECONDS] == []


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 120
    assert len({case.name for case in CASES}) == len(CASES)


def test_any_file_name_survives(euro_warehouse: Warehouse) -> None:
    """To the ledger, the archive, the list of refused rows, and out of the inbox again."""
    inbox = euro_warehouse.settings.inbox / "names"
    inbox.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (inbox / name).write_bytes(
            lines(f"N{number},2026-01-05,Mug,1,2.50,2.50", f"X{number},never,Mug,1,1,1")
        )
    result = land(euro_warehouse, [inbox], today=TODAY)
    assert result.refused == []
    landed = {item.delivered_name: item for item in result.landed if item.path and item.path.parent == inbox}
    assert set(landed) == set(NAMES)
    assert {(item.rows_accepted, item.rows_rejected) for item in landed.values()} == {(1, 1)}
    with euro_warehouse.connect("owner") as conn:
        kept = conn.execute(
            "select delivered_name, content_sha256, r.messages[1] from raw.loads join raw.rejected_rows r"
            " using (load_id) where load_id = any(%s)",
            [[item.load_id for item in landed.values()]],
        ).fetchall()
    assert {name for name, _, _ in kept} == set(NAMES)
    archive = euro_warehouse.settings.archive
    assert all((archive / sha[:2] / sha).is_file() for _, sha, _ in kept)
    assert all("DATE_FORMAT" in message for _, _, message in kept)
    assert len(clear_landed(euro_warehouse.settings.inbox, result)) == len(NAMES)
    assert list(inbox.iterdir()) == []
