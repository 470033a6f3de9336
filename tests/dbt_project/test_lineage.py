"""Who may read whom: the rules of dbt-project-evaluator over our manifest, and why where one is not held.

Put here: rules about the graph of models. Never here: what a model says, or what its SQL does.
The rules are listed for people in docs/dbt-rules.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
LAYERS = ("staging", "core", "marts")
PREFIXES = {"staging": r"stg_", "core": r"(dim|fct|agg)_", "marts": r"(?!(stg|dim|fct|agg|mart)_)"}

# Core models that read raw tables themselves: a view between could not know what they need of their build.
READS_RAW = {
    **dict.fromkeys(
        ("dim_customer_spellings", "dim_place_spellings", "dim_product_spellings", "dim_sales_rep_spellings"),
        "learns from the lines of new deliveries alone, through delivered_lines()",
    ),
    **dict.fromkeys(
        ("dim_customers", "dim_sales_rep_rates", "dim_sales_reps", "dim_stores"),
        "the one reader of its kind of list; which deliveries count is said in stg_master_loads",
    ),
    "fct_order_lines": "a sliced build folds the touched orders out of raw, through build_lines()",
}
# Marts that give names to what analytics/ wrote into core in the same build.
READS_ANALYTICS = {"revenue_forecast", "sales_anomalies"}
# What a mart may ask of staging: facts about the build itself, which no table of core repeats.
OF_THE_BUILD = {"stg_build", "stg_reporting_currency"}
ROOTS = {"dim_order_statuses": "the words are ours, not delivered"}
REJOINS = {
    ("fct_order_lines", "stg_sales_lines"): "one of the two ways in which build_lines() reads raw",
    ("kpi_summary", "agg_buyers_by_period"): "the spans are counted in the one and named in the other",
}
# More direct children than this, and a model is a hub: it is one knowingly or it is split.
MANY_CHILDREN = 8
HUBS = {"stg_build", "dim_products", "fct_order_lines", "fct_orders", "agg_orders_daily"}
LONGEST_CHAIN_OF_VIEWS = 4


@pytest.fixture(scope="module")
def models(manifest: Any) -> dict[str, Any]:
    return {node.name: node for node in manifest.nodes.values() if node.resource_type == "model"}


def layer(node: Any) -> str:
    return str(node.fqn[1])


def parents(node: Any, kind: str = "model") -> set[str]:
    """Names of what a model reads: `model`s by name, `source`s as schema.table."""
    found = (name.split(".", 2) for name in node.depends_on.nodes if name.startswith(f"{kind}."))
    return {rest for _, _, rest in found}


@pytest.fixture(scope="module")
def children(models: dict[str, Any]) -> dict[str, set[str]]:
    read_by: dict[str, set[str]] = defaultdict(set)
    for name, node in models.items():
        for parent in parents(node):
            read_by[parent].add(name)
    return read_by


def test_a_model_is_named_and_placed_after_its_layer(models: dict[str, Any]) -> None:
    assert {layer(node) for node in models.values()} == set(LAYERS)
    assert [n for n, node in models.items() if not re.match(PREFIXES[layer(node)], n)] == []
    paths = {name: Path(node.original_file_path) for name, node in models.items()}
    assert [n for n, p in paths.items() if not (PROJECT / p.with_suffix(".yml")).exists()] == []


def test_models_read_only_their_own_layer_and_those_before_it(models: dict[str, Any]) -> None:
    assert [
        f"{name} reads {parent}"
        for name, node in models.items()
        for parent in parents(node)
        if LAYERS.index(layer(models[parent])) > LAYERS.index(layer(node))
    ] == []


def test_sources_are_read_by_staging_and_by_the_core_models_that_must(models: dict[str, Any]) -> None:
    readers = {n for n, node in models.items() if layer(node) != "staging" and parents(node, "source")}
    assert readers == set(READS_RAW) | READS_ANALYTICS
    written = {source for name in READS_ANALYTICS for source in parents(models[name], "source")}
    assert {source.split(".")[0] for source in written} == {"analytics"}


def test_marts_ask_core_and_of_staging_only_about_the_build(models: dict[str, Any]) -> None:
    assert [
        f"{name} reads {parent}"
        for name, node in models.items()
        if layer(node) == "marts"
        for parent in parents(node)
        if layer(models[parent]) == "staging" and parent not in OF_THE_BUILD
    ] == []


def test_every_source_is_read(manifest: Any, models: dict[str, Any]) -> None:
    read = {source for node in models.values() for source in parents(node, "source")}
    read |= {
        source
        for node in manifest.nodes.values()
        if node.resource_type == "test"
        for source in parents(node, "source")
    }
    assert {f"{s.source_name}.{s.name}" for s in manifest.sources.values()} - read == set()


def test_every_model_is_made_of_something_and_leads_to_a_mart(
    models: dict[str, Any], children: dict[str, set[str]]
) -> None:
    roots = {n for n, node in models.items() if not parents(node) | parents(node, "source")}
    assert roots == set(ROOTS)
    assert [n for n, node in models.items() if layer(node) != "marts" and not children[n]] == []


def test_nothing_is_joined_again_to_what_it_is_made_of(
    models: dict[str, Any], children: dict[str, set[str]]
) -> None:
    """A model that reads A and B, where B is made of A and read by nobody else, should be one with B."""

    def upstream(node: Any) -> set[str]:
        return parents(node) | parents(node, "source")

    found = {
        (name, parent)
        for name, node in models.items()
        for parent in parents(node)
        if children[parent] == {name} and upstream(models[parent]) & upstream(node)
    }
    assert found == set(REJOINS)


def test_hubs_are_known(models: dict[str, Any], children: dict[str, set[str]]) -> None:
    assert {name for name in models if len(children[name]) > MANY_CHILDREN} == HUBS


def test_views_do_not_pile_up(models: dict[str, Any]) -> None:
    def chain(name: str) -> int:
        if models[name].config.materialized != "view":
            return 0
        return 1 + max((chain(parent) for parent in parents(models[name])), default=0)

    assert [name for name in models if chain(name) > LONGEST_CHAIN_OF_VIEWS] == []


def test_tables_are_named_by_ref_and_source_never_by_hand(models: dict[str, Any]) -> None:
    by_hand = re.compile(
        r"\b(from|join)\s+(raw|ops|staging|core|core_parts|marts_next|marts)\.", re.IGNORECASE
    )
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("tests/**/*.sql")]
    assert len(files) > len(models)
    assert [p.name for p in files if by_hand.search(p.read_text())] == []


def test_every_table_of_core_and_every_mart_has_its_key(models: dict[str, Any]) -> None:
    """In the catalog, so that PostgreSQL refuses a second row of the grain in every build, tests or not."""

    def has_key(node: Any) -> bool:
        constraints = [
            *node.constraints,
            *(c for column in node.columns.values() for c in column.constraints),
        ]
        hooks = [hook.sql for hook in node.config.post_hook]
        indexes = node.config.get("indexes") or []
        return (
            any(constraint.type == "primary_key" for constraint in constraints)
            or any("grain_key(" in hook for hook in hooks)
            or any(index.get("unique") for index in indexes)
        )

    tables = {n: node for n, node in models.items() if node.config.materialized != "view"}
    assert {layer(node) for node in tables.values()} == {"core", "marts"}
    assert [name for name, node in tables.items() if not has_key(node)] == []


def test_money_that_is_split_is_held_against_its_parts(models: dict[str, Any]) -> None:
    """Where gross, discounts, returns and net stand side by side, the table takes no row in which they do not
    add up."""
    parts = {"gross_sales_cents", "discounts_cents", "returns_cents", "net_sales_cents"}
    assert [
        name
        for name, node in models.items()
        if parts <= set(node.columns)
        and not any(
            all(part in (constraint.expression or "") for part in parts) for constraint in node.constraints
        )
    ] == []


def test_every_mart_has_a_reader_with_an_owner_and_nobody_reads_past_the_marts(
    manifest: Any, models: dict[str, Any]
) -> None:
    exposures = list(manifest.exposures.values())
    assert [e.name for e in exposures if not (e.description and e.owner.email)] == []
    read = {name for exposure in exposures for name in parents(exposure)}
    assert read == {name for name, node in models.items() if layer(node) == "marts"}
