-- Stepping back to the publication before pauses publication until a person resumes it.
create table ops.pauses (
    pause_id bigint generated always as identity primary key,
    paused_at timestamptz not null default now(),
    paused_by text not null,
    why text not null,
    stepped_back_from bigint not null references ops.publications,
    figures_of bigint not null references ops.publications,
    publication_id bigint not null references ops.publications,
    resumed_at timestamptz,
    resumed_by text
);
create unique index pauses_one_open on ops.pauses ((true)) where resumed_at is null;
comment on table ops.pauses is 'Each time a publication was taken back: which, whose figures are shown instead and under which new id, and how long nothing else was published. One row per pause.';

create view ops.publication_pause as
select paused_at, paused_by, why, stepped_back_from, figures_of, publication_id
from ops.pauses
where resumed_at is null;
comment on view ops.publication_pause is 'Why nothing is being published, and whose figures readers see meanwhile. One row while publication is paused, else none.';

-- taking a publication back leaves something to publish, even where no delivery is pending
alter table ops.changes drop constraint changes_kind_check;
alter table ops.changes add constraint changes_kind_check
check (kind in ('approve', 'release', 'withdraw', 'replay', 'master_data', 'step_back'));
