"""Decisions through the command line: one command each, and what is published afterwards."""

from typing import Any

from warehouse.database import Warehouse


def test_withdrawing_the_only_delivery_publishes_empty_marts_and_releasing_it_brings_it_back(
    shopx: Any, warehouse: Warehouse, orders_file: Any
) -> None:
    first = shopx.json("run", orders_file("sales.csv", rows=40))
    gone = shopx.json("withdraw", 1)
    assert [(v["load_id"], v["verdict"]) for v in gone["verdicts"]] == [(1, "WITHDRAWN")]
    assert (gone["as_of"], gone["headline"]["net_sales_cents"]) == (first["as_of"], 0)
    with warehouse.connect("reader") as conn:
        for mart in ("daily_sales", "hourly_sales", "product_performance", "customer_segments"):
            assert conn.execute(f"select count(*) from marts.{mart}").fetchone() == (0,), mart
        assert conn.execute("select loads from marts.publication").fetchone() == (0,)
    shopx("verify")
    back = shopx.json("release", 1)
    assert [v["verdict"] for v in back["verdicts"]] == ["IN"]
    assert back["headline"] == first["headline"]
    shopx("verify")
