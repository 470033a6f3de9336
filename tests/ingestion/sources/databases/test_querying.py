"""Another database as a source: exact values, nothing twice and nothing lost at a tie, and never a write."""

from __future__ import annotations

import csv
import resource
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import ValidationError

from ingestion.contract import read_contract
from ingestion.sources import querying
from ingestion.sources.database import DatabaseSource
from ingestion.sources.fetched import Cursor, Fetched, FetchFailed, Request
from ingestion.sources.querying import DatabaseReader
from warehouse import embedded

CONTRACT = """
feed: erp
title: Lines of the ERP
kind: database
delivers: {delivers}
columns:
  order_id: {{names: [order_id]}}
  line_number: {{names: [line]}}
  date: {{names: [sold_on]}}
  product_name: {{names: [product], optional: true}}
  product_id: {{names: [sku], optional: true}}
  amount: {{names: [amount]}}
database:
  url_env: ERP_URL
  query: {query}
"""
LINES = "select * from lines"
Ask = Callable[..., Fetched | None]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask the database at `url`, as a feed that goes on from `cursor`."""
    count = iter(range(1000))

    def ask(
        url: str | None,
        after: Cursor | None = None,
        *,
        query: str = LINES,
        delivers: str = "lines",
        **more: Any,
    ) -> Fetched | None:
        folder = tmp_path / f"room{next(count)}"
        folder.mkdir()
        text = CONTRACT.format(query=f"'{query.replace(chr(39), chr(39) * 2)}'", delivers=delivers)
        text += "".join(f"  {name}: {value}\n" for name, value in more.items())
        (folder / "erp.yaml").write_text(text)
        contract = read_contract(folder / "erp.yaml")
        reader = DatabaseReader({"ERP_URL": url}.get)
        try:
            return reader(Request(contract, folder, cursor=after))
        finally:
            assert {path.suffix for path in folder.iterdir()} <= {".yaml", ".csv"}

    return ask


def rows(fetched: Fetched | None) -> list[list[str]]:
    """The delivered rows without the header."""
    assert fetched is not None
    with fetched.path.open(newline="") as file:
        return list(csv.reader(file))[1:]


class Erp:
    """A database of somebody else's, with a table of lines."""

    def __init__(self, url: str, plain: str, database: str) -> None:
        self.url = url
        self.plain = plain
        self.database = database

    def run(self, *statements: str) -> None:
        """As its owner."""
        with psycopg.connect(self.plain, autocommit=True) as conn:
            for statement in statements:
                conn.execute(statement)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def erp_server(server: embedded.Server) -> Iterator[Erp]:
    name, role, password = f"erp_{secrets.token_hex(4)}", f"erp_{secrets.token_hex(4)}", "s3cret/:@ word"
    with server.connect_as_superuser() as admin:
        admin.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(password))
        )
        admin.execute(
            sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(role))
        )
    quoted = "s3cret%2F%3A%40%20word"
    place = f"{role}:{quoted}@127.0.0.1:{server.port}/{name}"
    yield Erp(f"postgresql+psycopg://{place}", f"postgresql://{place}", name)
    with server.connect_as_superuser() as admin:
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


@pytest.fixture
def erp(erp_server: Erp) -> Erp:
    erp_server.run(
        "drop table if exists lines",
        "create table lines (order_id text, line int, sold_on date, product text, amount numeric(12, 2),"
        " changed_at timestamptz)",
    )
    return erp_server


def line(order: str, amount: str, changed_at: str, number: int = 1) -> str:
    return f"insert into lines values ('{order}', {number}, '2026-03-01', 'Mug', {amount}, '{changed_at}')"


