"""The boards of the files in a Metabase: compiled, applied, exported, by command and in Dagster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.answers.page import reading_as_reader
from dashboards.answers.state import FilterState
from dashboards.metabase.compiling import BASE_NAME, compiled
from dashboards.metabase.connecting import connect
from dashboards.metabase.database import connection_of
from dashboards.metabase.exporting import export
from dashboards.metabase.gathering import wanted_of
from dashboards.metabase.people import read_people
from dashboards.metabase.provisioning import Wanted
from dashboards.metabase.reading import card_state
from dashboards.metabase.site import load_site
from dashboards.metabase.trust import KEY as TRUST
from dashboards.metabase.trust import trust_card
from dashboards.metabase.wanted import WantedCard
from dashboards.spec.loading import FOLDER, load_boards
from dashboards.spec.model import BASE, DAY, TAG
from orchestration.cli.dashboards import dashboards
from tests.conftest import fresh_warehouse
from tests.dashboards.figures import make_marts, publish_days
from tests.dashboards.metabase_cases import OPENAPI, Installation, installed
from tests.dashboards.metabase_contract import judge
from warehouse.database import Warehouse
from warehouse.embedded import Server
from warehouse.errors import ShopxError


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Warehouse]:
    """Published marts of a small shop; read only."""
    with fresh_warehouse(server) as warehouse:
        make_marts(warehouse)
        publish_days(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def wanted(shop: Warehouse) -> Wanted:
    return wanted_of(shop)


@pytest.fixture(scope="module")
def tables(shop: Warehouse) -> dict[str, dict[str, list[str]]]:
    """What a sync finds: what the reader's role may see."""
    found: dict[str, dict[str, list[str]]] = {}
    with shop.connect("reader") as connection:
        for schema, table, column in connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
            " where table_schema in ('marts', 'ops')"
        ):
            found.setdefault(schema, {}).setdefault(table, []).append(column)
    return found


@pytest.fixture
def metabase(shop: Warehouse, tables: Any) -> Iterator[Installation]:
    with installed(64, contract=judge(OPENAPI) if OPENAPI.is_file() else None) as it:
        it.metabase.tables = tables
        password = shop.passwords["reader"]
        it.metabase.can_connect = lambda details: details.get("password") == password
        yield it


def test_every_board_every_tab_and_every_card_is_brought(wanted: Wanted, metabase: Installation) -> None:
    metabase.apply(wanted)
    boards = load_boards()
    m = metabase.metabase
    assert {d["name"] for d in m.dashboards.values()} == {b.name for b in boards}
    assert len(m.cards) == 1 + sum(len(b.cards) for b in boards)
    for board in boards:
        live = metabase.dashboard(board.name)
        assert [t["name"] for t in live["tabs"]] == (
            [t.name for t in board.tabs] if len(board.tabs) > 1 else []
        )
        trust = metabase.card("How far, how fresh, how complete")["id"]
        strips = [p for p in live["dashcards"] if p["card_id"] == trust]
        assert len(strips) == len(board.tabs) and {p["row"] for p in strips} == {0}
    assert metabase.plan(wanted) == []
    assert (m.violations, m.dropped) == ([], [])
    sent = len(m.writes())
    metabase.apply(wanted)
    assert len(m.writes()) == sent


def test_nothing_lies_over_something_else_or_beside_the_grid(wanted: Wanted) -> None:
    for board in wanted.dashboards:
        for tab in board.tabs:
            taken: set[tuple[int, int]] = set()
            for part in tab.placed:
                column, row, width, height = part.at
                cells = {(c, r) for c in range(column, column + width) for r in range(row, row + height)}
                assert column + width <= 24 and not cells & taken, (board.key, tab.name, part.at)
                taken |= cells


def test_a_variable_is_the_column_that_the_viewer_filters_by(wanted: Wanted, metabase: Installation) -> None:
    metabase.apply(wanted)
    m = metabase.metabase
    names = {
        f["id"]: f"{t['schema']}.{t['name']}.{f['name']}" for t in m.fields.values() for f in t["fields"]
    }
    for board in load_boards():
        live = metabase.dashboard(board.name)
        slugs = {p["id"]: p["slug"] for p in live["parameters"]}
        for key, card in board.cards.items():
            [kept] = [
                c
                for c in m.cards.values()
                if c["name"] == card.name and card.sql == c["dataset_query"]["native"]["query"]
            ]
            state = card_state(m.give_card(kept))
            assert {n: names[f["field"]] for n, f in state["filters"].items()} == {
                n: card.filters[n] for n in TAG.findall(card.sql)
            }, key
            # each filter of the board reaches each card that can obey it, and no other
            mapped = [
                {slugs[x["parameter_id"]] for x in p["parameter_mappings"]}
                for p in live["dashcards"]
                if p["card_id"] == kept["id"]
            ]
            assert all(one == set(TAG.findall(card.sql)) for one in mapped) and mapped, key


