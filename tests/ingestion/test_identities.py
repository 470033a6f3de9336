"""Rows that come again inside one delivery, whatever the batches they come in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.reading.identities import Identities

ROW = st.tuples(st.integers(0, 8), st.integers(0, 2), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, max_size=60), cuts=st.sets(st.integers(0, 60)), in_memory=st.sampled_from([0, 1_000])
)
def test_the_first_sound_row_of_an_identity_counts(
    rows: list[tuple[int, int, bool]], cuts: set[int], in_memory: int
) -> None:
    first: dict[int, int] = {}
    expected = []
    for identity, content, sound in rows:
        expected.append(
            "" if not sound or identity not in first else "=" if first[identity] == content else "x"
        )
        if sound:
            first.setdefault(identity, content)

    seen, found = Identities(in_memory_rows=in_memory), []
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for start, end in pairwise(edges):
        part = rows[start:end]
        repeats, contradicts = seen.judge(
            np.array([row[0] for row in part], np.uint64),
            np.array([row[1] for row in part], np.uint64),
            sound=np.array([row[2] for row in part], bool),
        )
        found += ["=" if r else "x" if c else "" for r, c in zip(repeats, contradicts, strict=True)]
    assert found == expected
