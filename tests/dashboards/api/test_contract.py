"""Requests made from the API's own description: whatever they hold, the answer is one the description names.

The examples are the same each time. For more of them: pytest --hypothesis-profile=thorough.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, status_code_conformance
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import response_schema_conformance

from dashboards.spec.loading import load_boards
from tests.conftest import fresh_warehouse
from tests.dashboards.figures import make_marts, publish_days
from tests.dashboards.serving import Served, serving_warehouse
from warehouse import embedded

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 20 if settings().max_examples <= 100 else settings().max_examples


@pytest.fixture(scope="module")
def served(server: embedded.Server) -> Iterator[Served]:
    with fresh_warehouse(server) as warehouse:
        make_marts(warehouse)
        publish_days(warehouse)
        with serving_warehouse(warehouse.settings) as running:
            yield running


@pytest.fixture(scope="module")
def description(served: Served) -> schemathesis.BaseSchema:
    config = SchemathesisConfig.from_dict({"seed": 1})
    return schemathesis.openapi.from_url(f"{served.url}/api/openapi.json", config=config)


GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
OPERATIONS = {
    ("GET", "/api/v1/kpis/summary"): (GOOD, BAD),
    ("GET", "/api/v1/dashboards"): (GOOD,),  # nothing about it can be wrong
    ("GET", "/api/v1/cards/{key}"): (GOOD, BAD),
    ("POST", "/api/v1/upload/csv"): (GOOD, BAD),
    ("GET", "/health"): (GOOD,),
}
KEYS = sorted(key for board in load_boards() for key in board.cards)


def test_every_address_is_tried(description: schemathesis.BaseSchema) -> None:
    found = [operation.ok() for operation in description.get_all_operations()]
    assert {(one.method.upper(), one.path) for one in found} == set(OPERATIONS)


@pytest.mark.parametrize(
    ("method", "path", "mode"), [(*one, mode) for one, modes in OPERATIONS.items() for mode in modes]
)
def test_whatever_is_asked_has_an_answer_that_the_description_names(
    description: schemathesis.BaseSchema, served: Served, method: str, path: str, mode: GenerationMode
) -> None:
    cases = description[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES if method == "GET" else EXAMPLES // 2,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, key=st.none() | st.sampled_from(KEYS))
    def ask(case: schemathesis.Case, key: str | None) -> None:
        if key is not None and "key" in case.path_parameters:
            case.path_parameters["key"] = key
        case.call_and_validate(base_url=served.url, checks=CHECKS)

    ask()
