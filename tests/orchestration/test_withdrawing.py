"""Decisions through the command line and as Dagster jobs: one each, and what is published afterwards."""

import subprocess
import sys
from typing import Any

from warehouse.database import Warehouse


def test_withdrawing_the_only_delivery_publishes_empty_marts_and_releasing_it_brings_it_back(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    first = shopx.json("run", orders_file("sales.csv", rows=40))
    gone = shopx.json("withdraw", 1)
    assert [(v["load_id"], v["verdict"]) for v in gone["verdicts"]] == [(1, "WITHDRAWN")]
    assert (gone["as_of"], gone["headline"]["net_sales_cents"]) == (first["as_of"], 0)
    with warehouse.connect("reader") as conn:
        for mart in ("daily_sales", "hourly_sales", "product_performance", "customer_segments"):
            assert conn.execute(f"select count(*) from marts.{mart}").fetchone() == (0,), mart
        assert conn.execute("select loads from marts.publication").fetchone() == (0,)
    shopx("verify")
    back = shopx.json("release", 1)
    assert [v["verdict"] for v in back["verdicts"]] == ["IN"]
    assert back["headline"] == first["headline"]
    shopx("verify")


JOB = """
import sys
from orchestration.definitions import defs
name, op = sys.argv[1:]
done = defs.resolve_job_def(name).execute_in_process(run_config={"ops": {op: {"config": {"load": 1}}}})
sys.exit(not done.success)
"""


def test_a_decision_as_a_dagster_job_publishes_by_itself(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    shopx.json("run", orders_file("sales.csv", rows=40))
    subprocess.run(
        [sys.executable, "-c", JOB, "withdraw_load", "withdraw"],
        env=shopx.environment, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    with warehouse.connect("reader") as conn:
        assert conn.execute("select publication_id, loads from marts.publication").fetchone() == (2, 0)
