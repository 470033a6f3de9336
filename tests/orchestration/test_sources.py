"""Fetching in Dagster: days are partitions of one run; a feed that fails is red and harms nothing else."""

from datetime import date
from typing import Any

import pytest

from ingestion.landed import Landed
from ingestion.sources.fetched import FetchFailed, Window
from warehouse.database import Warehouse


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, warehouse: Warehouse) -> Any:
    from orchestration.defs import sources  # noqa: PLC0415  seconds

    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    return sources


def landed(feed: str) -> Landed:
    return Landed(1, 1, feed, "a.jsonl", "landed", 2, 2, 0, 500, None, None, None)


def test_a_backfill_of_many_days_is_one_request(sources: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster import materialize  # noqa: PLC0415

    asked: list[Window] = []

    def fetch(_: Warehouse, feed: str, *, window: Window, progress: Any) -> list[Landed]:
        asked.append(window)
        return [landed(feed)]

    monkeypatch.setattr(sources, "fetch_feed", fetch)
    (asset,) = [each for each in sources.fetched_assets if each.key.path[-1] == "sales_api"]
    days = {
        "dagster/asset_partition_range_start": "2026-02-01",
        "dagster/asset_partition_range_end": "2026-02-03",
    }
    result = materialize([asset], resources={"session": sources.BatchSession()}, tags=days)
    assert result.success
    assert asked == [Window(date(2026, 2, 1), date(2026, 2, 3))]
    partitions = [event.partition for event in result.get_asset_materialization_events()]
    assert sorted(partitions) == ["2026-02-01", "2026-02-02", "2026-02-03"]


def test_a_feed_that_fails_makes_the_run_red_with_its_sentence(
    sources: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.sources import fetching  # noqa: PLC0415

    def fail(*_: object, **__: object) -> list[Landed]:
        raise FetchFailed("Feed sales_api: nobody is there.")

    monkeypatch.setattr(fetching, "fetch_feed", fail)
    monkeypatch.setenv("SALES_API_URL", "https://shop.example")
    monkeypatch.setenv("SALES_API_KEY", "k")
    result = sources.sync_job.execute_in_process(
        resources={"session": sources.BatchSession()}, raise_on_error=False
    )
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert "nobody is there" in failure.step_failure_data.user_failure_data.description
