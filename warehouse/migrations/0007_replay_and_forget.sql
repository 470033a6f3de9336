-- Deliveries that are read again, corrections of single rows that are read with them, and erased persons.

alter table raw.loads add column replays bigint references raw.loads;
comment on column raw.loads.replays is 'The load whose bytes were read again as this one, under its delivery_no; that one is withdrawn.';
create index loads_delivery on raw.loads (delivery_no);

create table raw.row_fixes (
    fix_id bigint generated always as identity primary key,
    delivery_no bigint not null,
    line_number bigint not null,
    sheet_row bigint not null,
    raw_sha256 text not null,
    cells text[] not null,
    file_name text not null,
    file_sha256 text not null,
    fixed_by text not null,
    fixed_at timestamptz not null default now()
);
comment on table raw.row_fixes is 'Corrections of refused rows, append-only; of several for one row the newest holds. One row per corrected row and workbook.';
comment on column raw.row_fixes.line_number is 'With sheet_row: the row in the delivered file, as in raw.rejected_rows.';
comment on column raw.row_fixes.raw_sha256 is 'Hash of the row''s bytes as delivered; a correction holds for these bytes only.';
comment on column raw.row_fixes.cells is 'The whole row as it should be, one text per column of the header.';
comment on column raw.row_fixes.file_name is 'The workbook it came in.';
create index row_fixes_delivery on raw.row_fixes (delivery_no, line_number, sheet_row, fix_id);

-- A workbook of corrections belongs to one warehouse.
insert into ops.settings (name, value) values ('warehouse_id', gen_random_uuid()::text);

-- Persons who were erased: that it was done, never who.

alter table raw.loads add column archived_sha256 text check (archived_sha256 ~ '^[0-9a-f]{64}$');
comment on column raw.loads.archived_sha256 is 'Hash of the archived bytes after a person was erased from them; null: the bytes as delivered. content_sha256 stays, so that the same file is known again.';

create table ops.forgotten (
    forget_id bigint generated always as identity primary key,
    person_sha256 text not null,
    sales_lines bigint not null,
    master_rows bigint not null,
    refused_rows bigint not null,
    files_rewritten bigint not null,
    files_removed bigint not null,
    forgotten_by text not null,
    forgotten_at timestamptz not null default now()
);
comment on table ops.forgotten is 'Erasures of persons. person_sha256 is salted with a secret that is not kept: two rows cannot be compared. One row per erasure.';