def test_what_a_figure_is_and_which_filter_it_ignores_stands_on_its_tab(wanted: Wanted) -> None:
    for board, one in zip(load_boards(), wanted.dashboards, strict=True):
        for tab, made in zip(board.tabs, one.tabs, strict=True):
            text = "\n".join(p.text for p in made.placed if p.text)
            for part in tab.layout:
                if part.card is None:
                    continue
                card = board.cards[part.card]
                assert card.definition in text and card.source in text
                assert all(reason in text for reason in card.ignores.values())


def test_periods_end_with_the_publication_and_not_with_metabases_clock(wanted: Wanted) -> None:
    overview = wanted.dashboards[0]
    filters = {f.key: f for f in overview.filters}
    assert filters["day"].default == "2026-05-04~2026-05-31"
    assert (filters[BASE].name, filters[BASE].default) == (BASE_NAME, "2026-04-06~2026-05-03")
    assert not any("now()" in c.sql or "current_date" in c.sql for c in wanted.cards)


def expanded(card: WantedCard, values: dict[str, str | None]) -> str:
    """A card's SQL as Metabase expands it: a filter becomes a condition on its column; one that is not set is
    true, and what stands in [[ ]] with it is left out.
    """
    columns = {v.name: v for v in card.variables}

    def condition(name: str) -> str:
        value, variable = values.get(name), columns[name]
        column = ".".join(f'"{part}"' for part in variable.column.split("."))
        if value is None:
            return "1 = 1"
        if variable.type.startswith("date/"):
            first, last = value.split("~")
            return f"{column} BETWEEN date '{first}' AND date '{last}'"
        return f"{column} IN ('{value}')"

    def optional(match: re.Match[str]) -> str:
        return match[1] if all(values.get(name) for name in TAG.findall(match[1])) else ""

    text = re.sub(r"\[\[(.*?)\]\]", optional, card.sql, flags=re.DOTALL)
    return TAG.sub(lambda match: condition(match[1]), text)


def test_each_card_answers_in_metabases_form_what_it_answers_in_ours(shop: Warehouse, wanted: Wanted) -> None:
    cards = {card.key: card for card in wanted.cards}
    filters = {one.key: {f.key: f.default for f in one.filters} for one in wanted.dashboards}
    with reading_as_reader(shop) as page, shop.connect("reader", autocommit=True) as connection:
        for board in load_boards():
            day = board.filters.get(DAY)
            state = FilterState(period=day.default) if day and day.default else FilterState()
            for key, card in board.cards.items():
                plain = card.model_copy(update={"spark": None})
                ours = page.answer(plain, state, board=board).rows
                theirs = connection.execute(expanded(cards[key], filters[board.key]).encode()).fetchall()
                assert sorted(map(repr, theirs)) == sorted(map(repr, ours)), key
                # whatever else may be chosen, it is one statement that runs
                for value in ({}, dict.fromkeys(board.filters, "Leeds") | filters[board.key]):
                    chosen = {**filters[board.key], **value} if value else {}
                    texts = {n: v or "Leeds" for n, v in chosen.items()}
                    connection.execute(expanded(cards[key], texts).encode())


def test_money_is_scaled_and_named_by_its_currency(wanted: Wanted) -> None:
    [net] = [c for c in wanted.cards if c.key == "net_sales"]
    said = net.settings["column_settings"]['["name","net_sales_cents"]']
    assert said["scale"] == 0.01 and said["currency"] == "GBP" and said["column_title"] == "Net sales"


def test_the_trust_strip_says_what_it_says_everywhere(shop: Warehouse) -> None:
    with reading_as_reader(shop) as page, shop.connect("reader") as connection:
        row = connection.execute(trust_card(page.time_zone).sql.encode()).fetchone()
        assert row == (page.trust().text,)


def test_a_new_publication_moves_the_days_and_nothing_else(shop: Warehouse, wanted: Wanted) -> None:
    class Later:
        def __init__(self, page: Any) -> None:
            self._page = page

        def __getattr__(self, name: str) -> Any:
            return getattr(self._page, name)

        def span(self, state: Any) -> Any:
            span = self._page.span(state)
            return replace(span, first=span.first.replace(day=1), previous=None)

    with reading_as_reader(shop) as page:
        later = replace(wanted, dashboards=compiled(load_boards(), Later(page)))  # type: ignore[arg-type]
    with installed(64) as it:
        it.metabase.can_connect = lambda details: True
        it.metabase.tables = {"marts": {}, "ops": {}}
        for column in {v.column for c in wanted.cards for v in c.variables}:
            schema, table, name = column.split(".")
            it.metabase.tables[schema].setdefault(table, []).append(name)
        it.apply(wanted)
        assert {c.split(": ")[1] for c in it.plan(later)} == {"filters"}


