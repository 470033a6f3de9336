"""The promises of the warehouse as queries that find the first thing that breaks them.

Put here: checks of rows and sums, in SQL of their own: nothing is shared with the models, the loader or the
audit, so an error there cannot hide itself here. A query returns no row while its promise holds.
Never here: running them (verify.py) or checks of the database's own state (debris.py).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One promise: `holds` says it, `breaks` is a template over the first row that `query` returns.

    `needs` names what must exist for the check to mean anything: "core" (the facts were built),
    "published", or "level" (facts and marts are of the same build; after a failed audit core is ahead).
    """

    promise: str
    holds: str
    breaks: str
    query: str
    needs: str = ""


# The fold anew, by windows. `standing`: lines that no later delivery of their source replaces by order, line
# or day. Equal lines are replaced together, so those that stand came after their last replacement: n of them
# in a match delivery add what exceeds those it met, which are the `a` that other deliveries had added, and
# whatever an earlier match delivery j had raised them by: a + max(0, n(j) - a(j)).
CURRENT = """
    with counting as (
        select
            b.*,
            bool_or(b.mode <> 'events') over (partition by b.source) as is_judged,
            bool_or(b.mode = 'match') over (partition by b.source) as is_matched
        from ops.build_loads as b
        where b.build_id = %(core_build)s
    ),
    -- where every delivery is only added, every line stands; the others are kept narrow for the sorts below
    delivered as (
        select
            r.load_id, r.order_line_key, r.order_key, r.order_id, r.line_number, r.sale_date, r.line_type,
            r.quantity_thousandths, r.gross_cents, r.discount_cents, r.net_cents,
            c.source, c.delivery_no, c.mode, c.is_matched, coalesce(r.store, '') as shop,
            case when c.is_matched then concat_ws(
                chr(31), case when r.order_id is null then '-' else '+' || r.order_key end,
                r.line_number, '/', r.sale_date, extract(epoch from r.sold_at), r.line_type, '/',
                r.product_id, '/', r.product_name, '/', r.customer_id, '/', r.store, '/',
                r.quantity_thousandths, r.gross_cents, r.discount_cents, r.net_cents
            ) end as line
        from raw.sales_lines as r
        inner join counting as c on c.load_id = r.load_id
        where c.is_judged
    ),
    renewed as (
        select d.source, d.shop, d.sale_date, max(b.delivery_no) as renewed_by
        from (select distinct source, shop, sale_date from delivered) as d
        inner join counting as b on b.source = d.source and b.mode = 'days'
        inner join raw.load_scopes as s on s.load_id = b.load_id
        where d.sale_date >= s.first_date and d.sale_date <= s.last_date
            and coalesce(s.store, d.shop) = d.shop
        group by d.source, d.shop, d.sale_date
    ),
    judged as (
        select
            d.*,
            greatest(
                w.renewed_by,
                max(d.delivery_no) filter (where d.mode = 'orders' and d.order_id is not null)
                    over (partition by d.source, d.order_key),
                case when d.order_id is not null and d.line_number is not null then
                    max(d.delivery_no) filter (where d.mode in ('days', 'lines') and d.order_id is not null)
                        over (partition by d.source, d.order_key, d.line_number)
                end
            ) as newest
        from delivered as d
        left join renewed as w using (source, shop, sale_date)
    ),
    standing as (
        select * from judged where newest is null or delivery_no >= newest
    ),
    numbered as (
        select
            *,
            row_number() over (partition by source, line, load_id order by order_line_key) as copy,
            count(*) over (partition by source, line, load_id) as n,
            count(*) filter (where mode <> 'match') over (
                partition by source, line order by delivery_no range unbounded preceding exclude group
            ) as a
        from standing
        where is_matched
    ),
    raised as (
        select
            *,
            a + greatest(0, max(n - a) filter (where mode = 'match') over (
                partition by source, line order by delivery_no range unbounded preceding exclude group
            )) as met
        from numbered
    )
    select
        r.load_id, r.order_line_key, r.order_id, r.sale_date, r.line_type, r.quantity_thousandths,
        r.gross_cents, r.discount_cents, r.net_cents
    from raw.sales_lines as r
    inner join counting as c on c.load_id = r.load_id
    where not c.is_judged
    union all
    select
        load_id, order_line_key, order_id, sale_date, line_type, quantity_thousandths, gross_cents,
        discount_cents, net_cents
    from standing
    where not is_matched
    union all
    select
        load_id, order_line_key, order_id, sale_date, line_type, quantity_thousandths, gross_cents,
        discount_cents, net_cents
    from raised
    where mode <> 'match' or copy > met
"""

