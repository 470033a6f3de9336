"""What a feed's own past says about its next delivery: usual volume, revenue and mix, and usual columns.

Put here: measures that need earlier deliveries, as columns beside those of ops.load_metrics.
Never here: the rules (arrival_suite.py). Only what counted before the delivery is its past, so judging it
again says the same.

The past of a delivery are those of the same feed and path that count, add rows or whole days, and were first
seen before it. Medians and median absolute deviations are used because a past holds its own faults and
Black Fridays (Rousseeuw & Croux 1993: half of the values may be wrong before they move).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

if TYPE_CHECKING:
    import psycopg

WINDOW_DAYS = 182
SAME_WEEKDAYS = 8  # days of one weekday before which it has no usual value
LARGEST_DAYS = 8  # days of past before which it has no largest day
TIMES_LARGEST = 10
MIX_LOADS = 26  # deliveries looked back at
LEAST_MIX_LOADS = 8
LEAST_MIX_LINES = 100
LEAST_SHIFT = 0.2
COLUMN_LOADS = 8
LEAST_COLUMN_LOADS = 3
MAD_TO_SIGMA = 1.4826  # of a normal distribution
DIMENSIONS = {"category": "categories", "store": "stores", "channel": "channels"}

_DAYS = """
with judged as (
    select l.load_id, l.feed, l.path_values, l.delivery_no, l.first_date
    from raw.loads as l
    where
        l.load_id = any(%(loads)s) and l.holds = 'sales' and l.first_date is not null
        and coalesce(l.mode, 'events') in ('events', 'days')
),
past as (
    select
        j.load_id, d.sale_date, extract(isodow from d.sale_date)::int as weekday,
        d.line_count::float8 as lines, d.net_cents::float8 as cents
    from judged as j
    inner join raw.loads as p
        on p.feed = j.feed and p.path_values = j.path_values and p.delivery_no < j.delivery_no
        and p.status = 'approved' and p.mode in ('events', 'days')
        and p.last_date >= j.first_date - %(window)s
    inner join ops.load_days as d
        on d.load_id = p.load_id and d.sale_date between j.first_date - %(window)s and j.first_date - 1
),
usual as (
    select
        load_id, weekday,
        percentile_cont(0.5) within group (order by lines) as lines,
        percentile_cont(0.5) within group (order by cents) as cents
    from past
    group by load_id, weekday
    having count(distinct sale_date) >= %(least)s
),
spread as (
    select
        p.load_id, p.weekday,
        percentile_cont(0.5) within group (order by abs(p.lines - u.lines)) as lines,
        percentile_cont(0.5) within group (order by abs(p.cents - u.cents)) as cents
    from past as p
    inner join usual as u on u.load_id = p.load_id and u.weekday = p.weekday
    group by p.load_id, p.weekday
)
select
    d.load_id, count(*)::int as days,
    sum(d.line_count)::bigint as lines, sum(u.lines) as usual_lines, sum(s.lines) as lines_spread,
    sum(d.net_cents)::bigint as cents, sum(u.cents) as usual_cents, sum(s.cents) as cents_spread
from ops.load_days as d
inner join usual as u on u.load_id = d.load_id and u.weekday = extract(isodow from d.sale_date)
inner join spread as s on s.load_id = u.load_id and s.weekday = u.weekday
group by d.load_id
"""

_LARGEST = """
select
    j.load_id, max(m.busiest_day_lines) as lines, max(m.best_day_cents) as cents
from raw.loads as j
inner join raw.loads as p on p.feed = j.feed and p.delivery_no < j.delivery_no and p.status = 'approved'
inner join ops.load_metrics as m on m.load_id = p.load_id
where j.load_id = any(%(loads)s) and j.holds = 'sales' and m.busiest_day_lines is not null
group by j.load_id
having max(p.last_date) - min(p.first_date) + 1 >= %(least)s
"""

_MIX = """
select j.load_id, p.load_id as of_load, x.dimension, x.value, x.line_count
from raw.loads as j
cross join lateral (
    select j.load_id, j.rows_accepted
    union all
    (
        select p.load_id, p.rows_accepted
        from raw.loads as p
        where
            p.feed = j.feed and p.path_values = j.path_values and p.delivery_no < j.delivery_no
            and p.status = 'approved' and p.mode in ('events', 'days') and p.rows_accepted >= %(lines)s
        order by p.delivery_no desc
        limit %(past)s
    )
) as p
inner join ops.load_mix as x on x.load_id = p.load_id
where
    j.load_id = any(%(loads)s) and j.holds = 'sales' and j.rows_accepted >= %(lines)s
    and coalesce(j.mode, 'events') in ('events', 'days')