def test_what_somebody_changed_in_metabase_can_be_adopted(
    wanted: Wanted, metabase: Installation, tmp_path: Path
) -> None:
    metabase.apply(wanted)
    client = connect(metabase.settings, site_name="ShopX")
    boards = load_boards()
    files = export(client, wanted, boards, tmp_path / "same")
    for file in files:
        # what nobody changed comes back as it went
        ours, theirs = (yaml.safe_load((f / file.name).read_text()) for f in (FOLDER, file.parent))
        assert sorted(map(str, ours["tabs"][0]["layout"])) == sorted(map(str, theirs["tabs"][0]["layout"]))
        assert ours["cards"] == theirs["cards"]
    live = metabase.dashboard("Overview")
    card = metabase.card("Orders")
    card["dataset_query"]["native"]["query"] = "select 7 as orders"
    card["display"] = "table"
    [part] = [p for p in live["dashcards"] if p["card_id"] == card["id"]]
    part["size_x"] = 3
    live["dashcards"].append(
        {
            **part,
            "id": 10_000,
            "row": 90,
            "card_id": metabase.metabase.post_card(
                {
                    "name": "Brand new!",
                    "display": "bar",
                    "visualization_settings": {},
                    "dataset_query": {"database": 1, "type": "native", "native": {"query": "select 8"}},
                }
            )["id"],
        }
    )
    export(client, wanted, boards, tmp_path / "new")
    adopted = yaml.safe_load((tmp_path / "new" / "overview.yaml").read_text())
    assert adopted["cards"]["orders"]["sql"] == "select 7 as orders"
    assert adopted["cards"]["orders"]["display"] == "table"
    assert adopted["cards"]["orders"]["definition"] == boards[0].cards["orders"].definition
    assert adopted["cards"]["brand_new"]["sql"] == "select 8"
    assert [p["at"] for p in adopted["tabs"][0]["layout"] if p.get("card") == "orders"] == [[4, 0, 3, 4]]
    with pytest.raises(ShopxError, match="holds the boards themselves"):
        export(client, wanted, boards, FOLDER)


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit_code: int
    stdout: str


@pytest.fixture
def shopx(
    shop: Warehouse,
    metabase: Installation,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Any:
    """The command in this process, with the environment of the shop and of the stand-in."""
    for name, value in {
        **shop.environment(),
        "METABASE_URL": str(metabase.settings.metabase_url),
        "METABASE_USER": "admin@shop.example",
        "METABASE_PASSWORD": "admin-secret-77ac",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("metabase.json", "users.csv"):
        (shop.settings.home / name).unlink(missing_ok=True)

    def run(*arguments: str) -> Done:
        capfd.readouterr()
        code = dashboards.main(list(arguments), standalone_mode=False, prog_name="shopx dashboards")
        return Done(code if isinstance(code, int) else 0, capfd.readouterr().out)

    return run


def test_plan_apply_and_plan_again_by_command(shopx: Any, shop: Warehouse) -> None:
    first = shopx("plan")
    assert (
        first.exit_code == 2
        and "set up Metabase" in first.stdout
        and "create dashboard Overview" in first.stdout
    )
    done = shopx("apply", "--json")
    assert done.exit_code == 0
    assert {"action": "create", "kind": "dashboard", "name": "Overview", "what": ""} in json.loads(
        done.stdout
    )
    again = shopx("plan")
    assert (again.exit_code, again.stdout.strip()) == (0, "Nothing differs.")
    assert "Nothing to change." in shopx("apply").stdout
    secrets = [*shop.passwords.values(), "admin-secret-77ac"]
    assert not [s for s in secrets if s in first.stdout + done.stdout + again.stdout]


def test_people_come_from_a_file_and_their_passwords_do_not(shopx: Any, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("username,email,role,initial_password\nAda King,ada@shop.example,manager,\n")
    assert "invite user ada@shop.example: manager" in shopx("plan", "--users", str(file)).stdout
    file.write_text("username,email,role,initial_password\nAda King,ada@shop.example,manager,hunter2\n")
    with pytest.raises(ShopxError, match=r"users\.csv, line 2: initial_password is filled") as caught:
        shopx("plan", "--users", str(file))
    assert "hunter2" not in str(caught.value) and caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("email,role\na@b.example,user\n", "line 1: column username is missing"),
        ("username,email,role\nA,a@b.example,boss\n", "line 2: role is 'boss'; expected user or manager"),
        ("username,email,role\nA,nobody,user\n", "line 2: email is 'nobody'"),
        ("username,email,role\nA,a@b.example,user\nB,A@b.example,user\n", "line 3: a@b.example stands twice"),
    ],
)
def test_a_file_of_people_with_a_mistake_names_line_and_column(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "users.csv"
    file.write_text(text)
    with pytest.raises(ShopxError) as caught:
        read_people(file, load_site())
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"site": {"name": ""}}, "site.name"),
        ({"telemetry": True}, "telemetry"),
        ({"groups": [{"name": "All Users", "role": "user"}]}, "Metabase's own group"),
        (
            {"groups": [{"name": "A", "role": "user"}, {"name": "B", "role": "user"}]},
            "role user stands twice",
        ),
        ({"users": [{"email": "a@b.example", "role": "boss"}]}, "no group has role boss"),
        ({"users": [{"email": "a@b.example", "role": "user", "password": "x"}]}, "password"),
    ],
)
def test_a_mistake_in_metabase_yaml_names_its_key(tmp_path: Path, change: Any, said: str) -> None:
    from dashboards.metabase.site import FILE  # noqa: PLC0415

    file = tmp_path / "metabase.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(FILE.read_text()), **change}))
    with pytest.raises(ShopxError, match=r"metabase\.yaml") as caught:
        load_site(file)
    assert said in str(caught.value)


