"""The sections of benchmarks/README.md: each script writes its own, and says on what it was measured."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path

from warehouse.database import Warehouse

README = Path(__file__).with_name("README.md")


def machine(warehouse: Warehouse) -> str:
    """What figures depend on: processors, memory, versions, how busy the machine was, the day."""
    with warehouse.connect("owner", autocommit=True) as conn:
        version = conn.execute("show server_version").fetchone()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"PostgreSQL {version[0] if version else '?'}, {os.cpu_count()} cores, {memory:.0f} GB, Python "
        f"{platform.python_version()}, {dt.datetime.now().astimezone():%Y-%m-%d}, load average over five "
        f"minutes {os.getloadavg()[1]:.1f}"
    )


def write(name: str, title: str, text: str) -> None:
    """Replace the section `name` in the README, or append it."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    old = README.read_text(encoding="utf-8") if README.exists() else "# Benchmarks\n"
    section = f"{begin}\n## {title}\n\n{text}\n{end}"
    if begin in old:
        new = old[: old.index(begin)] + section + old[old.index(end) + len(end) :]
    else:
        new = old.rstrip() + "\n\n" + section + "\n"
    README.write_text(new, encoding="utf-8")
