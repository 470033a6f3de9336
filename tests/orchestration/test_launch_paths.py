"""A held delivery on every way to start anything: not one of its rows reaches core or marts.

All on one warehouse, in this process: the whole batch first, then parts of it as the UI, a re-execution or a
backfill would select them, then dbt by hand. docs/reliability.md lists the paths that only lead to these.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from tests.conftest import fresh_warehouse
from warehouse import embedded
from warehouse.database import Warehouse

HELD_NAME = "Kept Out Tea"


def sales(path: Path, product: str, *, broken: int) -> Path:
    head = "order_id,line,order_date,product,quantity,unit_price,currency"
    rows = [
        f"{product[:1]}{n},1,2026-03-{1 + n % 28:02d} 10:00,{product},1,{'?' if n < broken else '4.50'},GBP"
        for n in range(100)
    ]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def built(
    server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, dict[str, Any]]]:
    """One batch over a sound delivery and one of which a third of the rows is refused, so that it is held."""
    from orchestration.landing import land_given  # noqa: PLC0415
    from orchestration.running import run_batch  # noqa: PLC0415  seconds

    folder = tmp_path_factory.mktemp("deliveries")
    files = [
        sales(folder / "good.csv", "Tea", broken=0),
        sales(folder / "held.csv", HELD_NAME, broken=30),
    ]

    def silent(_: str) -> None:
        return

    with fresh_warehouse(server) as warehouse:
        landing = land_given(warehouse, files, feed=None, say=silent)
        batch = run_batch(warehouse, files, by="test", landing=landing, say=silent, done=silent)
        assert batch.failures == []
        with warehouse.connect("owner") as conn:
            held = conn.execute("select load_id from raw.loads where status = 'held'").fetchall()
            assert len(held) == 1
            rows = conn.execute("select count(*) from raw.sales_lines where load_id = %s", held[0]).fetchone()
            assert rows == (70,)
        yield warehouse, {"load_id": held[0][0]}


def traces(warehouse: Warehouse, load_id: int) -> list[str]:
    """Tables of core and of the marts in which anything of the held delivery stands."""
    found = []
    with warehouse.connect("owner") as conn:
        tables = conn.execute(
            "select n.nspname, c.relname from pg_class as c "
            "inner join pg_namespace as n on n.oid = c.relnamespace "
            "where n.nspname in ('core', 'marts_next', 'marts') and c.relkind in ('r', 'p') order by 1, 2"
        ).fetchall()
        for schema, table in tables:
            row = conn.execute(
                sql.SQL("select count(*) from {} as t where t::text like %s").format(
                    sql.Identifier(schema, table)
                ),
                [f"%{HELD_NAME}%"],
            ).fetchone()
            if row and row[0]:
                found.append(f"{schema}.{table}")
        lines = conn.execute(
            "select count(*) from core.fct_order_lines where load_id = %s", [load_id]
        ).fetchone()
        counted = conn.execute("select count(*) from core.fct_order_lines").fetchone()
    assert counted and counted[0] >= 100, "the sound delivery is gone"
    return [*found, *(["core.fct_order_lines"] if lines and lines[0] else [])]


def publications(warehouse: Warehouse) -> int:
    with warehouse.connect("owner") as conn:
        row = conn.execute("select count(*) from ops.publications").fetchone()
    return int(row[0]) if row else 0


def in_dagster(warehouse: Warehouse, job: str, **selection: Any) -> bool:
    """A run of a job or a part of it; whether it succeeded."""
    from dagster import DagsterInstance  # noqa: PLC0415

    from orchestration.batch import following  # noqa: PLC0415
    from orchestration.dbt_runner import exported  # noqa: PLC0415
    from orchestration.definitions import defs  # noqa: PLC0415
    from orchestration.instance import write_instance_config  # noqa: PLC0415

    home = write_instance_config(warehouse.settings)
    with (
        following(lambda _: None),
        exported({**warehouse.environment(), "DAGSTER_HOME": str(home)}),
        DagsterInstance.from_config(str(home), "in_process.yaml") as instance,
    ):
        whole = (
            defs.resolve_implicit_global_asset_job_def()
            if job == "every asset"
            else defs.resolve_job_def(job)
        )
        return whole.execute_in_process(instance=instance, raise_on_error=False, **selection).success


def test_the_batch_job_leaves_a_held_delivery_out(built):
    """The way of `shopx run`, of the job in the UI and on the command line, of schedule and sensor."""
    warehouse, held = built
    assert publications(warehouse) == 1
    assert traces(warehouse, held["load_id"]) == []


@pytest.mark.parametrize(
    "assets",
    [["marts_next/daily_sales"], ["core/fct_order_lines"]],
    ids=["a mart alone", "the facts alone"],
)
def test_assets_materialized_alone_leave_it_out_and_publish_nothing(built, assets):
    """The way of a selection in the UI, of `dagster asset materialize`, of a backfill of chosen assets."""
    from dagster import AssetKey  # noqa: PLC0415

    warehouse, held = built
    chosen = [AssetKey(asset.split("/")) for asset in assets]
    assert in_dagster(warehouse, "every asset", asset_selection=chosen)
    assert publications(warehouse) == 1
    assert traces(warehouse, held["load_id"]) == []


def test_the_last_step_of_a_batch_started_alone_publishes_nothing(built):
    """The way of a retry from failure and of a re-execution: steps without the first run's build."""
    from dagster import AssetKey  # noqa: PLC0415

    warehouse, held = built
    assert not in_dagster(warehouse, "batch", asset_selection=[AssetKey(["marts", "publication"])])
    assert publications(warehouse) == 1
    assert traces(warehouse, held["load_id"]) == []


@pytest.mark.parametrize("options", [[], ["--full-refresh"]], ids=["dbt build", "dbt build --full-refresh"])
def test_dbt_by_hand_leaves_it_out_and_publishes_nothing(built, options):
    from orchestration.dbt_runner import run_dbt  # noqa: PLC0415

    warehouse, held = built
    selection = "stg_build stg_build_loads stg_sales_lines fct_order_lines daily_sales"
    done, _ = run_dbt(
        "build",
        *("--select", *selection.split(), "--indirect-selection", "buildable"),
        *("--exclude-resource-type", "unit_test", *options),
        settings=warehouse.settings,
        environment=warehouse.environment(),
    )
    assert done
    assert publications(warehouse) == 1
    assert traces(warehouse, held["load_id"]) == []


def test_whatever_starts_by_itself_starts_the_batch_job():
    """Schedules and sensors have no way of their own, and no asset starts because another one changed."""
    from orchestration.definitions import defs  # noqa: PLC0415

    specs = defs.resolve_all_asset_specs()
    assert [spec.key.to_user_string() for spec in specs if spec.automation_condition is not None] == []
    repository = defs.get_repository_def()
    started = {
        target.job_name
        for definition in (*repository.schedule_defs, *repository.sensor_defs)
        for target in getattr(definition, "targets", [])
    }
    assert started <= {"batch", "sync"}, started