def test_the_doctor_goes_from_outside_to_inside(shopx: Any, metabase: Installation) -> None:
    before = shopx("doctor")
    assert before.exit_code == 1 and "nobody has set it up" in before.stdout
    shopx("apply")
    lines = {line["check"]: line for line in json.loads(shopx("doctor", "--json").stdout)}
    assert all(line["good"] for line in lines.values()), lines
    assert set(lines) == {"server", "version", "login", "telemetry", "API", "warehouse"}


@pytest.mark.parametrize(
    ("tag", "good"),
    [
        ("v0.58.24", True),
        ("v0.58.23", False),
        ("v0.57.99", False),
        ("v0.62.4", False),
        ("v0.64.3.5", True),
        ("v1.64.0", True),
        ("v0.65.1", True),
        ("vLOCAL_DEV", False),
    ],
)
def test_the_doctor_knows_releases_with_a_hole(tag: str, good: bool) -> None:
    from dashboards.metabase.doctor import version_line  # noqa: PLC0415

    assert version_line(tag).good is good


def test_without_an_address_the_command_says_which_variable_to_set(
    monkeypatch: pytest.MonkeyPatch, shopx: Any
) -> None:
    monkeypatch.setenv("METABASE_URL", "")
    with pytest.raises(ShopxError, match=r"METABASE_URL is not set.*docs/metabase\.md"):
        shopx("plan")


def test_dagster_brings_the_dashboards_behind_the_publication_where_there_is_a_metabase(
    shop: Warehouse, shopx: Any, metabase: Installation
) -> None:
    from dagster import AssetKey, Definitions, materialize  # noqa: PLC0415  seconds

    from orchestration.defs.dashboards import in_metabase  # noqa: PLC0415
    from orchestration.defs.resources import BatchSession  # noqa: PLC0415

    assert in_metabase(shop.settings).assets is None
    [asset] = in_metabase(metabase.settings).assets or []
    assert {spec.key for spec in asset.specs} == {AssetKey(["dashboards", b.key]) for b in load_boards()}
    assert {dep.asset_key for spec in asset.specs for dep in spec.deps} == {
        AssetKey(["marts", "publication"])
    }
    given = {"session": BatchSession()}
    loaded = Definitions.merge(
        in_metabase(metabase.settings), Definitions(resources=given)
    ).get_repository_def()
    assert [one.name for one in loaded.get_all_jobs() if not one.name.startswith("__")] == ["dashboards"]
    assert [one.name for one in loaded.sensor_defs] == ["after_publication"]
    # a Metabase that cannot reach the warehouse is an alert, closed by the next success
    reachable = metabase.metabase.can_connect
    metabase.metabase.can_connect = lambda details: False
    assert not materialize([asset], resources=given, raise_on_error=False).success
    assert "Metabase" in open_alerts(shop)[0]
    metabase.metabase.can_connect = reachable
    assert materialize([asset], resources=given).success
    assert metabase.dashboard("Overview")
    assert open_alerts(shop) == []


def open_alerts(shop: Warehouse) -> list[str]:
    with shop.connect("owner") as connection:
        rows = connection.execute("select message from ops.alerts where resolved_at is null").fetchall()
    return [row[0] for row in rows]


def test_the_strip_is_no_card_of_a_board(wanted: Wanted) -> None:
    assert TRUST not in {key for board in load_boards() for key in board.cards}
    assert connection_of.__doc__ and wanted.connection.user == "shopx_reader"
