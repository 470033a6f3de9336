"""What the doctor says about feeds that are asked for their rows."""

from pathlib import Path

import pytest

from ingestion.contract import load_contracts
from orchestration.cli.doctor import _sources
from publication.health import Line

COLUMNS = "columns:\n  date: {names: [d]}\n  product_name: {names: [p]}\n  amount: {names: [a]}\n"


@pytest.fixture
def two_feeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shop.yaml").write_text(
        f"feed: shop\ntitle: Sheet\nkind: sheet\nsheet: {{id: 1AbCdEfGhIjK}}\n{COLUMNS}"
    )
    (tmp_path / "erp.yaml").write_text(
        f"feed: erp\ntitle: ERP\nkind: database\ndatabase: {{url_env: ERP_URL, query: select 1}}\n{COLUMNS}"
    )
    monkeypatch.setattr(load_contracts, "__defaults__", (tmp_path,))


def lines() -> dict[str, Line]:
    return {line.check: line for line in _sources()}


def test_a_feed_that_is_not_set_up_names_the_variable(two_feeds: None) -> None:
    found = lines()
    assert [(name, line.good, line.seen) for name, line in found.items()] == [
        ("feed erp", False, "ERP_URL not set"),
        ("feed shop", False, "GOOGLE_CREDENTIALS_FILE not set"),
    ]


def test_a_sheet_says_whom_to_share_it_with_or_what_is_wrong(
    two_feeds: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.json"
    monkeypatch.setenv("GOOGLE_CREDENTIALS_FILE", str(key))
    monkeypatch.setenv("ERP_URL", "sqlite:///x.db")
    assert "cannot be read: no such file" in lines()["feed shop"].do
    key.write_text('{"type": "service_account", "client_email": "me@shop.example"}')
    assert lines()["feed shop"] == Line("feed shop", True, "its sheet must be shared with me@shop.example")
    assert lines()["feed erp"].good


def test_without_feeds_of_that_kind_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_contracts, "__defaults__", (tmp_path,))
    assert lines() == {}


def test_a_fresh_installation_has_no_red_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_API_URL", "")
    assert [line for line in _sources() if not line.good] == []
