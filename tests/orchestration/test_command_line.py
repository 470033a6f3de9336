"""The command line itself: quick, helpful, and honest about its exit codes."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestration.cli.main import cli
from orchestration.cli.screen import json_text, money

HEAVY = {"dagster", "dagster_dbt", "dbt", "great_expectations", "pandas", "duckdb", "pyarrow", "psycopg"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; import orchestration.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_checking_a_file_needs_no_pandas(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    file.write_text("date,product,amount,order id\n2026-01-05,tea,1.00,A1\n2026-01-06,tea,,A2\n")
    code = (
        "import sys; from orchestration.cli.main import cli\n"
        "cli(sys.argv[1:], standalone_mode=False); assert 'pandas' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "feed", "check", str(file)],
        capture_output=True,
        text=True,
        check=False,
        env={"SHOPX_HOME": str(tmp_path / "home")},
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    text = (cli.commands[command].help or "").replace("\b", "")
    assert f"shopx {command}" in text, "the help has no example"


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(cli, ["nonsense"]).exit_code == click.UsageError.exit_code == 2


def test_money_is_written_from_integers() -> None:
    assert [money(4_821_735, "GBP"), money(-5, "EUR"), money(1200, "JPY"), money(100, None)] == [
        "£48,217.35",
        "-€0.05",
        "¥1,200",
        "1.00",
    ]


def test_json_shows_bytes_as_text() -> None:
    assert '"caf\\u00e9"' not in json_text({"a": "café".encode()}) and "café" in json_text(
        {"a": "café".encode()}
    )


def test_every_setting_is_in_the_example_environment() -> None:
    from warehouse.settings import PREFIX, PROJECT_ROOT, Settings  # noqa: PLC0415

    text = (PROJECT_ROOT / ".env.example").read_text()
    names = [
        str(field.validation_alias or f"{PREFIX}{name.upper()}")
        for name, field in Settings.model_fields.items()
    ]
    assert [name for name in names if f"{name}=" not in text] == []


def test_every_compose_service_has_a_health_check_and_no_port_beyond_this_machine() -> None:
    import yaml  # noqa: PLC0415

    from warehouse.settings import PROJECT_ROOT  # noqa: PLC0415

    services = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())["services"]
    assert set(services) == {
        "postgres", "code", "webserver", "dashboards", "daemon", "metabase-postgres", "metabase",
    }  # fmt: skip
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_metabase_comes_only_when_asked_for_in_one_release_with_a_database_of_its_own_and_silent() -> None:
    import re  # noqa: PLC0415

    import yaml  # noqa: PLC0415

    from dashboards.metabase.doctor import version_line  # noqa: PLC0415
    from warehouse.settings import PROJECT_ROOT  # noqa: PLC0415

    services = yaml.safe_load((PROJECT_ROOT / "docker-compose.yml").read_text())["services"]
    metabase, store = services["metabase"], services["metabase-postgres"]
    assert metabase["profiles"] == store["profiles"] == ["metabase"]
    tag = metabase["image"].partition(":")[2]
    assert re.fullmatch(r"v0\.\d+\.\d+(\.\d+)?", tag) and version_line(tag).good
    said = metabase["environment"]
    assert (said["MB_DB_TYPE"], said["MB_DB_HOST"]) == ("postgres", "metabase-postgres")
    assert {
        said[f"MB_{name}"] for name in ("ANON_TRACKING_ENABLED", "CHECK_FOR_UPDATES", "LOAD_SAMPLE_CONTENT")
    } == {"false"}
    # without the profile nothing of it needs a variable to be set
    assert not [value for value in {**said, **store["environment"]}.values() if ":?" in value]


def test_the_sample_year_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    from ingestion.sample import write_sample  # noqa: PLC0415

    first, second = write_sample(tmp_path / "a"), write_sample(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert len(first) == 20 and sum(path.read_bytes().count(b"\n") - 1 for path in first) > 40_000
