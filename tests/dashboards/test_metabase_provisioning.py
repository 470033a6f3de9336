"""Bringing dashboards to Metabase: what a run does, and what is left when things go wrong."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from dashboards.metabase.connecting import FILE_NAME, kept_key
from dashboards.metabase.site import Person
from dashboards.metabase.wanted import Placed, WantedTab, entity_id
from tests.dashboards.metabase_cases import (
    PASSWORD,
    RELEASES,
    WANTED,
    Installation,
    board,
    card,
    changed,
    installed,
    words,
)
from tests.dashboards.metabase_server import ALL_USERS, Fault
from warehouse.errors import ShopxError


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts are skipped; how often something is tried stays as it is."""
    monkeypatch.setattr("dashboards.metabase.client.time.sleep", lambda _seconds: None)


@pytest.mark.parametrize("release", RELEASES)
def test_a_first_run_makes_everything_and_a_second_writes_nothing(release: int) -> None:
    with installed(release) as it:
        planned = it.plan()
        assert planned[0].startswith("set up Metabase")
        assert it.metabase.writes() == []
        it.apply()
        first = len(it.metabase.writes())
        assert first > 0
        assert it.plan() == []
        assert it.apply() == []
        assert len(it.metabase.writes()) == first
        assert it.metabase.dropped == []
        assert {c["entity_id"] for c in it.metabase.cards.values()} == {
            entity_id(c.key) for c in WANTED.cards
        }
        sales = it.dashboard()
        assert [t["name"] for t in sales["tabs"]] == ["Overview", "Channels"]
        assert len(sales["dashcards"]) == 6


def test_the_plan_of_an_empty_metabase_names_all_that_a_first_run_does() -> None:
    with installed() as it:
        planned = words(it.plan())
        done = words([str(change) for change in it.apply()])
    # rights are changed where there is something to have rights to
    assert {c for c in done - planned if "rights" not in c} == set()
    # and the set-up names the site
    assert {c for c in planned - done if "rights" not in c} == {"update setting site-name"}


def test_the_doors_are_closed_before_there_is_anything_to_see() -> None:
    with installed() as it:
        it.apply()
        paths = [r.path for r in it.metabase.writes()]
        first_card = paths.index("/api/card")
        assert max(paths.index("/api/permissions/graph"), paths.index("/api/collection/graph")) < first_card
        m = it.metabase
        [place] = m.collections
        [database] = m.databases
        assert (ALL_USERS, "root") not in m.collection_rights
        assert (ALL_USERS, str(place)) not in m.collection_rights
        assert m.data_rights[(ALL_USERS, database)]["create-queries"] == "no"
        by_name = {name: number for number, name in m.groups.items()}
        assert m.collection_rights[(by_name["ShopX users"], str(place))] == "read"
        assert m.data_rights[(by_name["ShopX managers"], database)]["create-queries"] == "query-builder"


@pytest.mark.parametrize("release", RELEASES)
def test_what_somebody_changed_by_hand_is_named_and_put_back(release: int) -> None:
    with installed(release) as it:
        it.apply()
        m, sales = it.metabase, it.dashboard()
        ids = {p["id"] for p in sales["dashcards"]}
        it.card("Card sales_total")["dataset_query"]["native"]["query"] = "select 1"
        it.card("Card sales_by_day")["visualization_settings"]["graph.metrics"] = ["other"]
        it.card("Card only")["archived"] = True
        sales["dashcards"][0]["size_x"] = 5
        sales["parameters"][0]["default"] = "past7days"
        place = next(iter(m.collections))
        stray = m.post_card({
            "name": "Mine", "display": "table", "visualization_settings": {}, "collection_id": place,
            "dataset_query": {"database": 1, "type": "native", "native": {"query": "select 1"}},
        })  # fmt: skip
        m.collection_rights[(ALL_USERS, str(place))] = "read"
        m.data_rights[(ALL_USERS, 1)]["create-queries"] = "query-builder"

        planned = it.plan()
        assert words(planned) >= {
            "update card Card sales_total",
            "update card Card sales_by_day",
            "restore card Card only",
            "update dashboard Sales overview",
            "archive card Mine",
            "update rights to query",
            "update rights to collections",
        }
        assert "update card Card sales_total: sql" in planned
        assert "update card Card sales_by_day: settings" in planned
        assert [str(change) for change in it.apply()] == planned
        assert it.plan() == []
        assert {p["id"] for p in it.dashboard()["dashcards"]} == ids, "subscriptions hang on these ids"
        assert m.cards[stray["id"]]["archived"], "archived, never deleted"


