"""Compiles a contract of master data into the one DuckDB query that both readers use, as validation.py does
for sales.

Put rules about cells of master data here: what a flag, a share or a day may look like. Never what a kind of
master data consists of (ingestion/entities.py), never which version of a member holds (dbt).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ingestion.entities import DECIMALS, Entity, Kind
from ingestion.reading import dates, numbers
from ingestion.reading.cells import CellRules
from ingestion.reading.engine import literal
from ingestion.reading.plan import Plan, Settled

if TYPE_CHECKING:
    import pyarrow as pa

    from ingestion.contract import Contract

YES = ("true", "t", "yes", "y", "1", "active", "ja", "oui", "si", "sí", "sim", "tak", "aktiv")
NO = ("false", "f", "no", "n", "0", "inactive", "discontinued", "nein", "non", "não", "nie", "inaktiv")

_TYPES: dict[Kind, str] = {
    "text": "varchar", "price": "decimal(18, 6)", "rate": "decimal(18, 9)", "count": "decimal(14, 3)",
    "share": "decimal(9, 6)", "flag": "boolean", "day": "date",
}  # fmt: skip
_LONGEST = {"product_name": 1000, "customer_name": 1000}
_LARGEST = 100_000_000  # exclusive, for every number of master data


class EntityRules(CellRules):
    """All rules of one kind of master data, and the columns that leave the query."""

    def __init__(
        self, contract: Contract, entity: Entity, columns: Mapping[str, int], settled: Settled
    ) -> None:
        super().__init__(contract, columns, settled, {})
        self.entity = entity
        self.has_columns = [name for name in entity.columns if name in columns]

    def is_text(self, name: str) -> bool:
        return self.entity.columns[name.split(".", maxsplit=1)[0]] == "text"

    def layers(self) -> list[str]:
        """Select lists from raw cells to typed values, innermost first."""
        raw = [f'c{position} as "r_{name}"' for name, position in self.columns.items()]
        clean = [f"{self._whole(name)} as t_{name}" for name in self.has_columns]
        text = []
        for name in self.has_columns:
            kind = self.entity.columns[name]
            if kind == "day":
                text.append(f"{dates.rewritten(f't_{name}', self.forms)} as n_{name}")
            elif kind in DECIMALS:
                cell = rf"rtrim(regexp_replace(t_{name}, '%$', ''))" if kind == "share" else f"t_{name}"
                text.append(f"{numbers.number_text(cell, self.settled.decimal_mark)} as n_{name}")
        value = [
            f"{self._value(name, self.entity.columns[name])} as v_{name}"
            for name in self.has_columns
            if self.entity.columns[name] != "text"
        ]
        made = [", ".join(["*", *clean]), ", ".join(["*", *text]), ", ".join(["*", *value])]
        return [", ".join(raw), *made]

    def _whole(self, name: str) -> str:
        """SQL: the cleaned cell, or the cleaned cells that make it, joined."""
        column = self.column(name)
        parts = [part for part in self.columns if part.split(".")[0] == name]
        if len(parts) == 1:
            return self._clean(parts[0])
        return f"nullif(concat_ws({literal(column.join or ' ')}, {', '.join(map(self._clean, parts))}), '')"

    def _value(self, name: str, kind: Kind) -> str:
        if kind == "day":
            return f"try_cast({dates.local_time(f'n_{name}')} as date)"
        if kind == "flag":
            yes, no = (", ".join(map(literal, words)) for words in (YES, NO))
            word = f"lower(t_{name})"
            return f"case when {word} in ({yes}) then true when {word} in ({no}) then false end"
        exact = f"try_cast(n_{name} as {'decimal(18, 8)' if kind == 'share' else _TYPES[kind]})"
        if kind == "share":
            return f"case when t_{name} like '%\\%' escape '\\' then {exact} / 100 else {exact} end"
        return exact

    def entity_checks(self) -> None:
        """One check for each thing that can be wrong with a row."""
        for group in self.entity.needs:
            given = [name for name in group if name in self.has_columns]
            empty = " and ".join(f"t_{name} is null" for name in given)
            wanted = " or ".join(name.replace("_", " ") for name in group)
            self.check(given[0], "VALUE_MISSING", f"a {wanted}", empty)
        mark = "a point" if self.settled.decimal_mark == "." else "a comma"
        for name in self.has_columns:
            kind, column = self.entity.columns[name], self.column(name)
            present = f"t_{name} is not null"
            if column.required:
                self.check(name, "VALUE_MISSING", "a value", f"t_{name} is null")
            if column.pattern is not None:
                wanted = f"regexp_full_match(t_{name}, {literal(column.pattern)})"
                self.check(
                    name, "PATTERN_MISMATCH", f"text like {column.pattern}", f"{present} and not {wanted}"
                )
            if kind == "text":
                limit = _LONGEST.get(name, 200)
                self.check(name, "TEXT_TOO_LONG", f"at most {limit} bytes", f"strlen(t_{name}) > {limit}")
            elif kind == "flag":
                self.check(name, "FLAG_UNKNOWN", "yes or no", f"{present} and v_{name} is null")
            elif kind == "day":
                self.check(name, "DATE_FORMAT", "a date", f"{present} and n_{name} is null")
                self.check(
                    name, "DATE_IMPOSSIBLE", "a real day",
                    f"n_{name} is not null and (v_{name} is null or year(v_{name}) not between 1 and 9999)",
                )  # fmt: skip
            else:
                self._amount_checks(name, kind, mark)
        if self.entity.name == "rates":
            self.check(
                "currency", "PATTERN_MISMATCH", "a currency like EUR",
                "t_currency is not null and not regexp_full_match(t_currency, '[A-Za-z]{3}')",
            )  # fmt: skip

    def _amount_checks(self, name: str, kind: Kind, mark: str) -> None:
        places = DECIMALS[kind]
        self.check(
            name, "NUMBER_FORMAT", f"a number with {mark} before its decimals",
            f"t_{name} is not null and n_{name} is null",
        )  # fmt: skip
        self.check(
            name, "NUMBER_TOO_LARGE", f"a number below {_LARGEST:,}",
            f"n_{name} is not null and v_{name} is null or abs(v_{name}) >= {_LARGEST}",
        )  # fmt: skip
        self.check(
            name,
            "TOO_MANY_DECIMALS",
            f"at most {places} decimals",
            f"n_{name} is not null and {numbers.has_more_decimals(f'n_{name}', places)}",
        )
        low, high, expected = {
            "price": (f"v_{name} < 0", "false", "a number of 0 or more"),
            "rate": (f"v_{name} <= 0", "false", "a number above 0"),
            "share": (f"v_{name} < 0", f"v_{name} > 1", "a share from 0 to 1, or a percentage like 5%"),
        }.get(kind, ("false", "false", ""))
        if expected:
            self.check(name, "VALUE_OUT_OF_RANGE", expected, f"{low} or {high}")
        self.check_range(name, f"v_{name}")

    def result(self) -> str:
        """The select list that leaves the query: the table's columns, the failed checks, the cells."""
        made_of = dict(self.entity.made_of)
        parts = []
        for name, kind in self.entity.columns.items():
            stored = self.entity.stored_name(name)
            if stored not in self.entity.table_columns:
                continue
            values = [f"t_{part}" for part in made_of.get(name, ()) if part in self.has_columns]
            found = []
            if name in self.has_columns:
                found.append(f"{'t' if kind == 'text' else 'v'}_{name}")
            if values:
                found.append(f"nullif(concat_ws(' ', {', '.join(values)}), '')")
            value = f"coalesce({', '.join(found)})" if found else "null"
            if name == "currency":
                value = f"upper({value})"
            parts.append(f"{value}::{_TYPES[kind]} as {stored}")
        raw = ", ".join(f"coalesce(\"r_{name}\", '')" for name in self.columns)
        return f"select {', '.join(parts)}, bits, case when bits <> 0 then [{raw}] end as raw_cells"


