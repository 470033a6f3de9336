"""The daily files of a real shop land to the totals their description states."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.landing import land
from warehouse.database import Warehouse

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "online_retail"


@pytest.mark.real_data
@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real sales files are not at {FOLDER}")
def test_half_a_year_of_daily_files_lands_to_the_penny(files: Any, warehouse: Warehouse) -> None:
    result = land(warehouse, [FOLDER], today=date(2026, 3, 1))
    assert result.refused == []
    assert {item.status for item in result.landed} == {"landed"}
    assert [item.delivery_no for item in result.landed] == list(range(1, 142))
    assert sum(item.rows_delivered for item in result.landed) == 209_029
    assert sum(item.rows_rejected for item in result.landed) == 1_292
    assert files.rows(
        warehouse, "select line_type, count(*), sum(gross_cents) from raw.sales_lines group by 1 order by 1"
    ) == [("return", 3_783, -35_789_895), ("sale", 203_954, 406_472_659)]
    assert files.rows(warehouse, "select count(*) from raw.rejected_rows") == [(1_292,)]
    assert files.rows(
        warehouse, "select count(*) from ops.load_metrics where amount_cents <> amount_cents_recounted"
    ) == [(0,)]