"""

_COLUMNS = """
select j.load_id, p.load_id as of_load, p.reading
from raw.loads as j
cross join lateral (
    select j.load_id, j.reading, j.delivery_no
    union all
    (
        select p.load_id, p.reading, p.delivery_no
        from raw.loads as p
        where
            p.feed = j.feed and p.path_values = j.path_values and p.delivery_no < j.delivery_no
            and p.status = 'approved'
        order by p.delivery_no desc
        limit %(past)s
    )
) as p
where j.load_id = any(%(loads)s)
order by j.load_id, p.delivery_no desc
"""


def compare_with_past(
    connection: psycopg.Connection[Any], load_ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Measures of each load that need its past, by load; missing ones are silent.

    Also notes what the loads brought by day, so that they are a past for the next ones.
    """
    loads = list(load_ids)
    connection.execute("select ops.note_load_days(%s)", [loads])
    found: dict[int, dict[str, Any]] = {load_id: {} for load_id in loads}
    with connection.cursor(row_factory=dict_row) as cursor:
        limits = {
            row["load_id"]: row
            for row in cursor.execute(
                "select load_id, (limits ->> 'tolerance')::float8 as tolerance from ops.load_metrics"
                " where load_id = any(%s)",
                [loads],
            )
        }
        days = cursor.execute(_DAYS, {"loads": loads, "window": WINDOW_DAYS, "least": SAME_WEEKDAYS})
        for row in days.fetchall():
            tolerance = limits.get(row["load_id"], {}).get("tolerance") or 4.0
            found[row["load_id"]] |= usual_range(row, tolerance=tolerance)
        for row in cursor.execute(_LARGEST, {"loads": loads, "least": LARGEST_DAYS}).fetchall():
            found[row["load_id"]] |= {
                "most_lines_of_a_day": TIMES_LARGEST * row["lines"],
                "most_cents_of_a_day": TIMES_LARGEST * max(row["cents"], 0) or None,
            }
        mixes = cursor.execute(_MIX, {"loads": loads, "lines": LEAST_MIX_LINES, "past": MIX_LOADS})
        for load_id, mix in _by_load(mixes.fetchall()).items():
            tolerance = limits.get(load_id, {}).get("tolerance") or 4.0
            for dimension, named in DIMENSIONS.items():
                found[load_id] |= shift_of(
                    dimension, named, _shares(mix, dimension), load_id, tolerance=tolerance
                )
        columns = cursor.execute(_COLUMNS, {"loads": loads, "past": COLUMN_LOADS})
        for load_id, rows in _by_load(columns.fetchall()).items():
            found[load_id] |= column_changes(rows[0]["reading"], [row["reading"] for row in rows[1:]])
    return found


def usual_range(row: Mapping[str, Any], *, tolerance: float) -> dict[str, Any]:
    """What the days of a delivery usually bring together, and from where to where that is not unusual.

    Spreads of days are added up as if a season moved all of them at once. A range is never narrower than from
    half to double, and less than a tenth is unusual even where the past is wild.
    """
    found: dict[str, Any] = {"days_with_past": row["days"]}
    for name, of in (("volume", "lines"), ("revenue", "cents")):
        usual = float(row[f"usual_{of}"])
        if usual <= 0:
            continue
        reach = tolerance * MAD_TO_SIGMA * float(row[f"{of}_spread"])
        found |= {
            name: row[of],
            f"{name}_usual": round(usual),
            f"{name}_low": math.floor(max(min(usual - reach, usual / 2), usual / 10)),
            f"{name}_high": math.ceil(max(usual + reach, usual * 2)),
        }
    return found


