"""The scenarios of the stand-in against a real Metabase, where METABASE_URL names one.

It needs METABASE_API_KEY (group Administrators), and METABASE_WAREHOUSE: a PostgreSQL URL under which that
Metabase reaches a warehouse of ours.
Everything is made under names of its own and archived at the end.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from dashboards.metabase.changes import Change
from dashboards.metabase.client import MetabaseClient
from dashboards.metabase.database import Connection
from dashboards.metabase.doctor import doctor
from dashboards.metabase.provisioning import Wanted, apply, plan
from dashboards.metabase.reading import listed
from tests.dashboards.metabase_cases import WANTED, board
from warehouse.settings import Settings

# read before any fixture empties the environment
URL, KEY, WAREHOUSE = (
    os.environ.get(name) for name in ("METABASE_URL", "METABASE_API_KEY", "METABASE_WAREHOUSE")
)
NAME = "ShopX test"

pytestmark = pytest.mark.skipif(
    not (URL and KEY and WAREHOUSE),
    reason="no live Metabase: METABASE_URL, METABASE_API_KEY and METABASE_WAREHOUSE are not set",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        home=tmp_path_factory.mktemp("live"),
        warehouse_url=None,
        metabase_url=URL,
        metabase_api_key=SecretStr(KEY or ""),
    )


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    address = urlsplit(WAREHOUSE or "")
    site = WANTED.site.model_copy(
        update={
            "collection": WANTED.site.collection.model_copy(update={"name": NAME}),
            "database": WANTED.site.database.model_copy(update={"name": NAME, "schemas": ("marts",)}),
            "groups": tuple(g.model_copy(update={"name": f"{NAME} {g.role}"}) for g in WANTED.site.groups),
        }
    )
    connection = Connection(
        host=address.hostname or "",
        port=address.port or 5432,
        database=address.path.strip("/"),
        user=address.username or "",
        password=address.password or "",
    )
    return replace(WANTED, site=site, connection=connection, people=(), sync_limit_s=120)


@pytest.fixture(scope="module")
def client(settings: Settings, wanted: Wanted) -> Iterator[MetabaseClient]:
    apply(settings, wanted)
    made = MetabaseClient(URL or "", KEY or "")
    yield made
    for found in listed(made.get("/api/collection")):
        if found["name"] == NAME:
            made.put(f"/api/collection/{found['id']}", {"archived": True})


def test_a_second_run_changes_nothing(settings: Settings, wanted: Wanted, client: MetabaseClient) -> None:
    assert plan(settings, wanted) == []
    assert apply(settings, wanted) == []


def test_every_card_is_answered(wanted: Wanted, client: MetabaseClient) -> None:
    for card in wanted.cards:
        number = client.get(f"/api/card/{card.entity_id}")["id"]
        said = client.post(f"/api/card/{number}/query", {}, found=lambda: None)
        assert said.get("status") == "completed", (card.name, said.get("error"))


def test_what_was_changed_by_hand_is_named_and_put_back(
    settings: Settings, wanted: Wanted, client: MetabaseClient
) -> None:
    card = client.get(f"/api/card/{wanted.cards[0].entity_id}")
    client.put(f"/api/card/{card['id']}", {"name": "Changed by hand"})
    named = plan(settings, wanted)
    assert named == [Change("update", "card", wanted.cards[0].name, "name")]
    assert apply(settings, wanted) == named
    assert plan(settings, wanted) == []


def test_a_new_name_and_a_card_less_keep_the_dashboard(
    settings: Settings, wanted: Wanted, client: MetabaseClient
) -> None:
    def dashboards() -> dict[str, int]:
        [place] = [c["id"] for c in listed(client.get("/api/collection")) if c["name"] == NAME]
        items = listed(client.get(f"/api/collection/{place}/items"))
        return {str(i["name"]): int(i["id"]) for i in items if i["model"] == "dashboard"}

    before = dashboards()
    renamed = board(name="Renamed", renamed_from=("Sales overview",))
    changed = replace(wanted, dashboards=(renamed,))
    apply(settings, changed)
    assert dashboards() == {"Renamed": before["Sales overview"]}
    apply(settings, replace(wanted, dashboards=(board(renamed_from=("Renamed",)), wanted.dashboards[1])))
    assert plan(settings, wanted) == []


def test_the_server_describes_its_api_as_we_use_it(
    settings: Settings, wanted: Wanted, tmp_path: Path
) -> None:
    lines = {line.check: line for line in doctor(settings, wanted.site)}
    assert lines["API"].good, lines["API"].seen
    assert lines["version"].good, lines["version"].seen
