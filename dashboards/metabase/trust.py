"""The trust strip as a card of Metabase: the line of every page, made in SQL because Metabase asks by itself.

Put here: that card. Never here: the line of all other surfaces (dashboards/answers/trust.py); a test
compares both.
"""

from __future__ import annotations

from dashboards.metabase.wanted import WantedCard

TRUST_HEIGHT = 2
KEY = "trust_strip"

_SQL = """
with parts as (
    select
        p.publication_id,
        p.as_of,
        p.published_at at time zone '{time_zone}' as published_at,
        t.rows_rejected,
        t.held_loads,
        t.is_reconciled,
        'FM999,999,999,990' as whole,
        100.0 * t.rows_rejected / greatest(t.rows_delivered, 1) as rejected_pct,
        t.rows_delivered,
        count(h.feed) as feeds,
        count(h.feed) filter (where not h.is_behind) as feeds_in
    from marts.publication as p
    inner join ops.publication_trust as t on p.publication_id = t.publication_id
    left join ops.pipeline_health as h on h.holds = 'sales'
    group by p.publication_id, t.rows_rejected, t.held_loads, t.is_reconciled, t.rows_delivered
)

select
    concat_ws(
        ' · ',
        (
            select 'PUBLICATION IS PAUSED: ' || why || ' (figures of publication ' || figures_of || ')'
            from ops.publication_pause
        ),
        'Sales to ' || to_char(as_of, 'Dy FMDD Mon YYYY'),
        'published ' || to_char(published_at, 'FMDD Mon YYYY HH24:MI'),
        feeds_in || ' of ' || feeds || ' feeds in',
        case
            when rows_rejected = 0 then 'no rows refused'
            else to_char(rows_rejected, whole) || ' of ' || to_char(rows_delivered, whole)
                || ' rows refused (' || to_char(rejected_pct, 'FM990.0') || chr(160) || '%)'
        end,
        case
            when held_loads = 1 then '1 delivery held'
            when held_loads > 1 then held_loads || ' deliveries held'
        end,
        case when is_reconciled then 'ledger = marts' when not is_reconciled then 'ledger ≠ marts' end,
        '{time_zone}',
        'publication ' || publication_id
    ) as trust
from parts
"""


def trust_card(time_zone: str) -> WantedCard:
    """Return the card; `time_zone` is the shop's, a name of the tz database."""
    return WantedCard(
        key=KEY,
        name="How far, how fresh, how complete",
        description="The publication that every figure here belongs to. marts.publication",
        display="table",
        sql=_SQL.strip().replace("{time_zone}", time_zone.replace("'", "''")),
        settings={
            "table.columns": [{"name": "trust", "enabled": True}],
            "column_settings": {'["name","trust"]': {"column_title": "Figures you can trust"}},
        },
    )