def test_what_was_deleted_is_made_again_with_the_same_identity() -> None:
    with installed() as it:
        it.apply()
        m = it.metabase
        gone = it.card("Card sales_total")
        del m.cards[gone["id"]]
        for dashboard in m.dashboards.values():
            dashboard["dashcards"] = [p for p in dashboard["dashcards"] if p["card_id"] != gone["id"]]
        del m.dashboards[it.dashboard("Stock")["id"]]
        assert {"create card Card sales_total", "create dashboard Stock"} <= words(it.plan())
        it.apply()
        assert it.card("Card sales_total")["entity_id"] == gone["entity_id"]
        assert it.plan() == []


def test_a_dashboard_and_a_tab_keep_their_ids_through_a_new_name_of_the_dashboard() -> None:
    with installed() as it:
        it.apply()
        before = it.dashboard()
        renamed = board(name="Overview", renamed_from=("Sales overview",))
        wanted = changed(dashboards=(renamed, WANTED.dashboards[1]))
        assert it.plan(wanted) == ["update dashboard Overview: name"]
        it.apply(wanted)
        after = it.dashboard("Overview")
        assert after["id"] == before["id"]
        assert [t["id"] for t in after["tabs"]] == [t["id"] for t in before["tabs"]]
        assert len([d for d in it.metabase.dashboards.values() if not d["archived"]]) == 2


def test_what_left_the_files_is_archived_in_our_collection_and_nowhere_else() -> None:
    with installed() as it:
        it.apply()
        elsewhere = it.metabase.post_dashboard({"name": "Somebody's own", "collection_id": None})
        wanted = changed(dashboards=WANTED.dashboards[:1])
        assert words(it.plan(wanted)) == {"archive card Card only", "archive dashboard Stock"}
        assert it.plan(replace(wanted, prune=False)) == []
        it.apply(wanted)
        assert it.plan(wanted) == []
        assert not it.metabase.dashboards[elsewhere["id"]]["archived"]
        # and back again: the same dashboard, out of the trash
        assert {"restore dashboard Stock", "restore card Card only"} <= words(it.plan())
        it.apply()
        assert len(it.metabase.dashboards) == 3


def test_a_card_moved_away_is_fetched_back() -> None:
    with installed() as it:
        it.apply()
        it.card("Card only")["collection_id"] = None
        assert it.plan() == ["update card Card only: collection"]
        it.apply()
        assert it.plan() == []


def undisturbed(release: int) -> tuple[object, int]:
    with installed(release) as it:
        it.apply()
        return it.state(), it.metabase.ids["card"] and len(
            [r for r in it.metabase.requests if r.method != "GET"]
        )


@pytest.mark.parametrize("after", [False, True], ids=["refused", "done but the answer is lost"])
def test_interrupted_at_any_write_the_next_run_ends_in_the_same_state(after: bool) -> None:
    state, writes = undisturbed(64)
    assert writes > 15
    for nth in range(1, writes + 1):
        with installed(64) as it:
            it.metabase.fault = Fault(nth=nth, status=500, after=after)
            try:
                it.apply()
            except ShopxError as problem:
                assert "Metabase" in str(problem)
            it.metabase.fault = None
            it.apply()
            assert it.state() == state, f"write {nth}"
            assert it.plan() == [], f"write {nth}"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_busy_server_is_asked_again_and_nothing_is_made_twice(status: int, after: bool) -> None:
    state, writes = undisturbed(62)
    for nth in range(1, writes + 1, 7):
        with installed(62) as it:
            it.metabase.fault = Fault(nth=nth, status=status, after=after, retry_after="0")
            it.apply()
            assert it.state() == state, f"write {nth}"


def test_a_dead_line_after_a_write_makes_nothing_twice() -> None:
    state, writes = undisturbed(64)
    for nth in range(4, writes + 1, 4):
        with installed(64) as it:
            it.metabase.fault = Fault(nth=nth, status=0, after=True)
            it.apply()
            assert it.state() == state, f"write {nth}"


def test_two_runs_at_once_from_one_home_take_turns() -> None:
    with installed() as it:
        together(it, it)
        assert it.plan() == []
        assert sorted(d["name"] for d in it.metabase.dashboards.values()) == ["Sales overview", "Stock"]


def test_two_runs_at_once_from_two_machines_end_with_one_of_each(tmp_path: Path) -> None:
    with installed() as it:
        other = Installation(it.metabase, it.settings.model_copy(update={"home": tmp_path}))
        errors = together(it, other)
        assert len(errors) < 2
        it.apply()
        assert it.plan() == [] and other.plan() == []
        for kept in (it.metabase.dashboards, it.metabase.collections, it.metabase.cards):
            names = [x["name"] for x in kept.values() if not x["archived"]]
            assert len(names) == len(set(names))


