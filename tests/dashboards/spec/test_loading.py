"""A file that is not a dashboard is refused with its name, the card and the key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboards.spec.loading import FOLDER, card_of, load_boards, read_board
from dashboards.spec.model import Board
from warehouse.errors import ShopxError

BOARD = """
key: shop
name: Shop
question: What sells?
place: 1
filters:
  day: {name: Period, type: date/all-options}
  store: {name: Store, type: string/=, options: marts.places.store_name}
tabs:
  - name: All
    layout:
      - {card: sales, at: [0, 0, 12, 4]}
cards:
  sales:
    name: Sales
    display: scalar
    sql: select sum(net_sales_cents) as net_sales_cents from marts.daily_sales where {{day}}
    y: [net_sales_cents]
    definition: Net sales.
    source: marts.daily_sales.net_sales_cents
    filters: {day: marts.daily_sales.sale_date}
    ignores: {store: It is kept for the whole shop.}
"""


def read(folder: Path, text: str = BOARD, name: str = "shop.yaml") -> Board:
    file = folder / name
    file.write_text(text)
    return read_board(file)


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    board = read(tmp_path)
    assert (board.card("sales").key, board.card("sales").board) == ("sales", "shop")
    with pytest.raises(ShopxError, match="Dashboard shop has no card sails; it has sales"):
        board.card("sails")


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ("display: scalar", "display: piechart", "shop.yaml, card sales, display: Input should be"),
        ("y: [net_sales_cents]", "y: []", "shop.yaml, card sales: y: a scalar shows exactly one column"),
        ("name: Sales\n", "name: Sales\n    titel: x\n", "shop.yaml, card sales, titel: Extra inputs"),
        ("definition: Net sales.", "definition: " + "word " * 26, "card sales, definition: 26 words"),
        (
            "where {{day}}",
            "where {{channel}}",
            "card sales: sql uses {{channel}}, which filters does not map",
        ),
        ("where {{day}}", "where true", "card sales: filters maps {{day}}, which sql does not use"),
        (
            "where {{day}}",
            "where {{day}}; drop table x",
            "card sales, sql: one statement, without a semicolon",
        ),
        (
            "where {{day}}",
            "where {{day}} [[and true]]",
            "card sales, sql: [[and true]] must hold a {{filter}}",
        ),
        ("where {{day}}", "where [[{{day}}", "card sales, sql: each [[ needs its ]]"),
        (
            "    ignores: {store: It is kept for the whole shop.}\n",
            "",
            "cards.sales: filter store is neither obeyed",
        ),
        ("ignores: {store:", "ignores: {branch: No such., store:", "the board has no filter branch"),
        ("at: [0, 0, 12, 4]", "at: [20, 0, 12, 4]", "tabs.0.layout.0: at: [20, 0, 12, 4] does not fit"),
        ("card: sales, at", "card: sails, at", "tabs: card sails is placed but not described"),
        (
            "      - {card: sales, at: [0, 0, 12, 4]}",
            "      - {heading: A, at: [0, 0, 1, 1]}",
            "sales stands on no tab",
        ),
        ("      - {card", "      - {heading: A, at: [5, 1, 9, 9]}\n      - {card", "lies over"),
        ("source: marts.", "source: raw.", "card sales, source: String should match pattern"),
        (
            ", options: marts.places.store_name",
            "",
            "filters.store: options: a string/= filter names the column",
        ),
        ("cards:\n", "cards:\n  sales: {}\n", "is not YAML: 'sales' is given twice"),
        ("key: shop", "key: till", "shop.yaml, key: 'till' is not the name of the file"),
        (BOARD, "- a list", "shop.yaml holds no dashboard"),
    ],
)
def test_a_mistake_is_named_with_file_card_and_key(
    tmp_path: Path, found: str, instead: str, said: str
) -> None:
    assert found in BOARD
    with pytest.raises(ShopxError) as refused:
        read(tmp_path, BOARD.replace(found, instead))
    assert said in refused.value.message
    assert refused.value.message.startswith("shop.yaml")


def test_keys_of_cards_are_unique_over_all_boards(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(BOARD)
    (tmp_path / "till.yaml").write_text(BOARD.replace("key: shop", "key: till"))
    with pytest.raises(ShopxError, match=r"till.yaml, card sales: shop.yaml has a card of that key too"):
        load_boards(tmp_path)


def test_the_eight_dashboards_stand_in_the_order_of_the_menu() -> None:
    boards = load_boards(FOLDER)
    assert [board.key for board in boards] == [
        "overview",
        "sales",
        "products",
        "customers",
        "places",
        "finance",
        "anomalies",
        "pipeline",
    ]
    assert card_of(boards, "bridge").board == "finance"
    with pytest.raises(ShopxError, match="There is no card sails"):
        card_of(boards, "sails")


def test_editors_get_a_schema() -> None:
    schema = Board.model_json_schema()
    assert json.dumps(schema)
    assert "at most 25 words" in schema["$defs"]["Card"]["properties"]["definition"]["description"]
