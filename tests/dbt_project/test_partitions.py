"""Tables in monthly partitions: made, filled, made anew, widened and interrupted, in a project of two models.

Put here: what `partition_by` promises, with dbt's own materializations.
Never here: the warehouse's own models.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from warehouse.database import Warehouse

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SETTINGS = """
name: months
version: "1.0.0"
profile: shopx
model-paths: [models]
macro-paths: [macros]
flags: {send_anonymous_usage_stats: false}
models: {+schema: core, +contract: {enforced: true}, +persist_docs: {relation: true, columns: true}}
"""
LINES = """
{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='line_key',
    on_schema_change='append_new_columns',
    partition_by={'field': 'sale_date', 'data_type': 'date', 'granularity': 'month'},
    indexes=[{'columns': ['sale_date'], 'type': 'brin'}, {'columns': ['cents']}],
) }}
select line_key, sale_date, cents from core.given
{% if is_incremental() %} where line_key in (select line_key from core.changed) {% endif %}
"""
LINES_YML = """
models:
  - name: lines
    description: 'What was sold. One row per line.'
    constraints: [{type: primary_key, columns: [line_key, sale_date]}]
    columns:
      - {name: line_key, data_type: bigint, description: 'The line.'}
      - {name: sale_date, data_type: date, description: 'Its day.'}
      - {name: cents, data_type: bigint, description: 'Its money.', constraints: [{type: not_null}]}
