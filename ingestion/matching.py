"""Which contract a header fits, and which of its columns is which of ours.

Put header rules here; they match whole normalised names only, so that a shipping date is never the date of
sale. Never read a file here, never look at values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingestion.contract import Contract
from ingestion.refusals import FileRefused


@dataclass(frozen=True)
class Match:
    """`columns`: our name -> position in the header; `ignored`: their names that no column of ours uses."""

    contract: Contract
    columns: dict[str, int]
    ignored: list[str]


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """A header as it is compared: `OrderDate`, `order_date` and ` Order date ` are all "order date"."""
    text = re.sub(
        r"\s*[(\[][A-Z]{3}[)\]]$", "", unicodedata.normalize("NFKC", name).strip()
    )  # "Amount (EUR)"
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _fit(header: Sequence[str], contract: Contract) -> tuple[dict[str, list[int]], list[int]]:
    """Our name -> every position whose header is one of its names, and the positions nobody asked for."""
    wanted = {normalise(name): ours for ours, column in contract.columns.items() for name in column.names}
    found: dict[str, list[int]] = {}
    rest = []
    for position, name in enumerate(header):
        ours = wanted.get(normalise(name))
        if ours is None:
            rest.append(position)
        else:
            found.setdefault(ours, []).append(position)
    return found, rest


def _missing(found: Mapping[str, Sequence[int]], contract: Contract) -> list[str]:
    """What the header lacks, in words."""
    lacks = []
    if not contract.builtin:
        lacks = [
            f"{ours} ({' or '.join(column.names[:3])})"
            for ours, column in contract.columns.items()
            if not column.optional and ours not in found
        ]
    if lacks:
        return lacks
    if "date" not in found:
        lacks.append("a date of sale")
    if "product_id" not in found and "product_name" not in found:
        lacks.append("a product (name or id)")
    if "amount" not in found and not {"quantity", "unit_price"} <= found.keys():
        lacks.append("an amount (or quantity and unit price)")
    return lacks


def _settle(header: Sequence[str], contract: Contract) -> Match:
    """The match, or FileRefused when a required column is missing or has two candidates."""
    found, rest = _fit(header, contract)
    seen = ", ".join(f'"{name}"' for name in header[:12]) + (", …" if len(header) > 12 else "")
    if lacks := _missing(found, contract):
        raise FileRefused(
            f"no column for {' and '.join(lacks)} among {seen}; rename the column, or describe this file in "
            f"ingestion/feeds/<name>.yaml [COLUMN_MISSING]"
        )
    columns, ignored = {}, list(rest)
    for ours, positions in found.items():
        if len(positions) == 1:
            columns[ours] = positions[0]
        elif ours in (
            "date",
            "product_id",
            "product_name",
            "amount",
            "quantity",
            "unit_price",
            "order_id",
        ) or (
            not contract.builtin and not contract.columns[ours].optional  # type: ignore[index]
        ):
            names = " and ".join(f'"{header[p]}"' for p in positions)
            raise FileRefused(
                f"{names} could each be the {ours.replace('_', ' ')}; say which in a contract "
                f"ingestion/feeds/<name>.yaml [COLUMN_AMBIGUOUS]"
            )
        else:
            ignored.extend(positions)
    return Match(contract, columns, [header[p] for p in sorted(ignored)])


def choose_contract(header: list[str], contracts: Mapping[str, Contract], *, feed: str | None) -> Match:
    """The contract `feed`, or else the one declared contract whose columns are all there, or else the
    built-in one.

    Raises FileRefused: unknown feed, a missing required column, two candidates for one, two contracts that
    fit alike.
    """
    if feed is not None:
        if feed not in contracts:
            raise FileRefused(
                f'there is no feed "{feed}"; known: {", ".join(sorted(contracts))} [FEED_UNKNOWN]'
            )
        return _settle(header, contracts[feed])
    fitting = []
    for contract in contracts.values():
        found, _ = _fit(header, contract)
        if not contract.builtin and not contract.is_fetched and not _missing(found, contract):
            fitting.append((len(found), contract))
    if fitting:
        most = max(count for count, _ in fitting)
        best = [contract for count, contract in fitting if count == most]
        if len(best) > 1:
            names = " and ".join(contract.feed for contract in best)
            raise FileRefused(
                f"the header fits the feeds {names} alike; name one with --feed [FEED_UNDECIDED]"
            )
        return _settle(header, best[0])
    return _settle(header, contracts["sales_csv"])
