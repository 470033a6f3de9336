"""Rules that every model keeps: described to the last column, one clock, no name that others lose."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
FIXED_COLUMNS = {
    "fct_order_lines": """
        order_key order_line_key sale_date order_id load_id feed sold_at line_type order_status
        counts_as_revenue product_key customer_key store_key sales_rep_key channel quantity
        gross_cents discount_cents tax_cents cost_cents net_cents
    """,
    "daily_sales": """
        sale_date orders units customers guest_orders gross_sales_cents returns_cents discounts_cents
        net_sales_cents average_order_value_cents
    """,
}
# marts of which nobody can say when they should hold something
MAY_BE_EMPTY = {"product_pairs", "state_sales_monthly"}


def models(manifest: Any) -> list[Any]:
    return [node for node in manifest.nodes.values() if node.resource_type == "model"]


def test_every_model_and_every_column_is_described_and_the_model_ends_in_its_grain(manifest: Any) -> None:
    grain = re.compile(r"\bOne row\b[^.]*\.$")
    assert [node.name for node in models(manifest) if not grain.search(node.description)] == []
    bare = [
        f"{node.name}.{column.name}"
        for node in models(manifest)
        for column in node.columns.values()
        if not column.description
    ]
    assert bare == []


class _EachKeyOnce(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), (
            f"{node.start_mark}: of a key that stands twice only the last counts"
        )
        return super().construct_mapping(node, deep)


def test_no_key_stands_twice_so_that_no_test_is_lost() -> None:
    for path in sorted((PROJECT / "models").rglob("*.yml")):
        yaml.load(path.read_text(), _EachKeyOnce)  # noqa: S506 - a safe loader


def test_every_model_keeps_a_contract(manifest: Any) -> None:
    assert [node.name for node in models(manifest) if not node.contract.enforced] == []


def test_columns_that_others_build_on_are_there(manifest: Any) -> None:
    columns = {node.name: set(node.columns) for node in models(manifest)}
    assert {name: set(fixed.split()) - columns[name] for name, fixed in FIXED_COLUMNS.items()} == {
        name: set() for name in FIXED_COLUMNS
    }


def test_every_test_has_a_name_of_its_own(manifest: Any) -> None:
    tests = [node for node in manifest.nodes.values() if node.resource_type == "test"]
    names = Counter(node.name for node in [*tests, *manifest.unit_tests.values()])
    assert [name for name, times in names.items() if times > 1] == []
    # a name that dbt makes up from model, column and arguments ends in a hash or doubles the model
    made_up = [
        n.name
        for n in tests
        if re.match(r"(unique|not_null|accepted_values|relationships|always_true)_", n.name)
    ]
    assert made_up == []


def test_every_source_says_its_grain_and_every_case_what_it_shows(manifest: Any) -> None:
    sources = list(manifest.sources.values())
    assert [s.name for s in sources if not re.search(r"\bOne row\b[^.]*\.$", s.description)] == []
    assert [f"{s.name}.{c.name}" for s in sources for c in s.columns.values() if not c.description] == []
    assert [case.name for case in manifest.unit_tests.values() if not case.description] == []


def test_every_macro_is_explained_where_it_stands() -> None:
    """A comment right above it: macros are read in their file, and YAML beside them would say it twice."""
    start = re.compile(r"(#\}\s*)?\{%-?\s*(?:macro|test)\s+(\w+)\(")
    files = [*PROJECT.glob("macros/*.sql"), *PROJECT.glob("tests/generic/*.sql")]
    found = [(path.name, *match.groups()) for path in files for match in start.finditer(path.read_text())]
    assert len(found) > 90
    assert [f"{file}: {name}" for file, comment, name in found if not comment] == []


def test_every_mart_is_checked_for_being_empty_without_reason(manifest: Any) -> None:
    name = "assert_no_mart_is_empty_without_reason"
    (test,) = [node for node in manifest.nodes.values() if node.name == name]
    marts = {node.name for node in models(manifest) if node.schema == "marts_next"}
    looked_at = {parent.rsplit(".", 1)[-1] for parent in test.depends_on.nodes}
    assert marts - looked_at == MAY_BE_EMPTY


def test_a_ratio_or_an_average_is_marked_as_nothing_to_add_up(manifest: Any) -> None:
    ratio = re.compile(r"_(pct|index|share)$|^average_")
    unmarked = [
        f"{node.name}.{column.name}"
        for node in models(manifest)
        for column in node.columns.values()
        if node.schema == "marts_next"
        and ratio.search(column.name)
        and not column.name.startswith("why_")
        and column.meta.get("additive") is not False
    ]
    assert unmarked == []


def test_no_model_reads_another_clock_than_as_of() -> None:
    clocks = re.compile(
        r"\b(now\s*\(|current_date|current_timestamp|clock_timestamp|localtimestamp|getdate|run_started_at|'today')",
        re.IGNORECASE,
    )
    files = [p for folder in ("models", "macros", "tests") for p in (PROJECT / folder).rglob("*.sql")]
    assert len(files) > 20
    assert [str(p.relative_to(PROJECT)) for p in files if clocks.search(p.read_text())] == []


def test_singular_tests_are_sentences_that_say_when_they_fail() -> None:
    singular = list((PROJECT / "tests").glob("*.sql"))
    assert singular
    assert [p.name for p in singular if not p.name.startswith("assert_")] == []
    assert [p.name for p in singular if not p.read_text().startswith("-- Fails if ")] == []