"""
NOTE_COLUMN = "      - {name: note, data_type: text, description: 'Added later.'}\n"


class Months:
    """The project of this module on a warehouse of its own, and the rows that its model reads."""

    def __init__(self, warehouse: Warehouse, folder: Path, invoke: Callable[..., Any]) -> None:
        self.warehouse = warehouse
        self.folder = folder
        self._invoke = invoke

    def write(self, name: str, text: str) -> None:
        (self.folder / "models" / name).write_text(text)

    def run(self, *arguments: str) -> str:
        """Run dbt; returns what went wrong, empty when nothing did."""
        result = self._invoke("run", *arguments)
        return "" if result.success else "\n".join(str(node.message) for node in result.result)

    def ask(self, statement: str, *, role: Any = "owner") -> list[tuple[Any, ...]]:
        with self.warehouse.connect(role) as conn:
            return conn.execute(statement).fetchall()

    def give(self, *rows: tuple[int, str, int]) -> None:
        """Rows of (line, day, cents): new, or other than before."""
        with self.warehouse.connect("owner") as conn:
            conn.execute("truncate core.changed")
            for line, day, cents in rows:
                conn.execute("delete from core.given where line_key = %s", [line])
                conn.execute("insert into core.given values (%s, %s, %s)", [line, day, cents])
                conn.execute("insert into core.changed values (%s)", [line])

    def partitions(self) -> list[str]:
        """Months by their bounds, as YYYY-MM."""
        return [
            row[0][:7]
            for row in self.ask(
                "select (regexp_match(pg_get_expr(c.relpartbound, c.oid), '[0-9-]{10}'))[1]"
                " from pg_class as c"
                " inner join pg_inherits as i on i.inhrelid = c.oid"
                " where i.inhparent = 'core.lines'::regclass order by 1"
            )
        ]

    def fingerprint(self, table: str = "core.lines") -> Any:
        return self.ask(f"select md5(string_agg(t::text, '|' order by t::text)) from {table} as t")[0][0]


@pytest.fixture
def months(warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Months]:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - slow to import

    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SHOPX_BUILD_ID", raising=False)
    (tmp_path / "models").mkdir()
    (tmp_path / "dbt_project.yml").write_text(SETTINGS)
    shutil.copytree(PROJECT / "macros", tmp_path / "macros")
    shutil.copy(PROJECT / "profiles.yml", tmp_path)

    def invoke(*arguments: str) -> Any:
        quiet = ("--quiet", "--log-level", "none", "--log-level-file", "none")
        places = ("--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path))
        return dbtRunner().invoke([*quiet, *arguments, *places])

    with warehouse.connect("owner") as conn:
        conn.execute("create table core.given (line_key bigint, sale_date date, cents bigint)")
        conn.execute("create table core.changed (line_key bigint)")
        conn.execute("grant select on core.given, core.changed to shopx_transformer")
    project = Months(warehouse, tmp_path, invoke)
    project.write("lines.sql", LINES)
    project.write("lines.yml", LINES_YML)
    yield project


def test_the_life_of_a_partitioned_table(months: Months) -> None:
    # made: the months of its rows and two ahead, nothing between, in a schema of their own
    months.give((1, "2024-12-31", 100), (2, "2026-01-31", 200), (3, "2026-02-01", 300))
    assert months.run() == ""
    assert months.partitions() == ["2024-12", "2026-01", "2026-02", "2026-03", "2026-04"]
    assert months.ask(
        """
        select distinct n.nspname::text, pg_get_userbyid(c.relowner), length(c.relname) <= 54,
            pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
        from pg_class as c
        inner join pg_inherits as i on i.inhrelid = c.oid
        inner join pg_namespace as n on n.oid = c.relnamespace
        where i.inhparent = 'core.lines'::regclass
        """
    ) == [("core_parts", "shopx_transformer", True, True)]
    assert months.ask(
        """
        select c.relkind::text, array_agg(distinct m.amname::text order by m.amname::text), count(*)
        from pg_index as i
        inner join pg_class as x on x.oid = i.indexrelid
        inner join pg_am as m on m.oid = x.relam
        inner join pg_class as c on c.oid = i.indrelid
        where c.oid = 'core.lines'::regclass or c.relnamespace = 'core_parts'::regnamespace
        group by c.relkind order by c.relkind desc
        """
    ) == [("r", ["brin", "btree"], 15), ("p", ["btree"], 2)]
    assert months.ask("select obj_description('core.lines'::regclass)") == [
        ("What was sold. One row per line.",)
    ]
    assert months.ask("select sum(cents) from core.lines", role="analyst") == [(600,)]

    # written to over the end of a month, a line moved to another month: a reader is never locked out
    months.give((3, "2026-01-15", 350), (4, "2026-05-31", 400), (5, "2026-06-01", 500))
    with months.warehouse.connect("analyst") as reader:
        assert reader.execute("select sum(cents) from core.lines").fetchone() == (600,)
        assert months.run() == ""
        assert reader.execute("select sum(cents) from core.lines").fetchone() == (1550,)
    assert months.partitions()[-4:] == ["2026-05", "2026-06", "2026-07", "2026-08"]
    assert months.fingerprint() == months.fingerprint("core.given")
    assert months.ask(
        "select count(*) from pg_index as i inner join pg_class as c on c.oid = i.indrelid"
        " where c.relnamespace = 'core_parts'::regnamespace"
    ) == [(9 * 3,)]

    # made anew, twice: the same rows, no partition left of the table before, and a view that reads it goes on
    with months.warehouse.connect("owner") as conn:
        conn.execute("create view ops.seen as select sum(cents) as cents from core.lines")
        conn.execute("grant select on ops.seen to shopx_analyst")
    months.give((6, "2026-06-02", 600))
    for _ in range(2):
        assert months.run("--full-refresh") == ""
        assert months.fingerprint() == months.fingerprint("core.given")
        assert months.ask("select cents from ops.seen", role="analyst") == [(2150,)]
    assert months.ask(
        "select count(*) from pg_class where relnamespace = 'core_parts'::regnamespace and relkind = 'r'"
    ) == [(len(months.partitions()),)]

    # widened: the new column is on the table and on every partition
    months.write("lines.sql", LINES.replace("cents from", "cents, 'new'::text as note from"))
    months.write("lines.yml", LINES_YML + NOTE_COLUMN)
    months.give((7, "2026-09-01", 700))
    assert months.run() == ""
    assert months.ask("select line_key, note from core.lines order by 1 desc limit 2") == [
        (7, "new"),
        (6, None),
    ]

    # a run that fails half-way leaves the table as it was, and nothing else
    before = months.partitions()
    months.ask("insert into core.given values (7, '2026-09-01', 1) returning 1")
    assert "is duplicated" in months.run("--full-refresh")
    assert months.ask("select sum(cents) from core.lines") == [(2850,)]
    assert months.partitions() == before
    assert months.ask(
        "select count(*) from pg_class where relnamespace = 'core_parts'::regnamespace and relkind = 'r'"
    ) == [(len(before),)]


def test_what_a_killed_run_left_is_swept_by_the_next(months: Months) -> None:
    months.give((1, "2026-01-31", 100))
    assert months.run() == ""
    with months.warehouse.connect("transformer") as conn:
        # killed after the swap was committed and before the old table was dropped
        conn.execute("create table core.lines__dbt_backup (like core.lines) partition by range (sale_date)")
        conn.execute(
            "create table core_parts.lines_202601_left partition of core.lines__dbt_backup"
            " for values from ('2026-01-01') to ('2026-02-01')"
        )
    assert months.run() == ""
    assert months.ask("select count(*) from pg_class where relname ~ '__dbt_|_left$'") == [(0,)]


def test_a_plain_table_becomes_a_partitioned_one_and_other_wishes_are_refused(months: Months) -> None:
    table = LINES.replace("materialized='incremental', incremental_strategy='delete+insert',", "").replace(
        "unique_key='line_key',", ""
    )
    months.give((1, "2026-01-31", 100))
    months.write("lines.sql", "select line_key, sale_date, cents from core.given")
    months.write(
        "lines.yml", LINES_YML.replace("name: lines", "name: lines\n    config: {materialized: table}")
    )
    assert months.run() == ""
    assert months.partitions() == []
    months.write("lines.sql", table)
    assert months.run() == ""
    assert months.partitions() == ["2026-01", "2026-02", "2026-03"]
    months.write("lines.sql", table.replace("'month'", "'day'"))
    assert "partition_by of model lines must read" in months.run()
