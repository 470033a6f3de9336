"""The sums that are compared reach as far back as the marts they are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from publication import reconciliation

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project" / "dbt_project.yml"


def test_bounded_marts_are_compared_over_the_days_they_hold() -> None:
    variables: dict[str, Any] = yaml.safe_load(PROJECT.read_text())["vars"]
    assert variables["sales_by_filters_days"] == reconciliation.CUBE_DAYS
    assert variables["sales_bridge_days"] == reconciliation.BRIDGE_DAYS
