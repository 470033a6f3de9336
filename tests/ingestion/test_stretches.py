"""The walk over a file in stretches: the same records as one line after the other, every byte once, in linear
time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.reading import stretches as module
from ingestion.reading.stretches import stretches
from ingestion.reading.tokens import Grammar, take
from ingestion.refusals import FileRefused

PLAIN = Grammar(",", b"\n", "utf-8", 3, date_position=0)
SHAPES = st.sampled_from(
    [
        PLAIN,
        PLAIN._replace(quote="'"),
        PLAIN._replace(quote=""),
        PLAIN._replace(backslash=True),
        PLAIN._replace(shortest=2),
        PLAIN._replace(newline=b"\r"),
        PLAIN._replace(encoding="cp1252"),
        PLAIN._replace(delimiter=";"),
    ]
)
PIECES = st.sampled_from(
    [b"a", b"12", b",", b",", b",", b'"', b'"', b'""', b'","', b"'", b";", b"\n", b"\n", b"\r\n", b"\r", b" ",
     b"\\", b'\\"', b"\0", b"\x1f", b"\xe9", "é".encode(), b"2026-01-05,x,1\n", b'2026-01-05,"x\ny",1\n']
)  # fmt: skip
Found = list[tuple[int | bytes | str | None, ...]]


def one_by_one(data: bytes, grammar: Grammar) -> Found:
    """The same walk without vectors: each record is cut where the last one ended."""
    lines = data.split(grammar.newline)
    lines = [line + grammar.newline for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    found: Found = []
    at, offset = 0, 0
    while at < len(lines):
        rest = lines[at:]
        taken, cut = take(lambda n, rest=rest: rest[n] if n < len(rest) else None, grammar)  # type: ignore[misc]
        found.append((at + 1, len(found) + 1, offset, cut.raw, cut.text or "", cut.reason))
        offset += sum(map(len, lines[at : at + taken]))
        at += taken
    return found


def by_stretches(path: Path, grammar: Grammar) -> Found:
    found: Found = []
    for stretch in stretches(path, grammar=grammar, lines_before=0, has_header=False, start=0):
        texts = stretch.texts.to_pylist()
        found += [
            (
                *(int(a[i]) for a in (stretch.lines, stretch.sheet_rows, stretch.offsets)),
                stretch.raw(i), texts[i], stretch.uncut.get(i),
            )
            for i in range(len(stretch))
        ]  # fmt: skip
    return found


def write(folder: Path, data: bytes) -> Path:
    path = folder / "sales.csv"
    path.write_bytes(data)
    return path


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=60), grammar=SHAPES, chunk=st.sampled_from([7, 50, 4096]))
def test_stretches_are_the_records_one_by_one(
    tmp_path: Path, pieces: list[bytes], grammar: Grammar, chunk: int
) -> None:
    data = b"".join(pieces)
    path = write(tmp_path, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        patch.setattr(module, "BATCH_ROWS", 3 if chunk == 50 else 50_000)
        assert by_stretches(path, grammar) == one_by_one(data, grammar)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, min_size=1, max_size=40), grammar=SHAPES)
def test_every_byte_belongs_to_one_record_or_is_a_line_end(
    tmp_path: Path, pieces: list[bytes], grammar: Grammar
) -> None:
    data = b"".join(pieces)
    at = 0
    for _, _, offset, raw, _, _ in by_stretches(write(tmp_path, data), grammar):
        assert isinstance(offset, int)
        assert isinstance(raw, bytes)
        assert data[at:offset].strip(b"\r\n") == b""
        assert data[offset : offset + len(raw)] == raw
        at = offset + len(raw)
    assert data[at:].strip(b"\r\n") == b""


@pytest.mark.parametrize(
    "line",
    [
        b'2026-01-05,"tea,1.00\n',
        b'2026-01-05,tea"",1.00\n',
        b'2026-01-05,"""tea,1.00\n',
        b'"\n',
        b'""\n',
        b'2026-01-05,5" pipe,1.00\n',
    ],
)
def test_thousands_of_broken_quotes_cost_linear_time(tmp_path: Path, line: bytes) -> None:
    took = []
    for count in (4_000, 16_000):
        path = write(tmp_path, b'x,"open\n' + line * count)
        started = time.process_time()
        assert sum(map(len, stretches(path, grammar=PLAIN, lines_before=0, has_header=False, start=0)))
        took.append(time.process_time() - started)
    assert took[1] < 12 * took[0] + 0.5  # quadratic: 16 times, and minutes rather than tenths of a second


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_LINE", 1 << 20)
    path = write(tmp_path, b"a,b,c\n" + b"x" * (9 << 20))
    with pytest.raises(FileRefused, match=r"line 2.*LINE_TOO_LONG"):
        list(stretches(path, grammar=PLAIN, lines_before=0, has_header=False, start=0))
