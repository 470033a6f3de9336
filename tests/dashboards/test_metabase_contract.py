"""What is sent, against Metabase's own description of its API; and what that description refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from dashboards.metabase.doctor import OPERATIONS
from dashboards.metabase.site import Person
from tests.dashboards.metabase_cases import OPENAPI, WANTED, board, changed, installed
from tests.dashboards.metabase_contract import contract_of, judge

pytestmark = pytest.mark.skipif(
    not OPENAPI.is_file(), reason=f"Metabase's OpenAPI document is not at {OPENAPI}; it is not ours to ship"
)


@pytest.mark.parametrize("release", [58, 64])
def test_every_request_is_one_that_metabase_describes_and_names_no_key_it_does_not(release: int) -> None:
    with installed(release, contract=judge(OPENAPI)) as it:
        it.apply()
        # updates, moves, restores and archives too
        it.card("Card only")["archived"] = True
        it.dashboard("Stock")["archived"] = True
        it.metabase.databases[1]["details"]["host"] = "elsewhere"
        next(iter(it.metabase.collections.values()))["description"] = "mine"
        [ada] = [u for u in it.metabase.users.values() if u["email"].startswith("ada")]
        ada["is_active"] = False
        people = (Person(email="ada@shop.example", role="user"),)
        it.apply(changed(people=people))
        it.apply(changed(people=people, dashboards=(board(name="New", renamed_from=("Sales overview",)),)))
        assert it.plan(changed(people=people, dashboards=(board(name="New"),))) == []
        assert it.metabase.violations == []
        assert it.metabase.dropped == []


def test_the_doctor_knows_every_operation_and_key_that_is_sent() -> None:
    with installed() as it:
        it.apply()
        it.apply(
            changed(people=(Person(email="ada@shop.example", role="user"),), dashboards=WANTED.dashboards[:1])
        )
        sent: dict[tuple[str, str], set[str]] = {}
        for request in it.metabase.requests:
            if request.method != "GET":
                path = re.sub(r"/\d+", "/{id}", request.path)
                path = re.sub(r"/api/setting/.*", "/api/setting/{key}", path)
                sent.setdefault((request.method, path), set()).update(request.body or {})
    known = {(o.method, re.sub(r"\{[a-z-]*id\}", "{id}", o.path)): set(o.keys) for o in OPERATIONS}
    assert {at: keys - known.get(at, set()) for at, keys in sent.items() if keys - known.get(at, set())} == {}
    assert set(sent) <= set(known)


def test_metabase_describes_every_operation_the_doctor_looks_for() -> None:
    document = contract_of(OPENAPI).document
    assert [o for o in OPERATIONS if o.missing(document)] == []


GOOD_CARD: dict[str, Any] = {
    "name": "A", "display": "table", "visualization_settings": {},
    "dataset_query": {"database": 1, "type": "native", "native": {"query": "select 1", "template-tags": {}}},
}  # fmt: skip
PART: dict[str, Any] = {"id": -1, "card_id": 1, "row": 0, "col": 0, "size_x": 1, "size_y": 1}
MAPPED = {"parameter_id": "a", "card_id": 1, "target": ["dimension", ["template-tag", "day"]]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/card", GOOD_CARD),
        ("PUT", "/api/dashboard/1", {"dashcards": [{**PART, "parameter_mappings": [MAPPED]}], "tabs": []}),
        ("POST", "/api/permissions/membership", {"group_id": 3, "user_id": 1}),
        ("POST", "/api/database/1/sync_schema", {}),
    ],
)
def test_what_is_right_passes(method: str, path: str, body: Any) -> None:
    assert contract_of(OPENAPI).problems(method, path, body) == []


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/api/card", {k: v for k, v in GOOD_CARD.items() if k != "display"}, "display"),
        ("POST", "/api/card", {**GOOD_CARD, "name": ""}, "name"),
        ("POST", "/api/card", {**GOOD_CARD, "database_id": 1}, "database_id is not declared"),
        ("POST", "/api/card", {**GOOD_CARD, "collection_id": 0}, "collection_id"),
        ("POST", "/api/card", {**GOOD_CARD, "dataset_query": "select 1"}, "dataset_query"),
        ("POST", "/api/card", {**GOOD_CARD, "entity_id": 7}, "entity_id"),
        ("POST", "/api/dashboard", {"name": "A", "dashcards": []}, "dashcards is not declared"),
        ("POST", "/api/dashboard", {"name": "A", "parameters": [{"id": "a", "type": "day"}]}, "parameters"),
        ("PUT", "/api/dashboard/1", {"dashcards": [{**PART, "size_x": 0}]}, "size_x"),
        ("PUT", "/api/dashboard/1", {"dashcards": [{**PART, "row": -1}]}, "row"),
        ("PUT", "/api/dashboard/1", {"dashcards": [{"id": 1, "row": 0, "col": 0}]}, "dashcards"),
        ("PUT", "/api/dashboard/1", {"dashcards": [{**PART, "sizeX": 3}]}, "sizeX is not declared"),
        ("PUT", "/api/dashboard/1", {"width": "wide"}, "width"),
        ("PUT", "/api/dashboard/1", {"tabs": [{"id": "a", "name": "A"}]}, "tabs"),
        ("POST", "/api/dashboard/1/cards", {}, "no such operation"),
        ("POST", "/api/permissions/group", {}, "name"),
        ("POST", "/api/user", {"email": "a@b.example", "password": "x"}, "password is not declared"),
        ("PUT", "/api/collection/graph", {"revision": "1", "groups": {}}, "revision"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(method: str, path: str, body: Any, said: str) -> None:
    assert said in " ".join(contract_of(OPENAPI).problems(method, path, body))
