"""`shopx dashboards`: what is made of the boards without a server, and the lint against published marts."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from orchestration.cli.dashboards import dashboards
from tests.dashboards.figures import make_marts
from warehouse.database import Warehouse
from warehouse.errors import ShopxError
from warehouse.settings import PROJECT_ROOT


def test_exposures_are_shown_as_they_stand_in_the_dbt_project() -> None:
    shown = CliRunner().invoke(dashboards, ["exposures"])
    assert shown.output == (PROJECT_ROOT / "dbt_project/models/marts/dashboards.yml").read_text()


def test_the_schema_goes_to_a_file_for_editors(tmp_path: Path) -> None:
    file = tmp_path / "board.schema.json"
    assert CliRunner().invoke(dashboards, ["schema", "--write", str(file)]).exit_code == 0
    assert json.loads(file.read_text())["title"] == "Board"


def test_the_lint_names_what_is_wrong_and_fails(warehouse: Warehouse) -> None:
    environment = {key: value for key, value in warehouse.environment().items() if value}
    unpublished = CliRunner().invoke(dashboards, ["lint"], env=environment)
    assert isinstance(unpublished.exception, ShopxError)
    assert "overview.yaml, card net_sales" in unpublished.output
    make_marts(warehouse)
    published = CliRunner().invoke(dashboards, ["lint"], env=environment)
    assert published.exception is None
    assert "nothing to complain of" in published.output