def test_values_come_exactly_and_null_is_not_the_empty_text(erp: Erp, ask: Ask) -> None:
    query = """select 7::bigint as order_id, 1 as line,
        timestamptz '2026-03-29 03:30:00.123456+02' as sold_on, '' as product, null::text as sku,
        1234567890123.450000::numeric as amount, 0.1::float8 as f, 1e-7::float8 as g,
        date '2026-03-01' as d, time '10:30' as t, true as b,
        'say "hi",' || chr(10) || ':x %s 10:30' as quoted,
        timestamp '2026-03-01 10:30' as local, 'NaN'::float8 as nan, E'a\\\\:b' as colon"""
    fetched = ask(erp.url, query=" ".join(query.split()))
    assert fetched is not None
    header, record = fetched.path.read_text().split("\n", 1)
    assert header == "order_id,line,sold_on,product,sku,amount,f,g,d,t,b,quoted,local,nan,colon"
    assert record == (
        '7,1,2026-03-29 01:30:00.123456+00:00,"",,1234567890123.450000,0.1,0.0000001,2026-03-01,10:30:00,'
        'true,"say ""hi"",\n:x %s 10:30",2026-03-01 10:30:00,nan,a\\:b\n'
    )


def test_it_goes_on_where_the_last_delivery_ended(erp: Erp, ask: Ask) -> None:
    erp.run(line("1", "2.50", "2026-03-01 10:00+01"), line("2", "3.00", "2026-03-01 11:00+01"))
    first = ask(erp.url, cursor="changed_at")
    assert first is not None and first.cursor_from is None and first.cursor is not None
    assert [row[0] for row in rows(first)] == ["1", "2"]
    assert ask(erp.url, first.cursor, cursor="changed_at") is None

    erp.run(line("3", "1.00", "2026-03-01 11:00:00.000001+01"), line("0", "9.00", "2026-02-01 11:00+01"))
    second = ask(erp.url, first.cursor, cursor="Changed_At")
    assert second is None or second.cursor_from is None  # another column of that name asks anew
    second = ask(erp.url, first.cursor, cursor="changed_at")
    assert second is not None
    assert second.cursor_from == first.cursor
    assert [row[0] for row in rows(second)] == ["2", "3"]
    assert ask(erp.url, second.cursor, cursor="changed_at") is None


@pytest.mark.parametrize(("delivers", "expected"), [("events", ["b", "b"]), ("lines", ["a", "b", "b"])])
def test_rows_written_beside_those_already_delivered_are_not_missed(
    erp: Erp, ask: Ask, delivers: str, expected: list[str]
) -> None:
    at = "2026-03-01 10:00+00"
    erp.run(line("z", "1", "2026-02-01"), line("a", "1", at))
    first = ask(erp.url, delivers=delivers, cursor="changed_at")
    assert first is not None
    erp.run(line("b", "1", at), line("b", "1", at))  # the same row twice is two rows
    second = ask(erp.url, first.cursor, delivers=delivers, cursor="changed_at")
    assert sorted(row[0] for row in rows(second)) == expected
    assert second is not None
    assert ask(erp.url, second.cursor, delivers=delivers, cursor="changed_at") is None
    erp.run(line("b", "1", at))
    third = ask(erp.url, second.cursor, delivers=delivers, cursor="changed_at")
    assert [row[0] for row in rows(third)].count("b") == (1 if delivers == "events" else 3)


def test_too_many_ties_come_again_or_are_refused(erp: Erp, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(querying, "MOST_TIES", 3)
    erp.run(*(line(str(n), "1", "2026-03-01") for n in range(5)))
    first = ask(erp.url, cursor="changed_at")
    assert first is not None and first.cursor is not None and first.cursor["rows"] == {}
    assert ask(erp.url, first.cursor, cursor="changed_at") is None  # the very same bytes
    erp.run(line("9", "1", "2026-03-01"))
    assert len(rows(ask(erp.url, first.cursor, cursor="changed_at"))) == 6
    with pytest.raises(FetchFailed, match=r"more than 3 rows have the same changed_at"):
        ask(erp.url, delivers="events", cursor="changed_at")


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("bigint", ["9", "10", "99999999999"]),
        ("numeric", ["9.5", "10.25", "100.125"]),
        ("text", ["10", "9", "a b"]),
        ("date", ["2026-03-01", "2026-03-02", "2026-03-03"]),
        ("timestamp", ["2026-03-01 10:00", "2026-03-01 10:00:01", "2026-03-02 00:00"]),
        ("uuid", [f"0000000{n}-0000-0000-0000-000000000000" for n in (1, 2, 3)]),
    ],
)
def test_a_cursor_may_be_of_any_ordered_type(erp: Erp, ask: Ask, type_: str, values: list[str]) -> None:
    erp.run(f"alter table lines alter column changed_at type {type_} using null")
    erp.run(line("1", "1", values[0]), line("2", "1", values[1]))
    first = ask(erp.url, cursor="changed_at")
    assert [row[0] for row in rows(first)] == ["1", "2"]
    assert first is not None
    erp.run(line("3", "1", values[2]))
    assert [row[0] for row in rows(ask(erp.url, first.cursor, cursor="changed_at"))] == ["2", "3"]


