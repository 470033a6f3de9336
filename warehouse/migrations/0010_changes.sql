-- Which changes of the facts there were, and which of them each aggregate holds.
create table ops.fact_changes (
    change_no bigint generated always as identity primary key,
    build_id bigint not null references ops.builds,
    model text not null,
    is_whole boolean not null
);
comment on table ops.fact_changes is 'Each time the facts were written, numbered; the lines that changed stand in core.line_changes until every aggregate holds them. One row per build that wrote facts.';
comment on column ops.fact_changes.is_whole is 'All lines were made anew, so what is made of them cannot be told what changed.';

create table ops.applied_changes (
    model text primary key,
    change_no bigint not null references ops.fact_changes
);
comment on table ops.applied_changes is 'The last change of the facts that is in an aggregate; written in the transaction that adds it, so each is added once. One row per additive model.';
