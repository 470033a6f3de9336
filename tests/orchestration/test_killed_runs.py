"""A batch killed at any moment: the next `shopx run` ends where an undisturbed one would have."""

import signal
from pathlib import Path
from typing import Any

from warehouse.database import Warehouse

MOMENTS = ("reading", "Gate: checking", "Building #", "dbt: ", "Auditing")


def kill_at(moment: str, shopx: Any, file: Path) -> None:
    """Start `shopx run`, and kill it without warning once it says that it is at this step."""
    process = shopx.start("run", file)
    said = []
    for line in process.stderr:
        said.append(line)
        if moment in line:
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.close()
    assert process.wait(timeout=60) == -signal.SIGKILL, "".join(said)


def cents_in(file: Path) -> int:
    """What the file's lines add up to: quantity times price, in integers."""
    cells = [line.split(",") for line in file.read_text().splitlines()[1:]]
    return sum(int(row[4]) * int(row[5].replace(".", "")) for row in cells)


def test_killed_at_five_moments_and_run_again_gives_the_totals_of_the_file(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    file = orders_file("sales.csv", rows=600)
    for moment in MOMENTS:
        kill_at(moment, shopx, file)
    shopx("run", file)
    with warehouse.connect("owner", autocommit=True) as conn:
        sums = conn.execute(
            "select sum(gross_sales_cents), sum(net_sales_cents), sum(orders) from marts.daily_sales"
        )
        assert sums.fetchone() == (cents_in(file), cents_in(file), 300)
        assert conn.execute("select count(*) from ops.publications").fetchone() == (1,)
        assert conn.execute("select count(*) from raw.loads where status = 'approved'").fetchone() == (1,)
        assert conn.execute("select count(*) from ops.builds where status = 'open'").fetchone() == (0,)
    shopx("verify")
    with warehouse.connect("dagster", autocommit=True) as conn:
        states = dict(conn.execute("select status, count(*) from runs group by status").fetchall())
    assert set(states) <= {"SUCCESS", "FAILURE"} and states["SUCCESS"] == 1
