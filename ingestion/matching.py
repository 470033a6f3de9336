"""Which contract a header fits, and which of its columns is which of ours.

Put header rules here; they match whole normalised names only, so that a shipping date is never the date of
sale. Never read a file here, never look at values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
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
    text = text.replace("%", " percent ")  # a rate is no amount
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    plain = text.casefold()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))
    return " ".join(re.findall(r"[^\W_]+", plain))


#: Words for a number, and the ends of words that say it: Bestellnummer, Bestell-Nr. and Bestellnr. are one.
_NUMBER_WORDS = frozenset({"no", "nr", "num", "number", "nummer", "numero", "numer", "n"})
_NUMBER_ENDS = ("nummer", "nr")
#: Words that only join two others: date de commande, date commande.
_JOINING = frozenset({"de", "d", "del", "della", "des", "di", "da", "do", "du", "l", "la", "of"})


@lru_cache(maxsize=4096)
def comparable(name: str) -> str:
    """A header with one word for number and without joining words, as it is looked up among ours."""
    words: list[str] = []
    for word in normalise(re.sub(r"(?i)\bn\.?\s?[º°]", "no ", name)).split():
        end = next((end for end in _NUMBER_ENDS if word.endswith(end) and word != end), "")
        if word in _NUMBER_WORDS:
            words.append("no")
        elif end:
            words += [word.removesuffix(end), "no"]
        elif word not in _JOINING:
            words.append(word)
    return " ".join(words)


def _names(contract: Contract) -> Iterator[tuple[str, str]]:
    """Our name beside each name it may have; the parts of a joined column are `name`, `name.2`, …"""
    for ours, column in contract.columns.items():
        for number, name in enumerate(column.names, start=1):
            yield (ours if column.join is None or number == 1 else f"{ours}.{number}"), name


def _fit(header: Sequence[str], contract: Contract) -> tuple[dict[str, list[int]], list[int]]:
    """Our name -> every position whose header is one of its names, and the positions nobody asked for."""
    wanted = {comparable(name): ours for ours, name in _names(contract)}
    found: dict[str, list[int]] = {}
    rest = []
    for position, name in enumerate(header):
        ours = wanted.get(comparable(name))
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
    if contract.entity is not None:
        groups = contract.entity.needs + (contract.entity.told_by if contract.builtin else ())
        return [" or ".join(group) for group in groups if not found.keys() & set(group)]
    has = found.keys() | contract.given
    if "date" not in has:
        lacks.append("a date of sale")
    if not {"product_id", "product_name"} & has:
        lacks.append("a product (name or id)")
    priced = {"unit_price"} if contract.price_from else set()
    if "amount" not in has and not {"quantity", "unit_price"} <= has | priced:
        lacks.append("an amount (or quantity and unit price)")
    return lacks


def candidates(header: Sequence[str], contract: Contract) -> dict[str, list[int]]:
    """Our name -> the positions of every column whose header is one of its names."""
    return _fit(header, contract)[0]


def could_hold(header: Sequence[str], contract: Contract, sales: Contract) -> bool:
    """Whether the header has all that a built-in contract needs, and nothing that only sales have."""
    if _missing(_fit(header, contract)[0], contract):
        return False
    return contract.entity is None or not _strangers(header, contract, sales)


def _settle(header: Sequence[str], contract: Contract) -> Match:
    """The match, or FileRefused when a required column is missing or has two candidates."""
    found, rest = _fit(header, contract)
    seen = ", ".join(f'"{name}"' for name in header[:12]) + (", …" if len(header) > 12 else "")
    if lacks := _missing(found, contract):
        raise FileRefused(
            f"no column for {' and '.join(lacks)} among {seen}; `./shopx feed init FILE` proposes a "
            f"contract that says which column it is [COLUMN_MISSING]"
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
            not contract.builtin and not contract.columns[ours.split(".")[0]].optional  # type: ignore[index]
        ):
            names = " and ".join(f'"{header[p]}"' for p in positions)
            raise FileRefused(
                f"{names} could each be the {ours.replace('_', ' ')}; `./shopx feed init "
                f"FILE` asks which, and keeps the answer in a contract [COLUMN_AMBIGUOUS]"
            )
        else:
            ignored.extend(positions)
    return Match(contract, columns, [header[p] for p in sorted(ignored)])


def choose_contract(
    header: list[str], contracts: Mapping[str, Contract], *, feed: str | None, delivered: str = ""
) -> Match:
    """The contract `feed`, or else the one declared contract whose columns are all there and whose `path`
    fits the path it was delivered under, or else that of a known shop system's export, or else the built-in
    one.

    Raises FileRefused: unknown feed, a missing required column, two candidates for one, two contracts that
    fit alike.
    """
    if feed is not None:
        if feed not in contracts:
            raise FileRefused(
                f'there is no feed "{feed}"; known: {", ".join(sorted(contracts))} [FEED_UNKNOWN]'
            )
        if delivered and contracts[feed].path_values(delivered) is None:
            raise FileRefused(
                f"{delivered} does not fit path {contracts[feed].path} of the feed {feed}; put the "
                "file where its folder and name say what the contract wants, or correct the contract "
                "[PATH_MISMATCH]"
            )
        return _settle(header, contracts[feed])
    fitting = []
    for contract in contracts.values():
        found, _ = _fit(header, contract)
        if contract.builtin or contract.export_of or contract.is_fetched:
            continue
        if contract.path_values(delivered) is None:
            continue
        if not _missing(found, contract):
            fitting.append((len(found) + len(contract.path_names), contract))
    if fitting:
        most = max(count for count, _ in fitting)
        best = [contract for count, contract in fitting if count == most]
        if len(best) > 1:
            raise FileRefused(_alike(best))
        return _settle(header, best[0])
    if (export := known_export(header, contracts)) is not None:
        return _settle(header, export)
    return _builtin(header, contracts)


def known_export(header: Sequence[str], contracts: Mapping[str, Contract]) -> Contract | None:
    """The contract of the shop system whose export this is: all the columns it needs are in the header."""
    fitting = [
        (len(found), contract)
        for contract in contracts.values()
        if contract.export_of and not _missing(found := _fit(header, contract)[0], contract)
    ]
    return max(fitting, key=lambda fit: fit[0])[1] if fitting else None


#: Any of these says that a header with a date, a product and a price is of sales, not of products or stock.
_OF_A_SALE = frozenset({
    "order_id", "amount", "discount", "tax", "customer_id", "customer_name", "customer_email", "order_status",
    "channel", "sales_rep",
})  # fmt: skip


def _builtin(header: list[str], contracts: Mapping[str, Contract]) -> Match:
    """The built-in contract that the header fits: sales where they fit, else the one list of master data.

    Raises FileRefused where two fit alike, or a list explains more of the header than sales whose only trace
    is a date, a product and a price.
    """
    sales = contracts["sales_csv"]
    of_sales, _ = _fit(header, sales)
    lists = [
        (len(found), contract)
        for contract in contracts.values()
        if contract.builtin
        and contract.entity is not None
        and not _missing(found := _fit(header, contract)[0], contract)
    ]
    if not _missing(of_sales, sales):
        rivals = [contract for count, contract in lists if count > len(of_sales)]
        if rivals and not _OF_A_SALE & of_sales.keys():
            raise FileRefused(_alike([sales, *rivals]))
        return _settle(header, sales)
    lists = [(count, contract) for count, contract in lists if not _strangers(header, contract, sales)]
    if not lists:
        return _settle(header, sales)
    most = max(count for count, _ in lists)
    best = [contract for count, contract in lists if count == most]
    if len(best) > 1:
        raise FileRefused(_alike(best))
    return _settle(header, best[0])


def _strangers(header: Sequence[str], contract: Contract, sales: Contract) -> bool:
    """Whether the header has a column of sales that a list of this kind never has."""
    assert contract.entity is not None  # noqa: S101 - asked of master data only
    rest = [header[position] for position in _fit(header, contract)[1]]
    return bool(_fit(rest, sales)[0].keys() & contract.entity.never_with)


def _alike(contracts: Sequence[Contract]) -> str:
    names = " and ".join(contract.feed for contract in contracts)
    return f"the header fits the feeds {names} alike; name one with --feed [FEED_UNDECIDED]"