LEDGER = [
    Check(
        "I1",
        "every delivered row is accepted, refused or a repeat",
        "load {load_id} ({name}) delivered {delivered:,} rows; stored are {accepted:,} accepted, "
        "{rejected:,} refused and {duplicate:,} repeats",
        """
        select
            l.load_id, l.delivered_name as name, l.rows_delivered as delivered, coalesce(a.n, 0) as accepted,
            coalesce(r.n, 0) as rejected, l.rows_duplicate as duplicate
        from raw.loads as l
        left join (select load_id, row_count as n from raw.stored_rows) as a using (load_id)
        left join (select load_id, count(*) as n from raw.rejected_rows group by load_id) as r using (load_id)
        where l.rows_accepted <> coalesce(a.n, 0) or l.rows_rejected <> coalesce(r.n, 0)
            or l.rows_delivered <> coalesce(a.n, 0) + coalesce(r.n, 0) + l.rows_duplicate
        order by l.load_id limit 1
        """,
    ),
    Check(
        "I1",
        "the ledger's money is the money of the stored rows",
        "load {load_id} ({name}): the ledger says {ledger:,} cents, its rows add up to {stored:,}",
        """
        select l.load_id, l.delivered_name as name, l.amount_cents as ledger, coalesce(a.cents, 0) as stored
        from raw.loads as l
        left join (select load_id, sum(net_cents) as cents from raw.sales_lines group by load_id) as a
            using (load_id)
        where l.amount_cents <> coalesce(a.cents, 0)
        order by l.load_id limit 1
        """,
    ),
    Check(
        "I1",
        "every stored row belongs to a delivery that landed",
        "load {load_id} has {rows:,} stored rows, but the ledger says {status}",
        """
        select r.load_id, r.row_count as rows, coalesce(l.status, 'nothing about it') as status
        from raw.stored_rows as r
        left join raw.loads as l using (load_id)
        where l.load_id is null or l.status in ('landing', 'duplicate', 'failed')
        order by r.load_id limit 1
        """,
    ),
]

MONEY = [
    Check(
        "I2",
        "each current raw line is one fact line, to the cent, and there are no others",
        "order {order_id} (load {load_id}, line key {line_key}, {day}): raw says {raw_net} cents, "
        "the fact {fact_net}",
        f"""
        select
            coalesce(c.order_id, f.order_id, '(none)') as order_id, load_id,
            order_line_key as line_key, coalesce(c.sale_date, f.sale_date) as day,
            coalesce(c.net_cents::text, 'nothing') as raw_net, coalesce(f.net_cents::text, 'nothing') as
            fact_net
        from ({CURRENT}) as c
        full join core.fct_order_lines as f using (load_id, order_line_key)
        where (c.sale_date, c.line_type, c.gross_cents, c.discount_cents, c.net_cents, c.quantity_thousandths)
            is distinct from
            (f.sale_date, f.line_type, f.gross_cents, f.discount_cents, f.net_cents, f.quantity * 1000)
        order by day, order_line_key limit 1
        """,  # noqa: S608
        needs="core",
    ),
    Check(
        "I2",
        "daily_sales is the sum of its day's revenue lines",
        "{day}: daily_sales says gross {m_gross}, discounts {m_discounts}, returns {m_returns}, "
        "net {m_net} cents; the facts say {f_gross}, {f_discounts}, {f_returns}, {f_net}",
        """
        select
            sale_date as day, m.gross_sales_cents as m_gross, m.discounts_cents as m_discounts,
            m.returns_cents as m_returns, m.net_sales_cents as m_net, f.gross as f_gross,
            f.discounts as f_discounts, f.returns as f_returns, f.net as f_net
        from marts.daily_sales as m
        full join (
            select
                sale_date,
                sum(case when line_type = 'sale' then gross_cents else 0 end) as gross,
                sum(case when line_type = 'sale' then discount_cents else 0 end) as discounts,
                sum(case when line_type = 'return' then net_cents else 0 end) as returns,
                sum(net_cents) as net
            from core.fct_order_lines where counts_as_revenue group by sale_date
        ) as f using (sale_date)
        where (m.gross_sales_cents, m.discounts_cents, m.returns_cents, m.net_sales_cents)
            is distinct from (f.gross, f.discounts, f.returns, f.net)
        order by sale_date limit 1
        """,
        needs="level",
    ),
    Check(
        "I2",
        "hours add up to their day",
        "{day}: hourly_sales adds up to {hours} cents, daily_sales says {total}",
        """
        select sale_date as day, h.net as hours, d.net_sales_cents as total
        from marts.daily_sales as d
        full join (
            select sale_date, sum(net_sales_cents) as net from marts.hourly_sales group by sale_date
        ) as h using (sale_date)
        where h.net is distinct from d.net_sales_cents
        order by sale_date limit 1
        """,
        needs="published",
    ),
    Check(
        "I2",
        "products add up to all days",
        "product_performance adds up to {products} cents, daily_sales to {days}",
        """
        select * from (
            select
                (select sum(net_sales_cents) from marts.product_performance) as products,
                (select sum(net_sales_cents) from marts.daily_sales) as days
        ) as t where products is distinct from days
        """,
        needs="published",
    ),
    Check(
        "I2",
        "the sums the published build was reconciled by agree",
        "build {build_id}: {identity} for {scope}: expected {expected:,}, found {actual:,} cents",
        """
        select r.build_id, r.identity, r.scope, r.expected_cents as expected, r.actual_cents as actual
        from ops.reconciliation as r
        where r.build_id = %(published_build)s and r.difference_cents <> 0
        union all
        select %(published_build)s, 'no sum at all', 'total', 0, 0
        where not exists (select from ops.reconciliation as r where r.build_id = %(published_build)s)
        order by 2, 3 limit 1
        """,
        needs="published",
    ),
    Check(
        "I3",
        "no line stands in the facts twice",
        "order {order_id}, line key {line_key} (load {load_id}) stands there {copies} times",
        """
        select
            coalesce(min(order_id), '(none)') as order_id, order_line_key as line_key, load_id,
            count(*) as copies
        from core.fct_order_lines
        group by load_id, order_line_key
        having count(*) > 1
        order by order_line_key limit 1
        """,
        needs="core",
    ),
]

