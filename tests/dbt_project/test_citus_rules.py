"""What keeps the move to Citus, PostgreSQL on several machines, a matter of configuration; it needs no Citus.

Put here: rules for the tables of facts as built, and for the SQL of the models as compiled for a whole build.
Never here: rules of style. The suite against a real Citus runs where CITUS_DSN is set.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import Scope, traverse_scope

from warehouse.database import Warehouse, open_warehouse
from warehouse.settings import Settings

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
HASH = "md5(string_agg(t::text, '|' order by t::text))"
LONGEST_NAME = 54  # what a shard's number leaves of PostgreSQL's 63 characters

CATALOG = """
with facts as (
    select to_regclass('core.' || fact) as oid, key
    from unnest(%(facts)s::text[], %(keys)s::text[]) as f (fact, key)
),

tables as (
    select f.oid, f.oid as fact, f.key from facts as f
    union all
    select i.inhrelid, f.oid, f.key from facts as f inner join pg_inherits as i on i.inhparent = f.oid
)

select f.oid::regclass || ' has no primary key' from facts as f
where not exists (select from pg_index as i where i.indrelid = f.oid and i.indisprimary)
union all
select i.indexrelid::regclass || ' is unique without ' || f.key
from facts as f inner join pg_index as i on i.indrelid = f.oid and i.indisunique
where not exists (
    select from pg_attribute as a where a.attrelid = f.oid and a.attname = f.key and a.attnum = any(i.indkey)
)
union all
select f.oid::regclass || ' has a key ' || f.key || ' that is no bigint' from facts as f
where not exists (
    select from pg_attribute as a
    where a.attrelid = f.oid and a.attname = f.key and a.atttypid = 'bigint'::regtype and not a.attisdropped
)
union all
select t.oid::regclass || ' is a default partition' from tables as t inner join pg_class as c on c.oid = t.oid
where pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'
union all
select c.relname || ' is longer than a shard can be named'
from tables as t inner join pg_class as c on c.oid = t.oid
where length(c.relname) > %(longest)s
union all
select t.oid::regclass || ' has the trigger ' || g.tgname
from tables as t inner join pg_trigger as g on g.tgrelid = t.oid and not g.tgisinternal
union all
select t.oid::regclass || ' has the foreign key ' || k.conname
from tables as t inner join pg_constraint as k on k.conrelid = t.oid and k.contype = 'f'
union all
select i.indexrelid::regclass || ' is a BRIN index of all partitions'
from facts as f
inner join pg_partitioned_table as p on p.partrelid = f.oid
inner join pg_index as i on i.indrelid = f.oid
inner join pg_class as c on c.oid = i.indexrelid
inner join pg_am as m on m.oid = c.relam and m.amname = 'brin'
"""


def rows_of_facts(source: exp.Expression | Scope, facts: Mapping[str, str]) -> set[str]:
    """The distribution keys of the facts whose rows reach a query one by one, through CTEs that only pick."""
    if isinstance(source, exp.Table):
        return {facts[source.name]} if source.name in facts else set()
    if not isinstance(source, Scope):
        return set()
    query = source.expression
    if isinstance(query, exp.SetOperation):
        return set().union(*(rows_of_facts(part, facts) for part in source.set_operation_scopes))
    if any(query.args.get(clause) for clause in ("group", "distinct", "limit")) or any(
        aggregate.find_ancestor(exp.Window) is None
        for projection in query.selects
        for aggregate in projection.find_all(exp.AggFunc)
    ):
        return set()
    return set().union(*(rows_of_facts(inner, facts) for _, inner in source.selected_sources.values()))


def joined_on(join: exp.Join, key: str) -> bool:
    """Whether a join demands that both sides have the same key."""
    if any(column.name == key for column in join.args.get("using") or []):
        return True
    return any(
        isinstance(side.this, exp.Column) and isinstance(side.expression, exp.Column)
        and side.this.name == side.expression.name == key and side.this.table != side.expression.table
        for side in (join.args.get("on") or exp.true()).find_all(exp.EQ)
    )  # fmt: skip


def broken_rules(sql: str, facts: Mapping[str, str]) -> list[str]:
    """What of a query Citus would refuse, or could answer only by sending facts from machine to machine.

    `facts` maps the table of each fact to its distribution key.
    """
    return [
        found for scope in traverse_scope(parse_one(sql, dialect="postgres")) for found in _in(scope, facts)
    ]


def _in(scope: Scope, facts: Mapping[str, str]) -> Iterator[str]:
    query = scope.expression
    if not isinstance(query, exp.Select):
        return
    sources = {name: rows_of_facts(source, facts) for name, (_, source) in scope.selected_sources.items()}
    reads = set().union(*sources.values())
    group = query.args.get("group")
    if reads and group and any(group.find_all(exp.GroupingSets, exp.Rollup, exp.Cube)):
        yield "grouping sets over facts"
    if reads and query.args.get("locks"):
        yield "a lock on facts"
    joins = query.args.get("joins") or []
    if reads and any(isinstance(join.this, exp.Lateral) for join in joins):
        yield "lateral beside facts"
    seen = (
        set(sources.get(query.args["from_"].this.alias_or_name, set())) if query.args.get("from_") else set()
    )
    for join in joins:
        joined = sources.get(join.this.alias_or_name, set())
        if seen and joined and not any(joined_on(join, key) for key in seen & joined):
            yield f"facts joined to facts ({join.this.alias_or_name}) on another column than their key"
        seen |= joined
    # a column without a table is taken for the query's own
    outside = [column for column in scope.columns if column.table and column.table not in sources]
    if reads and scope.is_subquery and any(column.name not in reads for column in outside):
        yield "a correlated subquery over facts"
    with_ = query.args.get("with_")
    if with_ and with_.recursive and any(t.name in facts for t in with_.find_all(exp.Table)):
        yield "recursion over facts"


FACTS = {"fct": "order_key", "fct_orders": "order_key"}
LINES = "with lines as (select order_key, product_key, cents from core.fct where cents > 0)"


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (f"{LINES} select 1 from lines as a inner join core.fct_orders as b on a.product_key = b.product_key",
         "facts joined to facts (b)"),
        (f"{LINES} select 1 from lines as a cross join lines as b", "facts joined to facts (b)"),
        (f"{LINES} select sum(cents) from lines group by rollup (product_key)", "grouping sets"),
        (f"{LINES} select sum(cents) from lines group by grouping sets ((product_key), ())", "grouping sets"),
        (f"{LINES} select 1 from lines cross join lateral (select lines.cents) as x", "lateral"),
        (f"{LINES} select 1 from lines where exists (select 1 from core.fct_orders as o"
         " where o.product_key = lines.product_key)", "a correlated subquery"),
        ("with recursive r as (select order_key from core.fct union all select 1 from r) select 1 from r",
         "recursion"),
        ("select 1 from core.fct for update", "a lock"),
    ],
)  # fmt: skip
def test_the_lint_finds(sql: str, found: str) -> None:
    assert [rule for rule in broken_rules(sql, FACTS) if rule.startswith(found)]


@pytest.mark.parametrize(
    "sql",
    [
        f"{LINES} select 1 from lines as a inner join core.fct_orders as b on a.order_key = b.order_key",
        f"{LINES} select 1 from lines as a inner join core.fct_orders as b using (order_key)",
        f"{LINES}, days as (select product_key, sum(cents) as cents from lines group by product_key)"
        " select 1 from lines inner join days on lines.product_key = days.product_key",
        f"{LINES}, total as (select sum(cents) as cents from lines) select 1 from lines cross join total",
        f"{LINES} select row_number() over (partition by product_key order by order_key) from lines",
        f"{LINES}, days as (select product_key, sum(cents) as c from lines group by product_key)"
        " select sum(c) from days group by rollup (product_key)",
        "select d from core.days cross join lateral generate_series(1, 2) as d",
    ],
)
def test_the_lint_lets_through(sql: str) -> None:
    assert broken_rules(sql, FACTS) == []


def distributed(manifest: Any) -> dict[str, str]:
    """Tables of facts with their distribution keys."""
    return {
        node.name: node.config.meta["distributed_by"]
        for node in manifest.nodes.values()
        if node.resource_type == "model" and "distributed_by" in node.config.meta
    }


def test_every_table_over_facts_says_where_it_stands(manifest: Any) -> None:
    facts = {f"model.shopx.{name}" for name in distributed(manifest)}
    assert len(facts) >= 2
    models = [n for n in manifest.nodes.values() if n.resource_type == "model"]
    assert [
        node.name
        for node in models
        if node.config.materialized not in ("view", "ephemeral")
        and (node.unique_id in facts or facts & set(node.depends_on.nodes))
        and len({"distributed_by", "reference", "local"} & set(node.config.meta)) != 1
    ] == []
    # facts are never kept on one machine by a default of their folder
    assert [n.name for n in models if n.name.startswith("fct_order") and n.unique_id not in facts] == []


def test_no_model_asks_which_engine_it_runs_on() -> None:
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("macros/*.sql")]
    assert [p.name for p in files if re.search(r"\btarget\.(name|type)\b", p.read_text())] == []


def test_facts_as_built_keep_the_rules(
    warehouse: Warehouse, dbt: Callable[..., Any], deliver: Callable[..., int], manifest: Any
) -> None:
    facts = distributed(manifest)
    deliver(1, {"order_id": "A", "sale_date": "2026-06-01", "gross_cents": 100})
    outcome = dbt("run", "--select", *(f"+{fact}" for fact in facts))
    assert outcome.success, outcome.messages
    with warehouse.connect("owner") as conn:
        broken = conn.execute(
            CATALOG, {"facts": list(facts), "keys": list(facts.values()), "longest": LONGEST_NAME}
        ).fetchall()
    assert broken == []


def test_models_as_compiled_keep_the_rules(manifest: Any, compiled: dict[str, str]) -> None:
    facts = distributed(manifest)
    assert {name: found for name, sql in compiled.items() if (found := broken_rules(sql, facts))} == {}


@pytest.mark.citus
@pytest.mark.skipif(not os.environ.get("CITUS_DSN"), reason="CITUS_DSN names no Citus to run on")
def test_what_is_made_of_distributed_facts_is_what_was_made_of_plain_ones(
    short_dir: Path, manifest: Any
) -> None:
    """CITUS_DSN: an empty database with the extension, and a user of it who may create roles."""
    dsn = os.environ["CITUS_DSN"]
    home = {**os.environ, "WAREHOUSE_URL": dsn, "SHOPX_HOME": str(short_dir)}
    subprocess.run([str(PROJECT.parent / "shopx"), "demo", "--no-up"], env=home, check=True, timeout=600)
    compiled = short_dir / "dbt" / "target" / "compiled" / "shopx" / "models"
    models = [n for n in manifest.nodes.values() if n.resource_type == "model"]
    settings = Settings(home=short_dir, warehouse_url=SecretStr(dsn))
    with open_warehouse(settings) as opened, opened.connect("transformer", autocommit=True) as conn:
        for name, key in distributed(manifest).items():
            conn.execute("select create_distributed_table(%s, %s)", [f"core.{name}", key])
        for node in models:
            if node.config.meta.get("reference") and node.config.materialized == "table":
                conn.execute("select create_reference_table(%s)", [f"{node.schema}.{node.name}"])
        marts = [node.name for node in models if node.schema == "marts_next"]
        differing = [
            mart
            for mart in marts
            if conn.execute(f"select {HASH} from marts_next.{mart} as t").fetchone()
            != conn.execute(
                f"select {HASH} from ({(compiled / f'marts/{mart}.sql').read_text()}) as t"
            ).fetchone()
        ]
    assert differing == []