def together(*installations: Installation) -> list[ShopxError]:
    errors: list[ShopxError] = []

    def run(one: Installation) -> None:
        try:
            one.apply()
        except ShopxError as problem:
            errors.append(problem)

    threads = [threading.Thread(target=run, args=(one,)) for one in installations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


def test_a_graph_that_somebody_else_writes_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed() as it:
        put, raced = it.metabase.put_collection_graph, []

        def race(body: object) -> object:
            if not raced:
                raced.append(True)
                it.metabase.revisions["collection"] += 1
            return put(body)

        it.metabase.put_collection_graph = race  # type: ignore[method-assign]
        it.apply()
        assert [
            r.status for r in it.metabase.requests if r.path == "/api/collection/graph" and r.method == "PUT"
        ] == [
            409,
            200,
        ]


def test_a_slow_sync_is_waited_for_and_an_endless_one_names_the_column() -> None:
    with installed(syncs_after=3) as it:
        it.apply()
        assert it.plan() == []
    with (
        installed(syncs_after=10**6) as it,
        pytest.raises(ShopxError, match=r"marts\.daily_sales\.sale_date"),
    ):
        it.apply(replace(WANTED, sync_limit_s=0.05))


def test_a_query_that_is_taken_and_not_kept_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with installed(61) as it:
        it.metabase.take_query = lambda query: {}  # type: ignore[method-assign]
        with pytest.raises(ShopxError, match=r"card Card sales_by_day and did not keep its .*sql"):
            it.apply()


def test_a_changed_password_of_the_warehouse_is_written_again() -> None:
    with installed() as it:
        it.apply()
        new = "reader-secret-new"
        it.metabase.can_connect = lambda details: details.get("password") == new
        wanted = changed(connection=replace(WANTED.connection, password=new))
        assert it.plan(wanted) == ["update database ShopX warehouse: it cannot connect: password"]
        it.apply(wanted)
        assert it.plan(wanted) == []


def test_a_warehouse_that_metabase_cannot_reach_is_said_without_the_password() -> None:
    with installed() as it:
        it.metabase.can_connect = lambda details: False
        with pytest.raises(ShopxError) as caught:
            it.apply()
        assert PASSWORD not in str(caught.value)
        it.metabase.can_connect = lambda details: True
        it.apply()
        it.metabase.can_connect = lambda details: False
        with pytest.raises(ShopxError, match=r"refused PUT /api/database/1 \(400\)"):
            it.apply()


def test_telemetry_ends_off_also_where_the_environment_says_so() -> None:
    with installed() as it:
        it.apply()
        assert it.metabase.settings["anon-tracking-enabled"] is False
    with installed(environment={"anon-tracking-enabled": False}) as it:
        it.apply()
        assert it.plan() == []


def test_no_secret_is_in_a_plan_a_message_or_a_readable_file() -> None:
    with installed() as it:
        said = "".join([*it.plan(), *map(str, it.apply())])
        kept = it.settings.home / FILE_NAME
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        key = kept_key(it.settings, str(it.settings.metabase_url))
        assert key and key.startswith("mb_")
        for secret in (PASSWORD, "admin-secret-77ac", key):
            assert secret not in said
            assert secret not in repr(it.settings) and secret not in repr(WANTED)
        assert PASSWORD not in kept.read_text()


def test_a_lost_or_revoked_key_is_made_anew_and_not_beside_the_old_one() -> None:
    with installed() as it:
        it.apply()
        (it.settings.home / FILE_NAME).unlink()
        assert it.plan() == []
        it.metabase.keys[1]["key"] = "mb_revoked"
        assert it.plan() == []
        assert len(it.metabase.keys) == 1


def test_a_given_key_is_used_and_a_wrong_one_says_which_variable_to_check() -> None:
    with installed() as it:
        it.apply()
        key = it.metabase.mint("given")
        given = it.settings.model_copy(update={"metabase_api_key": SecretStr(key), "metabase_user": None})
        assert Installation(it.metabase, given).plan() == []
        wrong = it.settings.model_copy(update={"metabase_api_key": SecretStr("mb_wrong")})
        with pytest.raises(ShopxError, match="METABASE_API_KEY"):
            Installation(it.metabase, wrong).plan()
        nobody = it.settings.model_copy(update={"metabase_user": None, "home": it.settings.home / "none"})
        with pytest.raises(ShopxError, match="METABASE_USER and METABASE_PASSWORD"):
            Installation(it.metabase, nobody).plan()
        stranger = it.settings.model_copy(
            update={"metabase_password": SecretStr("no"), "home": it.settings.home / "none"}
        )
        with pytest.raises(ShopxError, match="did not match stored password") as caught:
            Installation(it.metabase, stranger).plan()
        assert "METABASE_PASSWORD" in str(caught.value)


def test_people_get_the_group_of_their_role_and_no_other_of_ours() -> None:
    with installed() as it:
        it.apply()
        m = it.metabase
        [ada] = [u for u in m.users.values() if u["email"] == "ada@shop.example"]
        assert (ada["first_name"], ada["last_name"]) == ("Ada", "King Lovelace")
        assert m.mails == ["invitation to ada@shop.example"]
        by_name = {name: number for number, name in m.groups.items()}
        assert groups_of(it, ada["id"]) == {ALL_USERS, by_name["ShopX managers"]}
        m.groups[9] = "Somebody's own group"
        m._join(ada["id"], 9)
        ada["is_active"] = False
        demoted = changed(people=(Person(email="ADA@shop.example", role="user"),))
        assert words(it.plan(demoted)) == {"restore user ada@shop.example", "update user ada@shop.example"}
        it.apply(demoted)
        assert groups_of(it, ada["id"]) == {ALL_USERS, by_name["ShopX users"], 9}
        assert ada["is_active"]
        # who is not named is left alone
        assert it.plan(changed(people=())) == []


def groups_of(it: Installation, user: int) -> set[int]:
    return {m["group_id"] for m in it.metabase.memberships.values() if m["user_id"] == user}


def test_a_filter_that_goes_takes_only_its_own_subscriptions_with_it() -> None:
    with installed() as it:
        it.apply()
        sales = it.dashboard()
        for number, parameter in enumerate(sales["parameters"]):
            it.metabase.post_pulse({
                "name": f"pulse {number}", "dashboard_id": sales["id"], "cards": [], "channels": [],
                "parameters": [{"id": parameter["id"]}],
            })  # fmt: skip
        moved = board(tabs=tuple(reversed(board().tabs)))
        it.apply(changed(dashboards=(moved, WANTED.dashboards[1])))
        assert not any(p["archived"] for p in it.metabase.pulses.values())


def test_the_same_card_twice_and_a_card_more_keep_the_other_ids() -> None:
    with installed() as it:
        it.apply()
        before = {(p["card_id"], p["row"], p["col"]): p["id"] for p in it.dashboard()["dashcards"]}
        first, second = board().tabs
        more = WantedTab(first.name, (*first.placed, Placed((0, 20, 6, 4), card=card("new"))))
        it.apply(changed(dashboards=(board(tabs=(more, second)), WANTED.dashboards[1])))
        after = {(p["card_id"], p["row"], p["col"]): p["id"] for p in it.dashboard()["dashcards"]}
        assert before.items() <= after.items() and len(after) == len(before) + 1


def test_no_server_and_something_else_on_its_port_are_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboards.metabase.connecting.START_LIMIT_S", 0.2)
    monkeypatch.setattr("dashboards.metabase.provisioning.wait_until_healthy", _impatient)
    with installed() as it:
        url = str(it.settings.metabase_url)
    with pytest.raises(ShopxError, match=f"No Metabase answers at {url}/api/health"):
        Installation(it.metabase, it.settings).plan()


def _impatient(url: str, **_more: object) -> None:
    from dashboards.metabase.connecting import wait_until_healthy  # noqa: PLC0415

    wait_until_healthy(url, limit_s=0.1)


def test_what_is_sent_says_nothing_that_the_next_version_would_drop() -> None:
    with installed(63) as it:
        it.apply()
        assert it.metabase.dropped == []
        assert all(json.dumps(r.body) for r in it.metabase.writes())


def test_the_suite_for_a_live_server_runs_against_the_stand_in() -> None:
    with installed() as it:
        it.apply(changed(dashboards=()))
        environment = {
            **os.environ,
            "METABASE_URL": str(it.settings.metabase_url),
            "METABASE_API_KEY": it.metabase.mint("live"),
            "METABASE_WAREHOUSE": f"postgresql://shopx_reader:{PASSWORD}@127.0.0.1:5432/warehouse",
        }
        suite = Path(__file__).with_name("test_metabase_live.py")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(suite)],
            cwd=suite.parents[2],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "5 passed" in done.stdout, done.stdout[-3000:]
        assert not [d for d in it.metabase.dashboards.values() if not d["archived"]]
