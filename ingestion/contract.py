"""The contract of a feed: what a delivery looks like and means, one YAML file per feed in ingestion/feeds/.

Put the contract's shape and its loading here. Never matching of headers (matching.py), never SQL (reading/).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ingestion.entities import ENTITIES, Entity, Holds, MasterField
from ingestion.forms.encoded import known_encoding
from ingestion.forms.fixed_width import FixedWidth
from ingestion.forms.limits import Limits
from ingestion.gate_limits import GateLimits
from ingestion.sources.api import ApiSource, DottedPath
from ingestion.sources.database import DatabaseSource
from ingestion.sources.sheet import SheetSource
from warehouse.errors import ShopxError
from warehouse.settings import current_home

FEEDS = Path(__file__).parent / "feeds"

Field_ = Literal[
    "date", "order_id", "line_number", "order_status", "product_id", "product_name",
    "category", "customer_id", "customer_name", "customer_email", "store", "region", "country", "sales_rep",
    "channel", "quantity", "unit_price", "amount", "discount", "tax", "unit_cost", "currency",
]  # fmt: skip
DateForm = Literal[
    "iso", "by-proof", "day-first", "month-first", "year-first",
    "excel-serial", "excel-serial-1904", "epoch-seconds", "epoch-milliseconds",
]  # fmt: skip
_COUNTED = {"excel-serial", "excel-serial-1904", "epoch-seconds", "epoch-milliseconds"}
_IDENTIFY = ("order_id", "line_number", "customer_id", "customer_email")
_SAID_ONCE = (
    "order_status", "customer_id", "customer_name", "customer_email", "store", "region", "country",
    "sales_rep", "channel", "currency",
)  # fmt: skip
NUMBERS = ("quantity", "unit_price", "amount", "discount", "tax", "unit_cost")
Share = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def usable_expression(expression: str) -> str:
    """The regular expression as given. Raises ValueError, with a sentence, for one that no row could be
    tried on."""
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f'"{expression}" is no regular expression: {error}') from error
    if re.search(r"\(\?<?[=!]|\\[1-9]|\(\?P=|[*+?}]\+", expression):
        raise ValueError(
            f'"{expression}" looks ahead, looks back or refers back, which a column\'s pattern cannot'
        )
    return expression


class Column(_Strict):
    """How one of our columns is found and what its cells may hold.

    `optional`: the header may lack it; `required`: no cell of it may be empty; `above`, `below`: exclusive
    bounds; `one_of`: the only texts it may hold; `case`: the letters it is kept in; `spreadsheet_integer`:
    ids that a spreadsheet turned into 17850.0 lose the .0 again; `if_empty`: the text an empty cell stands
    for (texts of sales only); `join`: all of `names` together make the text, in that order, with this between
    them (master data only).
    """

    names: tuple[str, ...] = Field(min_length=1)
    optional: bool = False
    required: bool = False
    pattern: str | None = None
    null_words: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    case: Literal["upper", "lower"] | None = None
    spreadsheet_integer: bool = False
    if_empty: str | None = Field(default=None, min_length=1, max_length=200)
    above: Decimal | None = Field(default=None, allow_inf_nan=False)
    below: Decimal | None = Field(default=None, allow_inf_nan=False)
    join: str | None = None

    @field_validator("pattern")
    @classmethod
    def _known_pattern(cls, value: str | None) -> str | None:
        return None if value is None else usable_expression(value)


class NotSale(_Strict):
    """Lines that are no sale of goods: which they are (whole words in any case, or a pattern) and what they
    are.

    They are stored and accounted for like every line, but count neither as revenue nor as orders.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    column: Field_
    words: tuple[str, ...] = ()
    pattern: str | None = None
    as_: Literal["gift_card", "deposit", "shipping", "fee", "tip", "donation", "other"] = Field(alias="as")

    @model_validator(mode="after")
    def _one_way(self) -> NotSale:
        if bool(self.words) == (self.pattern is not None):
            raise ValueError("give either words or a pattern")
        if self.pattern is not None:
            usable_expression(self.pattern)
        return self


