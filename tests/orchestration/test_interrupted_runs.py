"""Ctrl-C in `shopx run`: one sentence, exit 130, nothing half done, and the same command goes on."""

import signal
from pathlib import Path
from typing import Any

from warehouse.database import Warehouse

MOMENTS = ("reading", "starting the pipeline", "Gate: checking", "Building #", "dbt: ", "Auditing")


def interrupt_at(moment: str, shopx: Any, file: Path) -> list[str]:
    """Start `shopx run`, press Ctrl-C once it says that it is at this step; returns what it says after."""
    process = shopx.start("run", file)
    before = []
    for line in process.stderr:
        before.append(line)
        if moment in line:
            process.send_signal(signal.SIGINT)
            break
    after = process.stderr.read().splitlines()
    process.stderr.close()
    assert process.wait(timeout=60) == 130, "".join(before) + "\n".join(after)
    return after


def test_interrupted_at_six_moments_and_run_again_publishes_the_file_once(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    file = orders_file("sales.csv", rows=600)
    for moment in MOMENTS:
        after = interrupt_at(moment, shopx, file)
        assert [line for line in after if line.startswith("shopx: ")] == [after[-1]], (moment, after)
        assert "stopped" in after[-1] and "Traceback" not in "".join(after), (moment, after)
        with warehouse.connect("owner", autocommit=True) as conn:
            left = conn.execute("select count(*) from ops.builds where status = 'open'").fetchone()
            alerts = conn.execute("select subject, message from ops.alerts").fetchall()
        assert (left, alerts) == ((0,), []), moment
    shopx("run", file)
    shopx("verify")
    with warehouse.connect("owner", autocommit=True) as conn:
        assert conn.execute("select count(*) from ops.publications").fetchone() == (1,)
        assert conn.execute("select count(*) from raw.loads where status = 'approved'").fetchone() == (1,)
    with warehouse.connect("dagster", autocommit=True) as conn:
        states = dict(conn.execute("select status, count(*) from runs group by status").fetchall())
    assert set(states) <= {"SUCCESS", "FAILURE", "CANCELED"} and states["SUCCESS"] == 1
