"""Real files of others: proposed, hardly edited, landed to the totals that their description states."""

from __future__ import annotations

import difflib
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ingestion.contract import FEEDS, load_contracts, own_feeds
from ingestion.landing import land
from ingestion.proposing import propose
from warehouse.database import Warehouse

DATA = Path(__file__).parents[3] / "shared" / "data"
EXAMPLES = FEEDS / "examples"
TODAY = date(2026, 3, 1)
USD = {"currency": "USD"}


@dataclass(frozen=True)
class RealSet:
    """`files`: pattern below the data -> contract; `answers`: contract -> what the file does not prove;
    `edits`: text of a contract -> what a person writes in its place."""

    name: str
    files: dict[str, str]
    answers: dict[str, dict[str, str]]
    rows: int
    net_cents: int
    rejected: int = 0
    edits: dict[str, str] = field(default_factory=dict)


SETS = [
    RealSet("superstore", {"superstore/*.csv": "superstore"}, {"superstore": USD}, 9_994, 229_720_107),
    RealSet(
        "retail_store",
        {"retail_store/*.csv": "retail_store"},
        {"retail_store": USD},
        11_362,
        147_299_850,
        rejected=1_213,
    ),
    RealSet(
        "retail_store_derived",
        {"retail_store/*.csv": "retail_store"},
        {"retail_store": USD},
        11_971,
        155_207_100,
        rejected=604,
        edits={
            "max_reject_share: 0.1 ": "derive: true #",
            "{names: [Item]}": "{names: [Item], if_empty: Item not named}",
        },
    ),
    RealSet("cafe", {"cafe/*.csv": "cafe"}, {"cafe": USD}, 7_384, 6_584_150, rejected=2_618),
    RealSet(
        "cafe_once",
        {"cafe/*.csv": "cafe"},
        {"cafe": USD},
        7_382,
        6_582_550,
        rejected=2_618,
        edits={"columns:": "identity: [order_id]\ncolumns:"},
    ),
    RealSet(
        "electronics",
        {"electronics/*.csv": "electronics"},
        {"electronics": USD | {"timezone": "UTC"}},
        85_220,
        1_594_681_687,
    ),
    RealSet(
        "adventureworks",
        {
            "adventureworks/*_Sales_*.csv": "adventureworks_sales",
            "adventureworks/*_Products.csv": "adventureworks_products",
            "adventureworks/*_Customers.csv": "adventureworks_customers",
            "adventureworks/*_Subcategories.csv": "adventureworks_subcategories",
            "adventureworks/*_Product_Categories.csv": "adventureworks_categories",
        },
        {
            "adventureworks_sales": USD,
            "adventureworks_products": {"column.product_id": "ProductKey"},
            "adventureworks_customers": {"source": "adventureworks_sales"},
        },
        56_046,
        2_491_458_366,
    ),
]

pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the real sales files are not at {DATA}"),
]
IDS = [one.name for one in SETS]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def install(real: RealSet) -> None:
    own_feeds().mkdir(parents=True)
    for name in real.files.values():
        made = own_feeds() / f"{name}.yaml"
        shutil.copy(EXAMPLES / made.name, made)
        text = made.read_text()
        for old, new in real.edits.items():
            text = text.replace(old, new)
        made.write_text(text)


@pytest.mark.parametrize("real", SETS, ids=IDS)
def test_it_lands_to_its_totals(real: RealSet, files: Any, warehouse: Warehouse, home: Path) -> None:
    install(real)
    paths = [path for pattern in real.files for path in DATA.glob(pattern)]
    result = land(warehouse, paths, today=TODAY)
    assert result.refused == []
    assert {one.status for one in result.landed} == {"landed"}
    assert files.rows(warehouse, "select count(*), sum(net_cents) from raw.sales_lines") == [
        (real.rows, real.net_cents)
    ]
    assert files.rows(warehouse, "select count(*) from raw.rejected_rows") == [(real.rejected,)]
    shares = "select count(*) from ops.load_metrics where reject_share > max_reject_share"
    assert files.rows(warehouse, shares) == [(0,)]


@pytest.mark.parametrize("real", [one for one in SETS if not one.edits], ids=lambda one: one.name)
def test_its_contracts_are_short_and_proposed_but_for_five_lines(real: RealSet, home: Path) -> None:
    for pattern, name in real.files.items():
        text = (EXAMPLES / f"{name}.yaml").read_text()
        assert len(text.splitlines()) <= 30
        answers = real.answers.get(name, {})
        assert len(answers) <= 2
        path = max(DATA.glob(pattern))
        proposal = propose(path, today=TODAY, answers=answers, feed=name, contracts=load_contracts())
        assert proposal.open_questions == []
        assert len(edited(proposal.yaml, text)) <= 5


def edited(proposed: str, kept: str) -> list[str]:
    """Lines of the kept contract that were not proposed, comments aside."""
    bare = [[line.split(" # ")[0].rstrip() for line in text.splitlines()] for text in (proposed, kept)]
    changes = difflib.ndiff(*([line for line in lines if not line.startswith("#")] for lines in bare))
    return [line for line in changes if line.startswith("+ ")]
