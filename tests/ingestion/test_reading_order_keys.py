"""Order keys: equal for equal names, different for all others, whatever the batch they stand in."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ingestion.reading.order_keys import order_keys

FNV_BASIS, FNV_PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1


def one_key(text: str, source: str) -> int:
    """The definition, byte by byte: FNV-1a, then SplitMix64's mixer, read as a signed number."""
    state = FNV_BASIS
    for byte in f"{source}\x1f{text}".encode():
        state = (state ^ byte) * FNV_PRIME & MASK
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ state >> 27) * 0x94D049BB133111EB & MASK
    state ^= state >> 31
    return state - (1 << 64) if state >> 63 else state


@given(
    st.lists(st.none() | st.text(max_size=12), min_size=1, max_size=30),
    st.integers(0, 5),
    st.text(max_size=5),
)
def test_each_key_is_the_definition_wherever_it_stands_in_a_batch(
    texts: list[str | None], skipped: int, source: str
) -> None:
    batch = pa.array(["before"] * skipped + texts, pa.string())[skipped:]
    expected = [None if text is None else one_key(text, source) for text in texts]
    assert order_keys(batch, source=source).to_pylist() == expected


def test_half_a_million_running_numbers_have_half_a_million_keys() -> None:
    keys = order_keys(pa.array([f"INV-{i:07d}" for i in range(500_000)]), source="till").to_pylist()
    assert len(set(keys)) == 500_000
