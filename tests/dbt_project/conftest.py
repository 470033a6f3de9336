"""dbt on a real warehouse: a way to run it in this process, and deliveries written straight into raw.

Put here: what several tests of the models need. Never here: ingestion; rows are written as it leaves them.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt_runner import read_project
from tests.conftest import fresh_warehouse
from warehouse import embedded
from warehouse.database import Warehouse
from warehouse.settings import load_settings

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "citus: runs on the Citus that CITUS_DSN names; skipped without it")


@dataclass(frozen=True)
class Outcome:
    """What a dbt run came to: node name -> dbt's status, and every message it gave."""

    success: bool
    statuses: dict[str, str] = field(default_factory=dict)
    messages: str = ""


Dbt = Callable[..., Outcome]
Rows = Callable[[str], list[tuple[Any, ...]]]
Deliver = Callable[..., int]


@pytest.fixture(scope="session")
def target() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sx-dbt-") as folder:
        yield Path(folder)


def invoke(target: Path, *arguments: str) -> tuple[Any, Outcome]:
    """Run dbt in this process, with the project as it was read once for all tests of it."""
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - slow to import, and only these tests need it

    project = read_project(load_settings(), database=os.environ["SHOPX_PG_DATABASE"])
    result = dbtRunner(manifest=project).invoke(
        [
            *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-write-json"),
            *arguments,
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(target), "--log-path", str(target)),
        ]
    )
    if result.exception is not None:
        raise result.exception
    nodes = getattr(result.result, "results", [])
    return result.result, Outcome(
        success=bool(result.success),
        statuses={node.node.name: str(node.status) for node in nodes},
        messages="\n".join(str(node.message) for node in nodes),
    )


@pytest.fixture
def dbt(warehouse: Warehouse, target: Path, monkeypatch: pytest.MonkeyPatch) -> Dbt:
    """Run dbt in this process against the test's own warehouse: `dbt("build", build_id=3)`."""
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, build_id: int | None = None) -> Outcome:
        if build_id is None:
            monkeypatch.delenv("SHOPX_BUILD_ID", raising=False)
        else:
            monkeypatch.setenv("SHOPX_BUILD_ID", str(build_id))
        return invoke(target, *arguments)[1]

    return run


@pytest.fixture(scope="session")
def manifest() -> Any:
    """The parsed project; parsing connects to nothing."""
    return read_project(load_settings(), database="warehouse")


@pytest.fixture(scope="session")
def compiled(server: embedded.Server, target: Path, manifest: Any) -> dict[str, str]:
    """The SQL of every model by its name, as compiled for a build that makes everything."""
    folder = target / "compile"
    with fresh_warehouse(server) as empty, pytest.MonkeyPatch.context() as patch:
        for name, value in empty.environment().items():
            patch.setenv(name, value)
        _, outcome = invoke(folder, "compile")
    assert outcome.success, outcome.messages
    names = {node.name for node in manifest.nodes.values() if node.resource_type == "model"}
    files = (folder / "compiled" / "shopx" / "models").rglob("*.sql")
    found = {path.stem: path.read_text() for path in files if path.stem in names}
    assert set(found) == names
    return found


@pytest.fixture(scope="module")
def rows(euro_warehouse: Warehouse, target: Path, request: pytest.FixtureRequest) -> Rows:
    """The answer of a query over one build that all tests of the module share, and only read.

    The module says what was delivered in DELIVERIES, pairs of (mode, lines), and where it wants any in LISTS,
    triples of (kind of master data, day it was first seen, rows); in MARTS what is built with all that comes
    before it.
    """
    for number, (mode, lines) in enumerate(request.module.DELIVERIES, start=1):
        write_delivery(
            euro_warehouse,
            delivery_no=number,
            lines=tuple(lines),
            mode=mode,
            source="till",
            status="approved",
        )
    for number, (holds, seen, given) in enumerate(getattr(request.module, "LISTS", ()), start=101):
        write_list(euro_warehouse, delivery_no=number, holds=holds, rows=given, seen=seen)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in euro_warehouse.environment().items():
            patch.setenv(name, value)
        selection = [f"+{mart}" for mart in request.module.MARTS.split()]
        _, outcome = invoke(target, "build", "--exclude-resource-type", "unit_test", "--select", *selection)
    assert outcome.success, outcome.messages

    def answer(query: str) -> list[tuple[Any, ...]]:
        with euro_warehouse.connect("owner") as conn:
            return conn.execute(query).fetchall()

    return answer