def test_rows_without_a_cursor_value_are_not_lost_in_silence(erp: Erp, ask: Ask) -> None:
    erp.run(line("1", "1", "2026-03-01"), "insert into lines values ('2', 1, '2026-03-01', 'Tea', 1, null)")
    with pytest.raises(FetchFailed, match=r"erp: 1 rows of the query have no changed_at.*coalesce"):
        ask(erp.url, cursor="changed_at")


def test_without_a_cursor_the_whole_answer_comes_when_it_changed(erp: Erp, ask: Ask) -> None:
    erp.run(line("1", "1", "2026-03-01"), line("2", "1", "2026-03-01"))
    query = LINES + " order by order_id"
    first = ask(erp.url, query=query, delivers="days")
    assert len(rows(first)) == 2
    assert first is not None
    assert ask(erp.url, first.cursor, query=query, delivers="days") is None
    erp.run(line("3", "1", "2026-03-01"))
    assert len(rows(ask(erp.url, first.cursor, query=query, delivers="days"))) == 3


def test_an_empty_answer_is_no_delivery(erp: Erp, ask: Ask) -> None:
    assert ask(erp.url, cursor="changed_at") is None
    assert ask(erp.url) is None


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from lines where 1 = nextval('s')", "the query would write, and only reading is allowed"),
        ("select nothing from lines", 'refused: column "nothing" does not exist'),
        ("select * from missing", 'refused: relation "missing" does not exist'),
        ("select order_id, line, product from lines", r"erp: .*date.*\[COLUMN_MISSING\]"),
        ("select *, array[1, 2] as sizes from lines", "the column sizes cannot be read as text: list is no"),
    ],
)
def test_a_query_that_cannot_be_is_one_sentence(erp: Erp, ask: Ask, query: str, said: str) -> None:
    erp.run("create sequence if not exists s", line("1", "1", "2026-03-01"))
    with pytest.raises(FetchFailed, match=said):
        ask(erp.url, query=query)


def test_a_cursor_that_the_query_lacks_names_the_columns_there_are(erp: Erp, ask: Ask) -> None:
    with pytest.raises(FetchFailed, match="no column modified; it has order_id, line, sold_on, product"):
        ask(erp.url, cursor="modified")


def test_a_slow_query_is_given_up(erp: Erp, ask: Ask) -> None:
    erp.run(line("1", "1", "2026-03-01"))
    with pytest.raises(FetchFailed, match="the query took longer than 1 s"):
        ask(erp.url, query="select lines.*, pg_sleep(5) from lines", timeout_s=1)


def test_a_connection_lost_midway_leaves_nothing(
    erp: Erp, ask: Ask, server: embedded.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    erp.run(
        "insert into lines select n, 1, '2026-03-01', 'Mug', 1, now() from generate_series(1, 20000) as n"
    )
    write = querying.line

    def cut(cells: Any) -> bytes:
        if cells[0] == "7000":
            with server.connect_as_superuser() as admin:
                admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                    [erp.database],
                )
        return write(cells)

    monkeypatch.setattr(querying, "line", cut)
    with pytest.raises(FetchFailed, match="connection was lost midway, nothing was taken over"):
        ask(erp.url, query=LINES + " order by order_id::int")