def compile_entity(contract: Contract, entity: Entity, columns: Mapping[str, int], settled: Settled) -> Plan:
    """The query and its checks. `columns` must be a match for `contract`. Raises ValueError beyond 62
    checks."""
    rules = EntityRules(contract, entity, columns, settled)
    layers = rules.layers()
    rules.entity_checks()
    if len(rules.checks) > 62:
        raise ValueError(
            f"{contract.feed}: {len(rules.checks)} checks do not fit 62 bits; split the contract"
        )
    summed = " + ".join(
        f"case when {sql} then {1 << bit}::bigint else 0::bigint end"
        for bit, sql in enumerate(rules.conditions)
    )
    query = "src"
    for layer in (*layers, f"*, {summed} as bits"):
        query = f"(select {layer} from {query})"  # noqa: S608
    return Plan(f"{rules.result()} from {query}", tuple(rules.checks), rules.columns)


def version_schema(entity: Entity) -> pa.Schema:
    """The Arrow schema of a batch of accepted versions: row_number, then the table's columns."""
    import pyarrow as pa  # noqa: PLC0415

    types = {
        "text": pa.string(), "price": pa.decimal128(18, 6), "rate": pa.decimal128(18, 9),
        "count": pa.decimal128(14, 3), "share": pa.decimal128(9, 6), "flag": pa.bool_(), "day": pa.date32(),
    }  # fmt: skip
    return pa.schema(
        [("row_number", pa.int32()), *((name, types[kind]) for name, kind in entity.table_columns.items())]
    )