LINE_DEFAULTS: dict[str, Any] = {
    "line_type": "sale",
    "quantity_thousandths": 1000,
    "discount_cents": 0,
    "order_id": None,
    "product_id": "P1",
}


@pytest.fixture
def deliver(warehouse: Warehouse) -> Deliver:
    """Write one delivery as ingestion leaves it and return its load_id: `deliver(1, {…}, mode="events")`.

    A line needs sale_date and gross_cents; what it does not say is in LINE_DEFAULTS.
    """

    def write(
        delivery_no: int,
        *lines: dict[str, Any],
        mode: str = "orders",
        source: str = "till",
        status: str = "approved",
    ) -> int:
        return write_delivery(
            warehouse, delivery_no=delivery_no, lines=lines, mode=mode, source=source, status=status
        )

    return write


def write_delivery(
    warehouse: Warehouse,
    *,
    delivery_no: int,
    lines: tuple[dict[str, Any], ...],
    mode: str,
    source: str,
    status: str,
) -> int:
    with warehouse.connect("owner") as conn:
        load = conn.execute(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                reading, rows_delivered, rows_accepted, status, held_reason, first_date, last_date
            ) values (
                %(no)s, %(source)s, %(source)s, 'f.csv', repeat('0', 64), 1, 'x', %(mode)s,
                '{"timezone": "Europe/London"}', %(rows)s, %(rows)s, %(status)s, %(held)s, %(first)s, %(last)s
            ) returning load_id
            """,
            {
                "no": delivery_no,
                "source": source,
                "mode": mode,
                "rows": len(lines),
                "status": status,
                "held": "TEST" if status == "held" else None,
                "first": min(line["sale_date"] for line in lines),
                "last": max(line["sale_date"] for line in lines),
            },
        ).fetchone()
        assert load is not None
        for number, given in enumerate(lines, start=1):
            line = {**LINE_DEFAULTS, **given}
            line["net_cents"] = line["gross_cents"] + line["discount_cents"]
            line |= {"load_id": load[0], "order_line_key": delivery_no * 10**10 + number}
            line["order_key"] = (
                -line["order_line_key"]
                if line["order_id"] is None
                else zlib.crc32(f"{source} {line['order_id']}".encode())
            )
            conn.execute("select raw.create_months(%s::date, %s::date)", [line["sale_date"]] * 2)
            names = ", ".join(line)
            values = ", ".join(f"%({name})s" for name in line)
            conn.execute(f"insert into raw.sales_lines ({names}) values ({values})", line)
    return int(load[0])


@pytest.fixture
def deliver_list(warehouse: Warehouse) -> Deliver:
    """Write one delivery of master data: `deliver_list(2, "inventory", {…})`; returns its load_id."""

    def write(delivery_no: int, holds: str, *rows: dict[str, Any]) -> int:
        return write_list(warehouse, delivery_no=delivery_no, holds=holds, rows=rows, seen="2026-06-01")

    return write


def write_list(
    warehouse: Warehouse, *, delivery_no: int, holds: str, rows: Sequence[dict[str, Any]], seen: str
) -> int:
    """A delivery of master data as ingestion leaves it; returns its load_id."""
    with warehouse.connect("owner") as conn:
        found = conn.execute(
            """
            insert into raw.loads (
                delivery_no, feed, source, delivered_name, content_sha256, byte_count, contract_sha256, mode,
                holds, rows_delivered, rows_accepted, status, first_seen_at
            ) values (
                %s, 'erp', 'till', 'm.csv', repeat('0', 64), 1, 'x', 'lines', %s, %s, %s, 'approved', %s
            ) returning load_id
            """,
            [delivery_no, holds, len(rows), len(rows), f"{seen} 12:00+00"],
        ).fetchone()
        assert found is not None
        for number, given in enumerate(rows, start=1):
            row = {"load_id": found[0], "row_number": number, **given}
            conn.execute(
                f"insert into raw.{holds} ({', '.join(row)})"
                f" values ({', '.join(f'%({name})s' for name in row)})",
                row,
            )
    return int(found[0])
