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


def test_refused_rows_go_out_as_a_workbook_and_come_back_published(
    shopx: Any, warehouse: Warehouse, orders_file: Any, tmp_path: Any
) -> None:
    import xlsxwriter  # noqa: PLC0415
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    first = shopx.json("run", orders_file("sales.csv", rows=40, broken=(4, 5)), expect=0)
    book, filled = tmp_path / "fix.xlsx", tmp_path / "fixed.xlsx"
    assert "2 rows to correct" in shopx("rejects", 1, "--xlsx", book).stdout
    shopx("rejects", 1, "--xlsx", book, expect=1)  # what is there is not overwritten
    with CalamineWorkbook.from_path(str(book)) as found, xlsxwriter.Workbook(str(filled)) as target:
        for name in found.sheet_names:
            sheet = target.add_worksheet(name)
            for number, row in enumerate(found.get_sheet_by_name(name).to_python()):
                for column, cell in enumerate(row):
                    sheet.write_string(number, column, "4.00" if cell == "a lot" and column > 14 else cell)
    assert "./shopx rejects --xlsx" in shopx("rejects").stdout
    back = shopx.json("run", filled)
    assert shopx.json("rejects") == []
    assert len(shopx.json("rejects", 1)) == 2
    assert [(v["load_id"], v["verdict"], v["rows_accepted"]) for v in back["verdicts"]] == [(2, "IN", 40)]
    gained = back["headline"]["net_sales_cents"] - first["headline"]["net_sales_cents"]
    with warehouse.connect("owner") as conn:
        (added,) = conn.execute(
            "select sum(net_cents) from raw.sales_lines where load_id = 2 and order_line_key % 100 in (5, 6)"
        ).fetchone() or (0,)
    assert gained == added > 0
    shopx("verify")
    assert "Load 2 is read again as load 3" in shopx("replay", 2, "--later").stdout
    subprocess.run(
        [sys.executable, "-c", JOB.replace('"load": 1', '"load": 3'), "replay_load", "replay"],
        env=shopx.environment, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    with warehouse.connect("reader") as conn:
        assert conn.execute("select loads from marts.publication").fetchone() == (1,)
