"""The dbt project is read once in a process, whatever the warehouses are called that it is run on."""

import pytest

from orchestration import dbt_runner
from warehouse.settings import load_settings


def test_the_project_is_not_read_again_for_a_warehouse_of_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings()
    dbt_runner.read_project(settings, database="first")
    with monkeypatch.context() as patch:
        patch.setattr(dbt_runner, "_parse", lambda _: pytest.fail("read again"))
        project = dbt_runner.read_project(settings, database="second")
    nodes = [*project.nodes.values(), *project.sources.values()]
    assert {node.database for node in nodes} == {"second"}
    assert {node.relation_name.split(".")[0] for node in nodes if node.relation_name} == {'"second"'}


def test_a_changed_file_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    dbt_runner.read_project(settings, database="first")
    read: list[str] = []
    manifest = dbt_runner._kept[settings.project_root][1]
    monkeypatch.setattr(dbt_runner, "made_of", lambda _: "another fingerprint")
    monkeypatch.setattr(dbt_runner, "_parse", lambda _: read.append("again") or manifest)
    dbt_runner.read_project(settings, database="first")
    assert read == ["again"]
