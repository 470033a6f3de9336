"""What a person meets in the UI: every asset and check says what it is, and the lineage has no gap."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def graph() -> Any:
    from orchestration.definitions import defs  # noqa: PLC0415  seconds

    return defs.resolve_asset_graph()


@pytest.fixture(scope="module")
def specs() -> Any:
    from orchestration.definitions import defs  # noqa: PLC0415

    return defs.resolve_all_asset_specs()


def test_dagster_finds_one_set_of_definitions_in_the_module() -> None:
    """It loads the module by its own rule: two sets, and the UI shows nothing at all."""
    from dagster import Definitions  # noqa: PLC0415

    from orchestration import definitions  # noqa: PLC0415

    found = [name for name, thing in vars(definitions).items() if isinstance(thing, Definitions)]
    assert found == ["defs"]


def test_every_asset_has_description_owner_kind_group_and_table(specs: Any) -> None:
    bare = [
        spec.key.to_user_string()
        for spec in specs
        if not (
            spec.description
            and spec.owners
            and spec.kinds
            and spec.group_name not in (None, "default")
            and "dagster/table_name" in spec.metadata
        )
    ]
    assert bare == []


def test_every_check_has_a_description(graph: Any) -> None:
    bare = [str(key) for key in graph.asset_check_keys if not graph.get(key).description]
    assert graph.asset_check_keys and bare == []


def test_one_unbroken_lineage_leads_from_every_feed_to_the_publication(graph: Any) -> None:
    from dagster import AssetKey  # noqa: PLC0415

    above, reached = [AssetKey(["marts", "publication"])], set()
    while above:
        key = above.pop()
        if key not in reached:
            reached.add(key)
            above += graph.get(key).parent_keys
    ends = {key for key in graph.get_all_asset_keys() if key.path[0] in ("raw", "marts_next", "marts")}
    assert {key.to_user_string() for key in ends - reached} == LISTS_WITHOUT_A_MART


LISTS_WITHOUT_A_MART = {"raw/rates"}


def test_every_asset_leads_to_the_publication(graph: Any) -> None:
    """Rates are used while loading; whatever else feeds nothing is forgotten or wrongly named."""
    from dagster import AssetKey  # noqa: PLC0415

    above, reached = [AssetKey(["marts", "publication"])], set()
    while above:
        key = above.pop()
        if key not in reached:
            reached.add(key)
            above += graph.get(key).parent_keys
    beside = {key.to_user_string() for key in graph.get_all_asset_keys() - reached}
    assert beside == LISTS_WITHOUT_A_MART


def test_checks_are_the_dbt_tests_and_the_gates_and_no_other(graph: Any) -> None:
    """Two tests with one name would overwrite each other."""
    import json  # noqa: PLC0415

    from orchestration.dbt_runner import ensure_manifest  # noqa: PLC0415
    from orchestration.defs.deliveries import GATE_CHECKS  # noqa: PLC0415
    from orchestration.defs.publication import PROMISES  # noqa: PLC0415
    from warehouse.settings import load_settings  # noqa: PLC0415

    nodes = json.loads(ensure_manifest(load_settings()).read_text())["nodes"].values()
    tests = [node["name"] for node in nodes if node["resource_type"] == "test"]
    assert len(set(tests)) == len(tests)
    shown = [key.name for key in graph.asset_check_keys if key.asset_key.path[0] not in ("raw", "marts")]
    assert sorted(shown) == sorted(tests)
    gates = {key.name for key in graph.asset_check_keys} - set(tests)
    assert gates == {name for name, _ in GATE_CHECKS.values()} | set(PROMISES)


def test_the_gates_checks_are_the_rules_of_its_suite() -> None:
    from expectations.arrival_suite import arrival_suite  # noqa: PLC0415  seconds
    from orchestration.defs.deliveries import GATE_CHECKS  # noqa: PLC0415

    assert {rule.reason for rule in arrival_suite()} == set(GATE_CHECKS)


def test_the_root_holds_policy_only() -> None:
    from pathlib import Path  # noqa: PLC0415

    import orchestration  # noqa: PLC0415

    text = (Path(orchestration.__path__[0]) / "definitions.py").read_text()
    assert 10 <= len(text.splitlines()) <= 50


def test_every_model_leads_to_its_documentation(specs: Any) -> None:
    from orchestration.dbt_docs import address_of  # noqa: PLC0415

    models = [spec for spec in specs if "dagster_dbt/unique_id" in spec.metadata]
    assert len(models) > 50
    assert [
        spec.key.to_user_string()
        for spec in models
        if spec.metadata["documentation"].url != address_of(spec.metadata["dagster_dbt/unique_id"])
    ] == []


def test_a_choice_opens_its_job_with_a_configuration_that_the_job_takes() -> None:
    from urllib.parse import unquote  # noqa: PLC0415

    import yaml  # noqa: PLC0415

    from orchestration.definitions import defs  # noqa: PLC0415  seconds
    from orchestration.gate_pages.serving import launchpad_address  # noqa: PLC0415

    for choice, name in (("day-first", "release"), ("as it is", "release"), ("withdraw", "withdraw")):
        address = launchpad_address({"choice": choice, "load_id": 7})
        path, _, config = address.partition("?config=")
        assert path == f"/locations/shopx/jobs/{name}_load/playground/setup"
        taken = yaml.safe_load(unquote(config))["ops"][name]["config"]
        node = defs.resolve_job_def(f"{name}_load").all_node_defs[0]
        assert taken["load"] == 7
        assert set(taken) <= set(node.config_field.config_type.fields)  # type: ignore[attr-defined]
        assert taken.get("as_") == ("day-first" if choice == "day-first" else None)
