"""Arrow arrays seen as numpy arrays and the other way, without a copy and without pandas.

pyarrow's own conversions import pandas, which costs half a second at the first file of a process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


def values(array: pa.Array, kind: type[Any]) -> NDArray[Any]:
    """The values of a fixed-width array as numpy's `kind`; what stands at a null means nothing."""
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def known(array: pa.Array) -> NDArray[np.bool_]:
    """Where an array is not null."""
    validity = array.buffers()[0]
    if array.null_count == 0 or validity is None:
        return np.ones(len(array), bool)
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(bool)


def unscaled(decimals: pa.Array) -> pa.Array:
    """A decimal128 column as int64 in units of its last decimal: 1.500 with three decimals is 1500.

    Each must fit 64 bits, as decimals of up to 18 digits do; then the low half of the 16 bytes is the number.
    """
    import pyarrow as pa  # noqa: PLC0415

    halves = np.frombuffer(decimals.buffers()[1], np.int64)
    low = halves[2 * decimals.offset : 2 * (decimals.offset + len(decimals)) : 2]
    return array(low, pa.int64(), known=known(decimals) if decimals.null_count else None)


def byte_lengths(texts: pa.Array) -> NDArray[np.int32]:
    """Length of each string in bytes, read off the offsets; 0 where null."""
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return np.diff(offsets)


def array(numbers: NDArray[Any], kind: pa.DataType, *, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """An Arrow array of `kind` over a numpy array of the same width, null where not `known`."""
    import pyarrow as pa  # noqa: PLC0415

    validity = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(numbers), [validity, pa.py_buffer(np.ascontiguousarray(numbers))])


def texts(found: Sequence[str]) -> pa.Array:
    """An Arrow string array of texts that are known; pyarrow's own way imports pandas to ask whether it is
    one of its series."""
    import pyarrow as pa  # noqa: PLC0415

    encoded = [text.encode() for text in found]
    offsets = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def positions(numbers: NDArray[np.int64]) -> pa.Array:
    """Positions in an array, as Arrow's `take` wants them."""
    import pyarrow as pa  # noqa: PLC0415

    return array(numbers.astype(np.int64, copy=False), pa.int64())


def flags(wanted: NDArray[np.bool_]) -> pa.Array:
    """A choice of rows, as Arrow's `filter` wants it."""
    import pyarrow as pa  # noqa: PLC0415

    bits = pa.py_buffer(np.packbits(wanted, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(wanted), [None, bits])
