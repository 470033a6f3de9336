"""What each answer to "what does this delivery mean?" would change, worked out by the fold itself.

Put the before and after of a choice here; it only reads. Never which choice is right (meaning.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingestion.overlap import Comparison

if TYPE_CHECKING:
    import psycopg

    from ingestion.ledger import Load

SAYS = {
    "days": "it is complete for its days",
    "orders": "its orders are complete and replace older versions",
    "lines": "its lines replace older versions of themselves",
    "events": "every row is new",
    "match": "only rows that are not there yet are new",
}

_CURRENT = """
select
    count(*), coalesce(sum(net_cents), 0)::bigint,
    count(*) filter (where load_id = %(load)s)
from raw.current_lines(%(loads)s, %(modes)s, %(first)s, %(last)s)
"""


@dataclass(frozen=True)
class Effect:
    """Rows of the delivery that would be current, rows of others that would not be any more, and the
    change of their money in minor units."""

    added: int
    taken: int
    cents: int


def effects(
    conn: psycopg.Connection[Any], load: Load, comparison: Comparison, *, modes: Sequence[str] | None = None
) -> dict[str, Effect]:
    """The effect of `modes`, else of every meaning this delivery can have; its scopes must be noted."""
    about = {"load": load.load_id, **comparison.whole}
    before_rows, before_cents, _ = _current(conn, about)
    found = {}
    for mode in possible_modes(conn, load.load_id) if modes is None else modes:
        after = about | {"loads": [*about["loads"], load.load_id], "modes": [*about["modes"], mode]}
        rows, cents, added = _current(conn, after)
        found[mode] = Effect(added, before_rows - (rows - added), cents - before_cents)
    return found


def effect_as_it_is(conn: psycopg.Connection[Any], load: Load) -> Effect:
    """The effect of letting a delivery whose meaning is settled count with the rows that were accepted."""
    alone = Effect(load.rows_accepted, 0, load.amount_cents)
    if load.holds != "sales" or load.mode is None or load.mode == "events" or not load.rows_accepted:
        return alone
    comparison = Comparison(conn, load, first=load.first_date, last=load.last_date)
    if not comparison.neighbours:
        return alone
    return effects(conn, load, comparison, modes=[load.mode])[load.mode]


def possible_modes(conn: psycopg.Connection[Any], load_id: int) -> list[str]:
    """What a delivery with these rows can mean: orders needs order ids, lines their numbers too."""
    row = conn.execute(
        """
        select
            count(order_id) > 0, count(*) filter (where order_id is not null and line_number is not null) > 0
        from raw.sales_lines
        where load_id = %(load)s and sale_date between
            (select first_date from raw.loads where load_id = %(load)s)
            and (select last_date from raw.loads where load_id = %(load)s)
        """,
        {"load": load_id},
    ).fetchone()
    has_orders, has_lines = row or (False, False)
    return ["days", *(["orders"] if has_orders else []), *(["lines"] if has_lines else []), "events", "match"]


def sentence(load_id: int, found: Mapping[str, Effect], *, currency: str | None) -> str:
    """Every choice with its command and its effect, as a person reads it."""
    unit = f" {currency}" if currency else ""
    said = [
        f"`./shopx release {load_id} --as {mode}` ({SAYS[mode]}) adds {effect.added:,} rows"
        f"{f' and takes {effect.taken:,} older rows away' if effect.taken else ''}: "
        f"{_money(effect.cents)}{unit}."
        for mode, effect in found.items()
    ]
    return " ".join([*said, f"`./shopx withdraw {load_id}` leaves it out."])


def _current(conn: psycopg.Connection[Any], about: Mapping[str, Any]) -> tuple[int, int, int]:
    row = conn.execute(_CURRENT, about).fetchone()
    assert row is not None  # noqa: S101 - an aggregate returns a row
    return row[0], row[1], row[2]


def _money(cents: int) -> str:
    return f"{'-' if cents < 0 else '+'}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
