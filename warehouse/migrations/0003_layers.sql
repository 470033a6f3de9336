-- The layers dbt and publication write to. Tables in them are made by dbt (staging, core, marts_next) and by publication (marts, marts_previous).
create schema staging;
create schema core;
create schema marts_next;
create schema marts;
create schema marts_previous;

create table marts.publication (
    publication_id bigint primary key,
    published_at timestamptz not null,
    as_of date not null,
    complete_through date not null,
    loads bigint not null,
    held_loads bigint not null,
    rejected_rows bigint not null
);
comment on table marts.publication is 'The publication that every mart in this schema belongs to. One row, or none before the first.';
create table marts_previous.publication (like marts.publication including all);
