"""How many answers a second the KPI API gives: with the tag sent back, kept answers, and answers made anew.

    .venv/bin/python benchmarks/api.py --write              # a server of its own over SHOPX_HOME
    .venv/bin/python benchmarks/api.py --url http://127.0.0.1:8080

The client keeps its connections open and sends the next request once the answer before it is read whole. It
runs on the same cores as the server and the database, which the figures include.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import urlopen

import sections

from warehouse.database import open_warehouse

PATH = "/api/v1/kpis/summary?days_back=30"
BAR = 1_000  # answers a second, with the tag sent back


@dataclass(frozen=True)
class Measured:
    """`statuses`: how many answers of each; times in milliseconds."""

    name: str
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    statuses: dict[int, int]

    def __str__(self) -> str:
        seen = ", ".join(f"{count:,} × {status}" for status, count in sorted(self.statuses.items()))
        times = f"p50 {self.p50_ms:6.1f} ms  p95 {self.p95_ms:6.1f} ms  p99 {self.p99_ms:6.1f} ms"
        return f"{self.name:<34} {self.per_second:9,.0f}/s  {times}  ({seen})"


async def measure(
    name: str, *, host: str, port: int, requests: Iterator[bytes], clients: int, seconds: float
) -> Measured:
    """Send requests over so many connections for so long."""
    times: list[float] = []
    statuses: dict[int, int] = {}
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while (began := time.perf_counter()) < end:
            writer.write(next(requests))
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            if status != 304:
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
            times.append((time.perf_counter() - began) * 1e3)
            statuses[status] = statuses.get(status, 0) + 1
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - began
    cuts = statistics.quantiles(times, n=100)
    return Measured(name, len(times) / took, cuts[49], cuts[94], cuts[98], statuses)


def request(host: str, path: str, tag: str | None = None) -> bytes:
    """The bytes of a request."""
    sent = f"GET {path} HTTP/1.1\r\nhost: {host}\r\n" + (f"if-none-match: {tag}\r\n" if tag else "")
    return f"{sent}\r\n".encode()


async def run(url: str, *, clients: int, seconds: float) -> list[Measured]:
    """The three kinds of reading, one after the other."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    with urlopen(url + PATH) as answer:  # noqa: S310 - the address is ours
        tag = answer.headers["etag"]
    # each asks for other days, so that nothing is kept of it
    strange = (request(host, f"/api/v1/kpis/summary?days_back={n}") for n in itertools.count(1))
    kinds = {
        "tag sent back, 304": itertools.repeat(request(host, PATH, tag)),
        "without the tag, kept answer": itertools.repeat(request(host, PATH)),
        "other days each time, made anew": strange,
    }
    found = []
    for name, requests in kinds.items():
        one = await measure(name, host=host, port=port, requests=requests, clients=clients, seconds=seconds)
        print(one, flush=True)
        found.append(one)
    return found


@contextmanager
def own_server() -> Iterator[str]:
    """A server over SHOPX_HOME, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "dashboards.server", "--port", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                with urlopen(url + PATH):  # noqa: S310 - the address is ours
                    break
            except OSError:
                time.sleep(0.5)
        else:
            raise SystemExit(f"{url}{PATH} gives no figures; publish some first: ./shopx demo --no-up")
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def report(found: list[Measured], *, about: str, lines: int, clients: int) -> str:
    """The section of the README."""
    rows = [
        f"| {one.name} | {one.per_second:,.0f} | {one.p50_ms:.1f} | {one.p95_ms:.1f} | |" for one in found
    ]
    met = "met" if found[0].per_second >= BAR else "**missed**"
    rows[0] = rows[0][:-2] + f" ≥ {BAR:,}: {met} |"
    return "\n".join(
        [
            f"{lines:,} order lines published, {clients} connections that never pause; client, server "
            f"and database share the cores; {about}. Command: `.venv/bin/python benchmarks/api.py --write`.",
            "",
            "| `GET /api/v1/kpis/summary` | answers a second | p50 ms | p95 ms | bar |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )


def main() -> None:
    """Measure, and print a line for each kind."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--url", help="a server that runs; else one is started over SHOPX_HOME")
    options.add_argument("--clients", type=int, default=32)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--write", action="store_true", help="write the section in benchmarks/README.md")
    given = options.parse_args()
    if given.url:
        asyncio.run(run(given.url, clients=given.clients, seconds=given.seconds))
        return
    with open_warehouse() as warehouse, own_server() as url:
        found = asyncio.run(run(url, clients=given.clients, seconds=given.seconds))
        with warehouse.connect("owner", autocommit=True) as connection:
            row = connection.execute("select count(*) from core.fct_order_lines").fetchone()
        about = sections.machine(warehouse)
    text = report(found, about=about, lines=row[0] if row else 0, clients=given.clients)
    if given.write:
        sections.write("api", "Answers of the KPI API", text)


if __name__ == "__main__":
    main()
