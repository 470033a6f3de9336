"""Whether a batch killed without warning at any step ends, started again, as one that nobody disturbed.

    .venv/bin/python benchmarks/kills.py [--each 5] [--only "Publishing"] [--write]

One warehouse with a published delivery is the template. For each named step and each delay a copy takes a
second delivery, which corrects orders of the first; the process is killed with SIGKILL at the step, and the
same work is started once more. Then every row of raw, core and marts must be as in an undisturbed run, `shopx
verify` must find nothing, and no run may look as if it were still going. Children are forked from one warm
parent. With --write the result replaces its section in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sections
from killing import Step, arm, die_in, in_a_child
from psycopg import sql

from warehouse import embedded, places, roles
from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings
from warehouse.setup import WAREHOUSE_RIGHTS

# repeats at one step differ in how long after it the process dies
DELAYS_S = (0.0, 0.01, 0.05, 0.2, 0.8)
TEMPLATE = "kills_template"
TOLD = "A batch killed with SIGKILL, then started again, and compared with one that nobody disturbed."
# numbers given out while working, and moments: a retry may have others
PASSING = ("load_id", "build_id", "publication_id", "change_no", "order_load_id", "landed_at", "published_at")


STEPS = (
    Step("before the bytes are archived", function="ingestion.archive:Room.keep"),
    Step("when the bytes are archived", function="ingestion.archive:Room.keep", after=True),
    Step("before rows are copied", function="ingestion.landing:load_rows"),
    Step("rows copied, not committed", function="ingestion.landing:load_rows", after=True),
    Step("landed", function="orchestration.landing:land_given", after=True),
    Step("at the gate", said="Gate: checking"),
    Step("approved", function="expectations.arrival:run_arrival_gate", after=True),
    Step("driver's lock taken", function="publication.driver:_take_lock", after=True),
    Step("build opened", said="Building #"),
    Step("dbt begins a dimension", said="dbt: dim_products"),
    Step("dbt begins the facts", said="dbt: fct_order_lines"),
    Step("dbt has made the facts", said="dbt: fct_orders"),
    Step("dbt adds to an aggregate", said="dbt: agg_sales_daily"),
    Step("forecasts are made", said="Forecasting"),
    Step("forecasts are stored", said="Looking for unusual"),
    Step("dbt makes a mart", said="dbt: daily_sales"),
    Step("the audit begins", said="Auditing"),
    Step("sums agree", function="publication.audit:reconcile", after=True),
    Step("publication begins", said="Publishing"),
    Step("marts_previous is written", function="publication.publish:_keep_previous", after=True),
    Step("one mart is copied", function="publication.publish:copy_differences", after=True),
    Step("written down, not committed", function="publication.publish:_record", after=True),
    Step("published", function="publication.publish:publish", after=True),
)


def batch(warehouse: Warehouse, file: Path, *, say: Callable[[str], None]) -> list[str]:
    """What `shopx run FILE` does; returns what failed."""
    from orchestration import landing  # noqa: PLC0415  may be armed
    from orchestration.running import pending, run_batch  # noqa: PLC0415

    landed = landing.land_given(warehouse, [file], feed=None, say=say)
    if not pending(warehouse):
        return []
    return run_batch(warehouse, [file], by="kills", landing=landed, say=say, done=say).failures


def state(warehouse: Warehouse) -> dict[str, str]:
    """A hash of the rows of each table, whatever their order, without what a retry may number anew."""
    found = {}
    with warehouse.connect("owner", autocommit=True) as connection:
        tables = connection.execute(
            "select n.nspname, c.relname, array_agg(a.attname::text order by a.attname) "
            "from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace "
            "inner join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
            "where n.nspname in ('raw', 'core', 'marts', 'marts_previous') and c.relkind in ('r', 'p') "
            "and not c.relispartition and a.attname <> all(%s) "
            "and c.relname not in ('loads', 'line_changes') "
            "group by 1, 2",
            [list(PASSING)],
        ).fetchall()
        for schema, table, columns in tables:
            row = connection.execute(
                sql.SQL(
                    "select count(*) || ' rows ' || coalesce(sum(hashtextextended(row({})::text, 0)), 0) "
                    "from {}"
                ).format(sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(schema, table))
            ).fetchone()
            found[f"{schema}.{table}"] = row[0] if row else ""
    return found


def wrong(warehouse: Warehouse, undisturbed: dict[str, str]) -> list[str]:
    """What differs from an undisturbed run, which promise does not hold, which run looks alive."""
    from publication.verify import verify  # noqa: PLC0415

    now = state(warehouse)
    said = [
        f"{table} differs" for table in sorted(undisturbed | now) if undisturbed.get(table) != now.get(table)
    ]
    said += [f"{finding.promise} {finding.message}" for finding in verify(warehouse) if not finding.passed]
    with warehouse.connect("dagster", autocommit=True) as connection:
        alive = connection.execute(
            "select count(*) from runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')"
        ).fetchone()
    return said + ([f"{alive[0]} runs look alive"] if alive and alive[0] else [])


def restore(server: embedded.Server, template: str, target: str) -> None:
    """Make the database `target` anew as a copy of `template`."""
    names = [sql.Identifier(target), sql.Identifier(template)]
    with server.connect_as_superuser() as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(names[0]))
        admin.execute(sql.SQL("create database {} template {} owner shopx_owner").format(*names))
        roles.fence_database(admin, target, WAREHOUSE_RIGHTS)


def deliveries(folder: Path) -> tuple[Path, Path]:
    """Orders of March, and a second file that corrects a few of them and goes on."""
    head = "order_id,line,order_date,product,quantity,unit_price,currency"

    def rows(orders: range, price: int) -> list[str]:
        return [
            f"A{n},{line},2026-03-{1 + n % 28:02d} 10:00,Tea {(n + line) % 9},"
            f"{1 + n % 3},{price + n % 7}.50,GBP"
            for n in orders
            for line in (1, 2)
        ]

    first, second = folder / "first.csv", folder / "second.csv"
    first.write_text("\n".join([head, *rows(range(300), 3)]) + "\n")
    second.write_text("\n".join([head, *rows(range(250, 400), 3)]) + "\n")
    return first, second


def run(each: int, only: str, folder: Path) -> tuple[str, bool]:
    """Kill at every step; returns a table in Markdown, and whether all was well."""
    settings = Settings(home=folder / "home", warehouse_url=None)
    log = folder / "children.log"
    first, second = deliveries(folder)
    lines, good = [], True
    with open_warehouse(settings) as warehouse, embedded.running_server(settings) as server:
        database = warehouse.address.database
        warm()
        assert in_a_child(lambda: not batch(warehouse, first, say=lambda _: None), log) == 0, log.read_text()
        restore(server, database, TEMPLATE)
        started = time.monotonic()
        assert in_a_child(lambda: not batch(warehouse, second, say=lambda _: None), log) == 0, log.read_text()
        undisturbed = state(warehouse)
        with warehouse.connect("owner") as connection:
            published = connection.execute("select count(*) from ops.publications").fetchone()
        assert published == (2,), "the second delivery was not published, so nothing would be tried"
        print(
            f"an undisturbed run: {time.monotonic() - started:.0f} s, {len(undisturbed)} tables", flush=True
        )
        for step in STEPS:
            if only and only not in step.name:
                continue
            found: list[str] = []
            survived = 0
            for delay_s in DELAYS_S[:each]:
                restore(server, TEMPLATE, database)
                survived += in_a_child(functools.partial(killed, warehouse, second, step, delay_s), log) >= 0
                code = in_a_child(lambda: not batch(warehouse, second, say=lambda _: None), log)
                found += [] if code == 0 else [f"started again it ends with {code}"]
                found += wrong(warehouse, undisturbed)
            ended = f"{each - survived} of {each}" + (" (the rest was done before)" if survived else "")
            lines.append(f"| {step.name} | {ended} | {'; '.join(sorted(set(found))) or 'as undisturbed'} |")
            good = good and not found
            print(lines[-1], flush=True)
    table = ["| killed | times | then started again |", "|---|---|---|", *lines]
    return "\n".join(table), good


def killed(warehouse: Warehouse, file: Path, step: Step, delay_s: float) -> bool:
    """In the child: the batch, with death at the step."""
    if step.function:
        arm(step, delay_s)

    def say(sentence: str) -> None:
        if step.said and sentence.startswith(step.said):
            die_in(delay_s)

    return not batch(warehouse, file, say=say)


def warm() -> None:
    """Import once what every child needs."""
    for name in ("dagster", "dbt.cli.main", "great_expectations", "duckdb", "pandas", "expectations.arrival"):
        importlib.import_module(name)


def main() -> None:
    """Run and tell; exit code 1 where a killed batch left something else than an undisturbed one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=5, choices=range(1, 6), help="times at each step")
    parser.add_argument("--only", default="", help="only steps whose name holds this")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sx-kills-"))
    os.environ["SHOPX_HOME"] = str(folder / "home")
    os.environ["WAREHOUSE_URL"] = ""
    settings = Settings(home=folder / "home", warehouse_url=None)
    try:
        table, good = run(arguments.each, arguments.only, folder)
    finally:
        place = places.place_of(settings)
        embedded.stop_now(settings)
        shutil.rmtree(place.data, ignore_errors=True)
        shutil.rmtree(place.socket_dir, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.write:
        sections.write(
            "kills",
            "Killed at any step",
            f"{TOLD} Command: `.venv/bin/python benchmarks/kills.py --write`.\n\n{table}",
        )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
