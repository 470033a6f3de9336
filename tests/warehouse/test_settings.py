"""What can be set from outside, and what is said about a value that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.errors import ShopxError
from warehouse.settings import PROJECT_ROOT, Settings, load_settings


def test_they_are_read_afresh_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOPX_HOME", str(tmp_path))
    assert load_settings().inbox == tmp_path / "inbox"
    monkeypatch.setenv("SHOPX_HOME", str(tmp_path / "b"))
    assert load_settings().archive == tmp_path / "b" / "archive"


def test_a_variable_without_our_prefix_sets_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SHOPX_HOME", raising=False)
    for name, field in Settings.model_fields.items():
        if field.validation_alias is None:
            monkeypatch.setenv(name.upper(), str(tmp_path))  # HOME above all
    settings = load_settings()
    assert settings.home == PROJECT_ROOT / ".shopx"
    assert (settings.pg_user, settings.currency, settings.time_zone) == ("nobody", None, "UTC")
    assert settings.given_password("owner") is None


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAREHOUSE_URL", "SHOPX_CURRENCY", "SHOPX_PG_PASSWORD_OWNER"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert settings.warehouse_url is settings.currency is settings.given_password("owner") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("SHOPX_DAGSTER_PORT", "many"), ("SHOPX_DAGSTER_PORT", "0"), ("SHOPX_CURRENCY", "pounds")],
)
def test_an_unusable_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ShopxError, match=name) as caught:
        load_settings()
    assert caught.value.exit_code == 2


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://a:hunter2@h/d")
    monkeypatch.setenv("SHOPX_PG_PASSWORD_READER", "hunter3")
    assert "hunter" not in repr(load_settings())
