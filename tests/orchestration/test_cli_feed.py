"""`shopx feed` as a person and a script meet it: what it says, and its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestration.cli import main


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def till(tmp_path: Path) -> Path:
    path = tmp_path / "Kasse.csv"
    path.write_bytes("Datum;Artikel;Betrag\n31.12.2025;Müsli;4,50\n02.01.2026;Käse;3,20\n".encode("cp1252"))
    return path


@dataclass(frozen=True)
class Said:
    exit_code: int
    output: str


Shopx = Callable[..., Said]


@pytest.fixture
def shopx_feed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shopx:
    def call(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["shopx", "feed", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capfd.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out if code != 2 else said.out + said.err)

    return call


def test_without_answers_it_lists_what_is_open_and_saves_nothing(
    shopx_feed: Shopx, till: Path, home: Path
) -> None:
    said = shopx_feed("init", till)
    assert said.exit_code == 2
    assert "--answer currency=…" in said.output
    assert not (home / "feeds").exists()


def test_with_answers_it_saves_and_names_the_next_command(shopx_feed: Shopx, till: Path, home: Path) -> None:
    said = shopx_feed("init", till, "--answer", "currency=EUR", "--expect", "7.70")
    assert said.exit_code == 0, said.output
    assert "2 accepted, 0 refused · 2025-12-31 to 2026-01-02 · net €7.70" in said.output
    assert "Your report says 7.70 too." in said.output
    assert f"./shopx run {till}" in said.output
    assert (home / "feeds" / "kasse.yaml").read_text() in said.output
    again = shopx_feed("init", till, "--answer", "currency=EUR")
    assert (again.exit_code, "already" in again.output) == (2, True)
    checked = shopx_feed("check", till, "--json")
    assert checked.exit_code == 0
    assert json.loads(checked.output)["feed"] == "kasse"


def test_a_control_total_that_differs_saves_nothing(shopx_feed: Shopx, till: Path, home: Path) -> None:
    said = shopx_feed("init", till, "--answer", "currency=EUR", "--expect", "7.71")
    assert (said.exit_code, "the file gives €7.70" in said.output) == (1, True)
    assert not (home / "feeds").exists()


def test_a_file_that_would_be_held_is_told_by_the_exit_code(shopx_feed: Shopx, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("Date,Product,Amount\n01/02/2026,Mug,1.00\n")
    held = shopx_feed("check", path)
    assert (held.exit_code, "HELD" in held.output, "day-first" in held.output) == (3, True, True)
    path.write_text("a,b\n1,2\n")
    assert shopx_feed("check", path).exit_code == 1


def test_a_control_total_that_refused_rows_explain_names_the_next_step(
    shopx_feed: Shopx, tmp_path: Path
) -> None:
    path = tmp_path / "kasse.csv"
    path.write_text("Datum;Artikel;Betrag\n31.12.2025;Brot;4,50\n02.01.2026;Brot;3#20\n")
    said = shopx_feed("init", path, "--answer", "currency=EUR", "--expect", "7.70")
    assert said.exit_code == 1
    assert "The 1 refused row above may be the difference" in said.output
    assert "without --expect" in said.output
    assert "./shopx rejects N --xlsx FILE" in said.output


def test_lines_that_are_no_rows_are_told_by_their_kind(shopx_feed: Shopx, tmp_path: Path) -> None:
    path = tmp_path / "kasse.csv"
    path.write_text(
        "Kasse Nord\n\nDatum;Artikel;Betrag\n31.12.2025;Brot;4,50\n\n02.01.2026;Brot;1,50\nSumme;;6,00\n"
    )
    said = shopx_feed("init", path, "--answer", "currency=EUR", "--expect", "6.00")
    assert said.exit_code == 0
    assert "2 lines before the header" in said.output
    assert "2 rows: 2 accepted, 0 refused" in said.output
    assert "1 blank line" in said.output
    assert "1 total that agrees" in said.output


def test_columns_that_are_not_used_come_with_the_way_to_use_them(shopx_feed: Shopx, tmp_path: Path) -> None:
    path = tmp_path / "kasse.csv"
    path.write_text("Datum;Artikel;Betrag;Zettel\n31.12.2025;Brot;4,50;17\n")
    said = shopx_feed("init", path, "--answer", "currency=EUR")
    assert "Not used: Zettel" in said.output
    hint = next(line for line in said.output.splitlines() if "column.OURS=THEIRS" in line)
    assert "order_id" in hint
    assert "amount" not in hint.split("of ours: ")[1].split(", ")


def test_a_refused_file_names_init_as_the_next_step(shopx_feed: Shopx, tmp_path: Path) -> None:
    path = tmp_path / "kasse.csv"
    path.write_text("Kasse Nord;;\n\nVerkauft am;Artikel;Betrag\n31.12.2025;Brot;4,50\n")
    said = shopx_feed("check", path)
    assert said.exit_code == 1
    assert "./shopx feed init FILE" in said.output
    assert 'no column for a date of sale among "Verkauft am", "Artikel", "Betrag"' in said.output