def _by_load(rows: Iterable[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["load_id"], []).append(row)
    return found


def _shares(rows: Iterable[Mapping[str, Any]], dimension: str) -> dict[int, dict[str, float]]:
    """Of each load, the share of its lines by value of a dimension."""
    counts: dict[int, dict[str, int]] = {}
    for row in rows:
        if row["dimension"] == dimension:
            counts.setdefault(row["of_load"], {})[row["value"]] = row["line_count"]
    return {
        load: {value: count / total for value, count in of_load.items()}
        for load, of_load in counts.items()
        if (total := sum(of_load.values())) >= LEAST_MIX_LINES
    }


def shift_of(
    dimension: str, named: str, shares: Mapping[int, Mapping[str, float]], load_id: int, *, tolerance: float
) -> dict[str, Any]:
    """How much of a delivery is spread unlike its past, 0 to 1, and how much is usual.

    The shift is the total variation distance from the median share of each value; the limit is what earlier
    deliveries themselves shifted. Nothing is said before eight of them, and nothing where the delivery holds
    only one store or channel that it always holds.
    """
    past = [share for load, share in shares.items() if load != load_id]
    if load_id not in shares or len(past) < LEAST_MIX_LOADS:
        return {}
    values = {value for share in [shares[load_id], *past] for value in share}
    middle = {value: median(share.get(value, 0.0) for share in past) for value in values}
    if not (total := sum(middle.values())):
        return {}
    usual = {value: share / total for value, share in middle.items()}

    def shift(share: Mapping[str, float]) -> float:
        return sum(abs(share.get(value, 0.0) - usual[value]) for value in values) / 2

    earlier = [shift(share) for share in past]
    centre = median(earlier)
    spread = MAD_TO_SIGMA * median(abs(one - centre) for one in earlier)
    now = shares[load_id]
    moved = max(values, key=lambda value: (abs(now.get(value, 0.0) - usual[value]), value))
    return {
        f"mix_{dimension}": shift(now),
        f"mix_{dimension}_limit": max(LEAST_SHIFT, centre + tolerance * spread),
        f"mix_{dimension}_says": f"{shift(now):.0%} of its lines are spread over other {named} than usual: "
        f"{_quoted(moved)} has {now.get(moved, 0.0):.0%} instead of {usual[moved]:.0%}",
    }


def column_changes(now: Mapping[str, Any], past: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Columns that came, went, or are written otherwise than in the last deliveries, newest first.

    Silent unless the last three had the same columns: a feed whose files differ anyway has no usual ones.
    """
    steady = [_header(reading) for reading in past[:LEAST_COLUMN_LOADS]]
    if len(steady) < LEAST_COLUMN_LOADS or any(header != steady[0] for header in steady) or not steady[0]:
        return {}
    known = frozenset().union(*(_header(reading) for reading in past))
    header = _header(now)
    gone, new = sorted(steady[0] - header), sorted(header - known)
    said = [
        *(f"{_listed(gone)} {'is' if len(gone) == 1 else 'are'} gone" for _ in gone[:1]),
        *(f"{_listed(new)} {'is' if len(new) == 1 else 'are'} new" for _ in new[:1]),
    ]
    retyped = 0
    for fact, words in (("date_order", "dates are written"), ("decimal_mark", "the decimal mark is")):
        before = {str(reading.get(fact)) for reading in past[:LEAST_COLUMN_LOADS]}
        if now.get(fact) and len(before) == 1 and str(now[fact]) not in before and "None" not in before:
            retyped += 1
            said.append(f'{words} "{now[fact]}" instead of "{before.pop()}"')
    return {
        "column_changes": len(gone) + len(new) + retyped,
        "column_changes_say": f"its columns differ from those before: {'; '.join(said)}" if said else None,
    }


def _header(reading: Mapping[str, Any]) -> frozenset[str]:
    columns = reading.get("columns") or {}
    used: set[str] = set()
    for name in columns.values():
        used.update([name] if isinstance(name, str) else map(str, name))
    return frozenset(used | set(reading.get("ignored") or ()))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names[:3])) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _quoted(name: str) -> str:
    return f'"{name[:40]}"'