PUBLISHED = [
    Check(
        "I6",
        "the marts belong to the newest publication, and to one only",
        "marts.publication holds {marts}, the newest publication is {newest}",
        """
        select * from (
            select
                (select string_agg(publication_id::text, ', ') from marts.publication) as marts,
                (select max(publication_id)::text from ops.publications) as newest
        ) as t where marts is distinct from newest
        """,
    ),
    Check(
        "I7",
        "the facts hold only rows of deliveries that were approved for their build",
        "load {load_id} ({name}, {status}) has {rows:,} rows in the facts, but was not among the loads "
        "of build {build_id}",
        """
        select
            f.load_id, coalesce(min(l.delivered_name), 'unknown') as name, coalesce(min(l.status),
            'unknown') as status, count(*) as rows, %(core_build)s::bigint as build_id
        from core.fct_order_lines as f
        left join raw.loads as l using (load_id)
        where not exists (
            select from ops.build_loads as b where b.build_id = %(core_build)s and b.load_id = f.load_id
        )
        group by f.load_id order by f.load_id limit 1
        """,
        needs="core",
    ),
    Check(
        "I7",
        "every rule that judged the publication before has judged this one too",
        "{kind} {name} judged build {before} and did not judge build {build_id}; where that was meant, the "
        "next publication settles it",
        """
        with published as (
            select build_id, row_number() over (order by publication_id desc) as place
            from ops.publications where kind = 'publish' and build_id is not null
        )
        select r.kind, r.name, b.build_id as before, n.build_id
        from published as n
        inner join published as b on b.place = 2
        inner join ops.audit_results as r on r.build_id = b.build_id and r.kind in ('dbt', 'expectation')
        where n.place = 1
            and not exists (
                select from ops.audit_results as t
                where t.build_id = n.build_id and t.kind = r.kind and t.name = r.name
            )
        order by r.kind desc, r.name limit 1
        """,
        needs="published",
    ),
    Check(
        "I7",
        "each published delivery was approved by the gate or released by a person",
        "load {load_id} ({name}) is in publication {publication_id} though nothing approved it",
        """
        select p.load_id, l.delivered_name as name, p.publication_id
        from ops.publication_loads as p
        inner join raw.loads as l using (load_id)
        where p.publication_id = (select max(publication_id) from ops.publications)
            and not exists (
                select from ops.changes as c
                where c.load_id = p.load_id and c.kind in ('approve', 'release', 'replay', 'master_data')
            )
        order by p.load_id limit 1
        """,
    ),
]