def test_passwords_and_addresses_stand_in_no_sentence(erp: Erp, ask: Ask, server: embedded.Server) -> None:
    wrong = erp.url.replace("s3cret", "canary")
    nonsense = ("postgresql://u:canary@[bad", "canary", "nosuch://u:canary@h/d", "oracle://u:canary@h/d")
    elsewhere = (wrong.replace("erp_", "nobody_", 1), wrong.replace(str(server.port), "9"))
    for url in (wrong, *elsewhere, *nonsense):
        with pytest.raises(FetchFailed) as caught:
            ask(url)
        assert "canary" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert "\n" not in str(caught.value)


def test_an_unset_variable_and_a_missing_driver_say_what_to_do(ask: Ask) -> None:
    with pytest.raises(FetchFailed, match="erp: ERP_URL is not set"):
        ask(None)
    with pytest.raises(FetchFailed, match="driver is not installed: pip install"):
        ask("mysql+pymysql://u:p@h/d")


def test_sqlite_is_read_and_never_made(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "till ?.db"
    with pytest.raises(FetchFailed, match="there is no database file"):
        ask(f"sqlite:///{tmp_path}/none.db")
    assert not (tmp_path / "none.db").exists()
    with sqlite3.connect(path) as conn:
        conn.execute("create table lines (order_id, line, sold_on, product, amount, changed_at)")
        conn.execute("insert into lines values ('007', 1, '2026-03-01', null, 19.99, '2026-03-01 10:00:00')")
    url = f"sqlite:///{str(path).replace('?', '%3F')}"
    before = path.read_bytes()
    first = ask(url, cursor="changed_at")
    assert rows(first) == [["007", "1", "2026-03-01", "", "19.99", "2026-03-01 10:00:00"]]
    assert first is not None
    with sqlite3.connect(path) as conn:
        conn.execute("insert into lines values ('008', 1, '2026-03-01', 'Tea', 1, '2026-03-01 10:00:00')")
    assert path.read_bytes() != before
    assert [row[0] for row in rows(ask(url, first.cursor, cursor="changed_at"))] == ["007", "008"]


def test_memory_stays_flat_while_rows_stream(erp: Erp, ask: Ask) -> None:
    query = (
        "select n as order_id, 1 as line, date '2026-03-01' as sold_on, repeat('x', 400) as product,"
        " 1 as amount from generate_series(1, {}) as n"
    )
    ask(erp.url, query=query.format(1_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    fetched = ask(erp.url, query=query.format(150_000))
    assert fetched is not None
    assert fetched.path.stat().st_size > 60_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # kB


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("delete from lines", "write a select"),
        ("select 1; drop table lines", "one select, not several"),
        ("with gone as (delete from lines returning *) select * from gone", "delete would write"),
        ("select * into copy_of_lines from lines", "into would write"),
        ("select * from lines for update", "update would write"),
        ("/* select */ truncate lines", "write a select"),
        ("vacuum", "write a select"),
    ],
)
def test_only_a_select_may_stand_in_a_contract(query: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DatabaseSource(url_env="ERP_URL", query=query)


@pytest.mark.parametrize(
    "query",
    [
        "select * from lines;",
        "with recent as (select 1) select * from recent",
        "select 'delete; drop' as \"update\" -- truncate\nfrom lines /* ; */",
        "(select 1) union all (select 2)",
        "select deleted, updated_at, created from orders",
    ],
)
def test_a_select_in_any_dress_may(query: str) -> None:
    assert DatabaseSource(url_env="ERP_URL", query=query).query in (query, query[:-1])


def test_the_cursor_is_kept_as_json_and_found_again() -> None:
    from ingestion.sources.sql_values import kept, restored  # noqa: PLC0415

    moment = datetime.fromisoformat("2026-03-01T10:00:00.123456+01:00")
    assert restored(kept(moment)) == moment
    with pytest.raises(TypeError):
        kept(True)
