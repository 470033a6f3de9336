-- What stands beside the figures on every page: of what the publication that readers see is made.
create view ops.publication_trust as
select
    p.publication_id,
    (select s.value from ops.settings as s where s.name = 'currency') as currency,
    count(l.load_id) as loads,
    coalesce(sum(l.rows_delivered), 0)::bigint as rows_delivered,
    coalesce(sum(l.rows_rejected), 0)::bigint as rows_rejected,
    (
        select bool_and(r.difference_cents = 0)
        from ops.reconciliation as r
        where r.build_id = (select o.build_id from ops.publications as o where o.publication_id = p.publication_id)
    ) as is_reconciled,
    (select count(*) from raw.loads as h where h.status = 'held') as held_loads
from marts.publication as p
left join ops.publication_loads as c on c.publication_id = p.publication_id
left join raw.loads as l on l.load_id = c.load_id
group by p.publication_id;
comment on view ops.publication_trust is 'The deliveries behind the publication that readers see, and whether ledger and marts agreed when it was made. One row, or none before the first.';