class Contract(_Strict):
    """What whoever delivers has promised. `sha256` is of the YAML's bytes and stands in the ledger."""

    feed: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    title: str
    kind: Literal["csv", "api", "sheet", "database"] = "csv"
    api: ApiSource | None = None
    sheet: SheetSource | None = None
    database: DatabaseSource | None = None
    holds: Holds = "sales"
    complete: bool = False
    rows: DottedPath | None = None
    builtin: bool = False
    export_of: str | None = None
    note: str = ""
    source: str = ""
    delivers: Literal["days", "orders", "lines", "events", "match"] | None = None
    order_id_scope: Literal["source", "store", "store_year", "store_day"] = "source"
    timezone: str = "UTC"
    day_starts_at: str = Field(default="00:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    decimal_mark: Literal[".", ","] | None = None
    date_formats: tuple[str, ...] = Field(default=("iso", "by-proof"), min_length=1)
    encoding: str | None = None
    header: tuple[str, ...] = ()
    header_row: int | None = Field(default=None, ge=1, le=60)
    quote: Literal['"', "'", "none"] = '"'
    escape: Literal["twice", "backslash"] | None = None
    pad_short_rows: bool = False
    derive: bool = False
    round: Literal["line"] | None = None
    amount_counts: Literal["amount", "quantity_x_price"] | None = None
    amount_is: Literal["before_discount", "after_discount"] | None = None
    discount_is: Literal["amount", "share", "percent"] = "amount"
    prices_include_tax: bool | None = None
    not_sales: tuple[NotSale, ...] = ()
    identity: tuple[Field_, ...] = ()
    once_per_order: tuple[Field_, ...] = ()
    path: str | None = None
    values: dict[Field_, str] = {}
    allow_zero_amount: bool = False
    max_reject_share: Share = 0.05
    gate: GateLimits = GateLimits()
    null_words: tuple[str, ...] = ()
    limits: Limits = Limits()
    worksheet: str | None = Field(default=None, min_length=1, max_length=31)
    fixed_width: FixedWidth | None = None
    price_from: Literal["products"] | None = None
    columns: dict[Field_ | MasterField, Column]
    sha256: str = ""

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_numbers(cls, data: Any) -> Any:
        """A sheet and a database give numbers as such; they are written with a point."""
        typed = isinstance(data, dict) and data.get("kind") in ("sheet", "database")
        return {"decimal_mark": "."} | data if typed else data

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f'"{value}" is no time zone; write one like Europe/London') from error
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        return None if value is None else known_encoding(value)

    @field_validator("date_formats")
    @classmethod
    def _known_forms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from ingestion.reading.date_patterns import parse  # noqa: PLC0415 - reading imports this module

        for form in value:
            if form not in get_args(DateForm):
                parse(form)
        meanings = [{"day-first", "month-first", "year-first", "by-proof"}, _COUNTED]
        if any(len(meaning & set(value)) > 1 for meaning in meanings):
            raise ValueError("names two meanings of the same figures; keep one, or only by-proof")
        return value

    @field_validator("path")
    @classmethod
    def _known_path(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            groups = re.compile(value).groupindex
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        if not groups:
            raise ValueError('names no column; write a group like "(?P<store>[^/]+)/"')
        if unknown := sorted(set(groups) - set(get_args(Field_))):
            raise ValueError(f"{', '.join(unknown)} is no column of ours")
        return value

    @model_validator(mode="after")
    def _enough_columns(self) -> Contract:
        has = self.columns.keys() | self.given
        if self.holds != "sales":
            return self._of_master_data()
        _refuse_others(self.columns, frozenset(get_args(Field_)), "sales")
        if self.complete:
            raise ValueError("complete: is for master data; sales say what they deliver with delivers:")
        if joined := [name for name, column in self.columns.items() if column.join is not None]:
            raise ValueError(f"columns: {joined[0]}: join: is for master data")
        if "date" not in has:
            raise ValueError("columns: date is missing")
        if not {"product_id", "product_name"} & has:
            raise ValueError("columns: product_id or product_name is missing")
        if self.price_from and ("quantity" not in has or not {"product_id", "product_name"} & has):
            raise ValueError("price_from: products needs the columns quantity and product_id or product_name")
        priced = {"unit_price"} if self.price_from else set()
        if "amount" not in has and not {"quantity", "unit_price"} <= has | priced:
            raise ValueError("columns: amount is missing, or quantity and unit_price")
        if self.meaning == "orders" and "order_id" not in has:
            raise ValueError("delivers: orders needs the column order_id, to know which orders come again")
        if self.meaning == "lines" and not {"order_id", "line_number"} <= has:
            raise ValueError(
                "delivers: lines needs the columns order_id and line_number, to know which lines come again"
            )
        if twice := sorted(self.columns.keys() & self.given):
            raise ValueError(f"{', '.join(twice)}: comes from a column and from path or values; keep one")
        if twice := sorted(self.values.keys() & self.path_names):
            raise ValueError(f"{', '.join(twice)}: stands in path and in values; keep one")
        return self

    @model_validator(mode="after")
    def _one_header(self) -> Contract:
        if self.header and self.header_row is not None:
            raise ValueError(
                "header: names the columns of a file without a header; header_row: contradicts it"
            )
        if self.header and len(set(self.header)) != len(self.header):
            raise ValueError("header: a name stands there twice; columns are told apart by it")
        if self.quote == "none" and self.escape is not None:
            raise ValueError("escape: says how quotes stand in quoted cells; with quote: none there are none")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> Contract:
        blocks = {
            "api": self.api is not None,
            "sheet": self.sheet is not None,
            "database": self.database is not None,
        }
        for kind, is_there in blocks.items():
            if is_there and self.kind != kind:
                raise ValueError(f"{kind}: has no meaning with kind: {self.kind}; write kind: {kind}")
            if self.kind == kind and not is_there:
                raise ValueError(f"kind: {kind} needs the block {kind}:, which says where it is asked for")
        if self.api and self.api.cursor and self.delivers not in ("orders", "lines", "events"):
            raise ValueError(
                "delivers: say what a change means: orders (whole orders come again), lines (single lines "
                "come again) or events (every record is new)"
            )
        return self

    @model_validator(mode="after")
    def _cells_have_types(self) -> Contract:
        """How a file would write them has no meaning where numbers and texts come as such."""
        if self.kind not in ("sheet", "database"):
            return self
        if self.encoding is not None:
            raise ValueError(f"encoding: has no meaning with kind: {self.kind}; leave it out")
        if self.decimal_mark == ",":
            raise ValueError(
                f"decimal_mark: the numbers of a {self.kind} need none; leave it out, and turn numbers that "
                f"are kept as text into numbers {'in the query' if self.database else 'there'}"
            )
        if self.database and self.database.cursor and self.complete:
            raise ValueError("complete: with database: cursor only changes come; leave one of them out")
        if self.database and self.database.cursor and self.meaning == "days":
            raise ValueError(
                "delivers: days with database: cursor would take the rest of a day away whenever one row of "
                "it changes; leave cursor out, or write delivers: lines, orders or events"
            )
        return self

    @model_validator(mode="after")
    def _one_form(self) -> Contract:
        given = [name for name in ("worksheet", "fixed_width") if getattr(self, name) is not None]
        if given and self.kind != "csv":
            raise ValueError(f"{given[0]}: has no meaning with kind: {self.kind}; it is for files")
        if len(given) > 1:
            raise ValueError("fixed_width: is for text and worksheet: for workbooks; leave one out")
        if self.fixed_width and self.encoding in ("utf-16-le", "utf-16-be"):
            raise ValueError("fixed_width: cannot be cut from UTF-16; save the file as UTF-8")
        return self

    @property
    def is_fetched(self) -> bool:
        """Whether its deliveries are asked for, rather than dropped as files."""
        return self.kind != "csv"

    @property
    def meaning(self) -> str | None:
        """What a delivery means: as declared; one that is asked for by days, or whole, is complete for its
        days; what has changed in a database are lines; a row of master data adds or changes what it names."""
        if self.entity is not None:
            return "lines"
        if self.delivers or self.kind == "csv":
            return self.delivers
        return "lines" if self.database and self.database.cursor else "days"

    def _of_master_data(self) -> Contract:
        entity = ENTITIES[self.holds]
        _refuse_others(self.columns, frozenset(entity.columns), entity.name)
        for group in entity.needs:
            if not self.columns.keys() & set(group):
                raise ValueError(f"columns: {' or '.join(group)} is missing")
        for name, column in self.columns.items():
            if column.join is not None and entity.columns[name] != "text":
                raise ValueError(f"columns: {name}: only text can be joined")
        if self.delivers not in (None, "lines"):
            raise ValueError(
                f"delivers: {entity.name} come as lines: a row adds or changes what it names; "
                "complete: true if what a delivery does not name is gone"
            )
        if self.complete and entity.name in ("inventory", "rates"):
            raise ValueError(f"complete: {entity.name} are counted by day; nothing in them can be gone")
        if self.price_from is not None:
            raise ValueError("price_from: is for sales")
        if entity.name == "customers" and not self.source:
            raise ValueError("source: is missing: which feed's (or source's) customer ids these are")
        return self

    @property
    def entity(self) -> Entity | None:
        """The kind of master data it holds; None for sales."""
        return ENTITIES.get(self.holds)

    @model_validator(mode="after")
    def _useful_keys(self) -> Contract:
        for_sales = (
            "amount_counts", "amount_is", "not_sales", "identity", "once_per_order", "path", "values",
        )  # fmt: skip
        if self.entity is not None:
            if used := [key for key in for_sales if getattr(self, key)]:
                raise ValueError(f"{used[0]}: is for sales")
            if any(column.if_empty for column in self.columns.values()):
                raise ValueError("if_empty: is for sales")
            return self
        has = self.columns.keys() | self.given
        three = {"quantity", "unit_price", "amount"}
        if self.amount_counts is not None and not three <= has:
            raise ValueError("amount_counts: needs columns for quantity, unit_price and amount")
        if "discount" not in has and (self.discount_is != "amount" or self.amount_is is not None):
            raise ValueError("discount_is, amount_is: there is no column for discount")
        if self.amount_is is not None and "amount" not in has:
            raise ValueError("amount_is: there is no column for amount")
        if lacking := [name for name in self.identity if name not in has]:
            raise ValueError(f"identity: there is no column for {', '.join(lacking)}")
        if lacking := [rule.column for rule in self.not_sales if rule.column not in has]:
            raise ValueError(f"not_sales: there is no column for {', '.join(lacking)}")
        for name, column in self.columns.items():
            if name not in NUMBERS and (column.above is not None or column.below is not None):
                raise ValueError(f"columns.{name}: above and below are for numbers")
            if (name in NUMBERS or name == "date") and (column.case or column.one_of or column.if_empty):
                raise ValueError(f"columns.{name}: case, one_of and if_empty are for texts")
            if column.if_empty and (column.required or name in _IDENTIFY):
                raise ValueError(
                    f"columns.{name}: if_empty: would make one order or person of all that have none"
                    if name in _IDENTIFY
                    else f"columns.{name}: required: and if_empty: contradict each other"
                )
        return self

    @model_validator(mode="after")
    def _said_once(self) -> Contract:
        if self.once_per_order and "order_id" not in self.columns:
            raise ValueError("once_per_order: needs the column order_id, to know which lines belong together")
        for name in self.once_per_order:
            column = self.columns.get(name)
            if name not in _SAID_ONCE:
                raise ValueError(f"once_per_order: {name} is a line's own; known: {', '.join(_SAID_ONCE)}")
            if column is None:
                raise ValueError(f"once_per_order: there is no column for {name}")
            if column.required or column.if_empty:
                raise ValueError(f"once_per_order: {name}: required: and if_empty: contradict it")
        return self

    @property
    def path_names(self) -> frozenset[str]:
        """Our columns whose value stands in the path of a delivery."""
        return frozenset(re.compile(self.path).groupindex if self.path else ())

    @property
    def given(self) -> frozenset[str]:
        """Our columns that have one value for the whole delivery: from its path, or the same in all."""
        return self.path_names | self.values.keys()

    def path_values(self, path: str) -> dict[str, str] | None:
        """What the path of a delivery says, ours -> value; None where `path` of the contract does not fit
        its end.

        `path` has forward slashes. A group that took no part gives no value.
        """
        if self.path is None:
            return {}
        fit = re.search(rf"(?:^|/)(?:{self.path})$", path)
        return None if fit is None else {name: value for name, value in fit.groupdict().items() if value}

    @property
    def source_name(self) -> str:
        """Feeds of one source share order ids; the feed is its own source unless the contract says
        otherwise."""
        return self.source or self.feed


def _refuse_others(columns: Iterable[str], known: frozenset[str], holds: str) -> None:
    """Raise ValueError for a column that rows of this kind do not have."""
    for name in columns:
        if name not in known:
            raise ValueError(f"columns: {name} is no column of {holds}; known: {', '.join(sorted(known))}")


def read_contract(path: Path) -> Contract:
    """The contract in one YAML file. Raises ShopxError that names the file and the key."""
    raw = path.read_bytes()
    try:
        data = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise ShopxError(f"{path.name}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise ShopxError(f"{path.name}: expected keys like feed, title and columns at the top level")
    try:
        contract = Contract.model_validate(data | {"sha256": hashlib.sha256(raw).hexdigest()})
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'contract'}: {item['msg']}"
            for item in error.errors()
        )
        raise ShopxError(f"{path.name}: {found}") from error
    if contract.feed != path.stem:
        raise ShopxError(
            f"{path.name}: feed: is {contract.feed}, but the file must be named {contract.feed}.yaml"
        )
    return contract


@lru_cache(maxsize=8)
def _load(stamp: tuple[tuple[Path, int, int], ...]) -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for path, _, _ in stamp:
        contract = read_contract(path)
        if contract.feed in found and found[contract.feed].builtin and not contract.builtin:
            raise ShopxError(f"{path}: {contract.feed} is the name of a built-in feed; choose another one")
        found[contract.feed] = contract
    return found


def load_contracts(folder: Path = FEEDS) -> dict[str, Contract]:
    """All contracts by feed name: those of the project, and over them those of this installation
    (SHOPX_HOME/feeds). Read again when a file changed. Raises ShopxError naming file and key."""
    found = [*sorted(folder.glob("*.yaml")), *sorted(own_feeds().glob("*.yaml"))]
    stamp = tuple((p, (s := p.stat()).st_mtime_ns, s.st_size) for p in found)
    return dict(_load(stamp))


def own_feeds() -> Path:
    """The folder with the contracts of this installation; it need not exist."""
    return current_home() / "feeds"


def folder_of(feed: str, folder: Path = FEEDS) -> Path:
    """The folder that holds the contract of `feed`: the installation's where it has one."""
    return own if ((own := own_feeds()) / f"{feed}.yaml").exists() else folder
