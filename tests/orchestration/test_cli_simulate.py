"""`shopx simulate`: the example of its help, going on, and sentences for what cannot be."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli.main import cli


def test_the_example_of_the_help_makes_a_shop_and_its_contracts(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "shop"

    def simulate(*arguments: str) -> str:
        done = subprocess.run(
            [Path(sys.executable).with_name("shopx"), "simulate", folder, *arguments],
            env={**os.environ, "SHOPX_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    small = ("--years", "1", "--lines", "2_000", "--growth", "0.05")
    said = simulate("--customers-per-year", "2000", "--products-per-year", "200", "--seed", "7", *small)
    assert "True net sales" in said and f"./shopx run {folder}/2021-01-01_2021-12-31" in said
    asked = json.loads((folder / "simulation.json").read_text())["shop"]
    assert (asked["lines"], asked["growth"], asked["seed"]) == (2_000, 50_000, 7)
    assert len(list((folder / "2021-01-01_2021-12-31").glob("sales_2021-*"))) >= 365
    assert {path.name for path in (home / "feeds").iterdir()} == {
        f"simulated_{kind}.yaml" for kind in ("sales", "corrections", "returns", "customers")
    }
    simulate("--days", "30", "--lines-per-day", "20")
    assert (folder / "2022-01-01_2022-01-30" / "sales_2022-01-30.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--lines-per-day", "5"),
        ("--mess", "a lot"),
        ("--years", "0"),
        ("--start", "May"),
        ("--days", "3", "--seed", "1"),
    ],
)
def test_what_cannot_be_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(cli, ["simulate", str(tmp_path / "shop"), *arguments])
    assert refused.exit_code == 2 and "Error:" in refused.output
    assert not (tmp_path / "shop").exists()
