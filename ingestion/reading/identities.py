"""Which rows of one delivery came before: the same identity again, with the same content or another.

Put here how seen rows are remembered: two 64-bit hashes of each. Never what an identity is (the contract
says),
never rows themselves. Should two identities share a hash (a chance of 1 in 400,000 in 10 million rows), the
later
row is refused where it can be seen, never dropped.
"""

from __future__ import annotations

import tempfile
from typing import IO

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

#: Runs of more rows than this lie in a file that is already deleted, so that memory stays flat.
IN_MEMORY_ROWS = 1_000_000


class Identities:
    """What was seen, as sorted runs of (identity, content); two of like size become one, as in a merge
    tree."""

    def __init__(self, *, in_memory_rows: int = IN_MEMORY_ROWS) -> None:
        self.in_memory_rows = in_memory_rows
        self.runs: list[tuple[Hashes, Hashes]] = []

    def judge(
        self, identity: Hashes, content: Hashes, *, sound: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which rows are equal repeats, and which contradict the first sound row of their identity.

        Rows that are not sound are neither, and are not remembered: a broken row has no say about a later
        one.
        """
        repeats, contradicts = np.zeros(len(identity), bool), np.zeros(len(identity), bool)
        rows = np.flatnonzero(sound)
        # the first of each identity inside the batch: a stable sort keeps file order among equals
        order = rows[np.argsort(identity[rows], kind="stable")]
        keys = identity[order]
        is_first = np.concatenate(([True], keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, bool)
        first = order[is_first]
        expected, known = content[first].copy(), np.zeros(len(first), bool)
        for seen, contents in self.runs:
            place = np.minimum(np.searchsorted(seen, identity[first]), len(seen) - 1)
            found = seen[place] == identity[first]
            expected[found] = contents[place[found]]
            known |= found
        of = np.cumsum(is_first) - 1 if len(keys) else np.zeros(0, np.int64)
        later = ~is_first | known[of] if len(keys) else is_first
        same = content[order] == expected[of] if len(keys) else is_first
        repeats[order[later & same]] = True
        contradicts[order[later & ~same]] = True
        self._remember(identity[first[~known]], content[first[~known]])
        return repeats, contradicts

    def _remember(self, identity: Hashes, content: Hashes) -> None:
        if not len(identity):
            return
        run = (identity, content)
        while self.runs and len(self.runs[-1][0]) <= 2 * len(run[0]):
            run = self._merged(self.runs.pop(), run)
        self.runs.append(run)

    def _merged(self, one: tuple[Hashes, Hashes], other: tuple[Hashes, Hashes]) -> tuple[Hashes, Hashes]:
        keys = np.concatenate((one[0], other[0]))
        order = np.argsort(keys, kind="stable")
        contents = np.concatenate((one[1], other[1]))[order]
        return self._kept(keys[order]), self._kept(contents)

    def _kept(self, hashes: Hashes) -> Hashes:
        if len(hashes) <= self.in_memory_rows:
            return hashes
        file: IO[bytes]
        with tempfile.TemporaryFile() as file:
            hashes.tofile(file)
            file.flush()
            return np.memmap(file, np.uint64, mode="r", shape=hashes.shape)
