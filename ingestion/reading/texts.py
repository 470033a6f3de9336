"""From a delivered file to UTF-8 text with usual line ends: which form it has, and in which encoding it is.

Put the order of those decisions here. Never a form itself (ingestion/forms/), never what columns mean.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ingestion.contract import Contract
from ingestion.forms import Asked, Unpacked, detecting, encoded, line_ends, unpack
from ingestion.reading import dialect
from ingestion.reading.dialect import Scan
from ingestion.refusals import FileRefused

#: The contract that the header fits when the text is read in this encoding. Raises FileRefused.
Chooser = Callable[[Path, Scan, str], Contract]

_FEW_LINES = 20


def as_text(path: Path, asked: Asked, choose: Chooser) -> tuple[Unpacked, Scan]:
    """The text to read and what one look at its bytes found; the file itself where it is such text.

    A few bytes that are no UTF-8 stay in it: their rows are rejected one by one. Raises FileRefused, or
    Undecided when the bytes mean one thing in one encoding and another in the next.
    """
    unpacked = unpack(path, asked)
    found = dialect.scan(unpacked.path)
    if not found.is_utf8 and not found.has_bom and not {"encoding"} & (unpacked.facts.keys() | asked.read_as):
        unpacked = unpacked.then(_decoded(unpacked.path, found, asked, choose))
        found = dialect.scan(unpacked.path)
    if found.has_lone_returns:
        unpacked = unpacked.then(line_ends.unpack(unpacked.path, asked))
        found = dialect.scan(unpacked.path)
    return unpacked, found


def check_encoding(unpacked: Unpacked, found: Scan, contract: Contract, asked: Asked) -> None:
    """Raises Undecided when the contract that the header fits names an encoding, and the text that was taken
    for UTF-8 is more than ASCII.
    """
    settled = "encoding" in unpacked.facts or "encoding" in asked.read_as or found.has_bom
    if contract.encoding in (None, "utf-8") or settled:
        return
    if not encoded.is_ascii(unpacked.path):
        raise encoded.undecided_utf8(unpacked.path, contract.encoding or "")


def _decoded(path: Path, found: Scan, asked: Asked, choose: Chooser) -> Unpacked:
    """A file that is not all UTF-8, decoded as the contract of its header says, or as its words say."""
    for name in dict.fromkeys(one.encoding for one in asked.contracts.values() if one.encoding):
        contract = _chosen(choose, path, found, name)
        if contract is not None and contract.encoding == name:
            return encoded.unpack(path, replace(asked, contract=contract))
    if not _is_other_encoding(path):
        return Unpacked(path)
    evidence = detecting.weigh(path)
    clear = evidence.clear
    if clear is None:
        undecided = evidence.undecided(path)
        pages = [one.code_pages[0] for one in evidence.readings] or ["latin-1"]
        undecided.contract = next(filter(None, (_chosen(choose, path, found, name) for name in pages)), None)
        if undecided.contract is None:
            choose(path, found, pages[0])
        raise undecided
    step = encoded.as_utf8(path, clear.code_pages[0], asked, how="detected")
    noted: dict[str, object] = {
        "encoding_confidence": evidence.confidence,
        "encoding_example": clear.example,
        "encoding_words": evidence.words,
    }
    return replace(step, facts=step.facts | noted)


def _chosen(choose: Chooser, path: Path, found: Scan, encoding: str) -> Contract | None:
    try:
        return choose(path, found, encoding)
    except FileRefused:
        return None


def _is_other_encoding(path: Path) -> bool:
    """Whether a file with bytes that are no UTF-8 is in another encoding, rather than damaged in some lines.

    It is when no line is proper UTF-8 beyond ASCII, and more lines than 1 % or 20 hold other bytes.
    """
    lines = invalid = 0
    with path.open("rb") as file:
        for line in file:
            lines += 1
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                invalid += 1
            else:
                return False
    return invalid >= _FEW_LINES or invalid * 100 > lines
