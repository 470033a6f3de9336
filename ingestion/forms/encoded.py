"""Text in another encoding than UTF-8: written anew as UTF-8, the one kind of text that is read after.

Put decoding and the way back from UTF-8 to the delivered bytes here. Never the choice of an encoding without
a contract (detecting.py). A byte that means nothing in the encoding becomes one that means nothing in UTF-8,
so that its row is refused as it would be in a damaged UTF-8 file.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.forms.limits import Budget
from ingestion.forms.unpacked import Asked, Unpacked
from ingestion.refusals import Undecided

if TYPE_CHECKING:
    from ingestion.reading.rows import RejectedRow

NAME = "text"
WRAPS = False
_CHUNK = 1024 * 1024
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF16 = frozenset(_BOMS.values())
_CONTINUATION = bytes(range(0x80, 0xC0))
_BEYOND_BMP = bytes(range(0xF0))
#: not text for a reader that looks for line ends and delimiters byte by byte
_STATEFUL = ("utf-7", "hz", "iso2022", "idna", "punycode", "unicode", "raw-unicode", "utf-32")


def known_encoding(name: str) -> str:
    """The usual spelling of an encoding that can be read here. Raises ValueError, saying what to write."""
    try:
        usual = codecs.lookup(name).name.replace("_", "-")
        is_text = 'a,;\t|"\n'.encode(usual).decode(usual) == 'a,;\t|"\n'
    except (LookupError, UnicodeError, TypeError, AttributeError) as error:
        raise ValueError(f'"{name}" is no known encoding; write one like cp1252') from error
    if not is_text or usual.startswith(_STATEFUL):
        raise ValueError(f'"{name}" cannot be read; write one like cp1252, latin-1, cp850, utf-16-le')
    return {"utf-16": "utf-16-le", "utf-8-sig": "utf-8", "ascii": "utf-8"}.get(usual, usual)


def recognise(path: Path, head: bytes, asked: Asked) -> bool:
    """By a UTF-16 byte order mark, or because a person or the contract says so."""
    del path
    return _marked(head) is not None or (_stated(asked) is not None and not head.startswith(codecs.BOM_UTF8))


def unpack(path: Path, asked: Asked) -> Unpacked:
    """The text as UTF-8. Raises Undecided where contract and bytes contradict each other."""
    with path.open("rb") as file:
        marked = _marked(file.read(4))
    if marked is not None:
        return as_utf8(path, marked, asked, how="byte order mark", start=2)
    encoding = _stated(asked) or "utf-8"
    if encoding not in _UTF16:
        ascii_only, is_utf8 = _kind(path)
        if ascii_only or encoding == "utf-8":
            return Unpacked(path)
        if is_utf8 and "encoding" not in asked.read_as:
            raise undecided_utf8(path, encoding)
    how = "a person" if "encoding" in asked.read_as else "contract"
    return as_utf8(path, encoding, asked, how=how)


def undecided_utf8(path: Path, encoding: str) -> Undecided:
    """What to say when the contract names an encoding and the bytes are proper UTF-8."""
    return Undecided(
        "ENCODING_UNDECIDED",
        f"the contract says that {path.name} is {encoding}, but all of it is proper UTF-8; say which it is",
        choices={name: {"encoding": name} for name in ("utf-8", encoding)},
    )


def is_ascii(path: Path) -> bool:
    """Whether the file holds nothing beyond ASCII, so that its encoding does not matter."""
    with path.open("rb") as file:
        return all(chunk.isascii() for chunk in iter(lambda: file.read(_CHUNK), b""))


def as_utf8(path: Path, encoding: str, asked: Asked, *, how: str, start: int = 0) -> Unpacked:
    """`path` from byte `start` on, decoded from `encoding`, in a file of its own; in flat memory."""
    target = asked.work.place(path.name)
    budget = Budget(path, asked.limits)
    decode = _decoder(encoding)
    with path.open("rb") as source, target.open("wb") as out:
        source.seek(start)
        while chunk := source.read(_CHUNK):
            text = decode(chunk, False)
            budget.spend(len(text))
            out.write(text)
        out.write(decode(b"", True))
    facts: dict[str, object] = {"encoding": encoding, "encoding_how": how}
    return Unpacked(target, facts, (_Transcoded(target, path, encoding, start),), asked.work)


def _marked(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF32_LE):
        return None
    return next((encoding for bom, encoding in _BOMS.items() if head.startswith(bom)), None)


def _stated(asked: Asked) -> str | None:
    """What a person or the contract says the encoding is, where that is not UTF-8."""
    said = asked.read_as.get("encoding") or (asked.contract.encoding if asked.contract else None)
    return said if said != "utf-8" or "encoding" in asked.read_as else None


def _kind(path: Path) -> tuple[bool, bool]:
    """Whether a file is ASCII, and whether it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    ascii_only = True
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            ascii_only = ascii_only and chunk.isascii()
            try:
                if not ascii_only:
                    decoder.decode(chunk)
            except UnicodeDecodeError:
                return False, False
    return ascii_only, not decoder.getstate()[0]


def _undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff" * (error.end - error.start), error.end


codecs.register_error("shopx-undecodable", _undecodable)


def _decoder(encoding: str) -> Callable[[bytes, bool], bytes]:
    """Bytes of the encoding in, bytes of UTF-8 out; incrementally. Never raises for what stands in a file."""
    if encoding in _UTF16:
        decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")

        def decode(chunk: bytes, final: bool) -> bytes:
            if final:  # half a character at the very end
                return b"\xff" * len(decoder.getstate()[0])
            return decoder.decode(chunk).encode("utf-8", "surrogatepass")

        return decode
    other = codecs.getincrementaldecoder(encoding)("shopx-undecodable")
    return lambda chunk, final: other.decode(chunk, final).encode("utf-8", "surrogateescape")


class _Transcoded:
    """From places in UTF-8 text to those in the file that it was decoded from. Best asked in file order."""

    def __init__(self, text: Path, original: Path, encoding: str, start: int) -> None:
        self._text, self._original = text, original
        self._encoding, self._start = encoding, start
        self._at, self._at_original = 0, start

    def retrace(self, row: RejectedRow) -> RejectedRow:
        begin = self._original_offset(row.byte_offset)
        size = self._width(row.raw_bytes)
        with self._original.open("rb") as file:
            file.seek(begin)
            raw = file.read(size)
        messages = tuple(
            message.replace("expected UTF-8 text.", f"expected {self._encoding} text.")
            for message in row.messages
        )
        return replace(row, byte_offset=begin, raw_bytes=raw, messages=messages)

    def _original_offset(self, offset: int) -> int:
        if offset < self._at:
            self._at, self._at_original = 0, self._start
        with self._text.open("rb") as file:
            file.seek(self._at)
            left = offset - self._at
            partial = b""
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    break
                left -= len(chunk)
                whole = len(partial + chunk) if not left else _last_start(partial + chunk)
                data, partial = (partial + chunk)[:whole], (partial + chunk)[whole:]
                self._at_original += self._width(data)
        self._at = offset
        return self._at_original

    def _width(self, text: bytes) -> int:
        """How many bytes of the original `text` was made from."""
        characters = len(text.translate(None, _CONTINUATION))
        if self._encoding in _UTF16:
            return 2 * (characters + len(text.translate(None, _BEYOND_BMP)) - text.count(b"\xff"))
        if _is_single_byte(self._encoding):
            return characters
        return len(text.decode("utf-8", "surrogateescape").encode(self._encoding, "surrogateescape"))


def _last_start(data: bytes) -> int:
    """Where the last character of UTF-8 text begins."""
    at = len(data) - 1
    while at > 0 and data[at] in _CONTINUATION:
        at -= 1
    return at


def _is_single_byte(encoding: str) -> bool:
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == 256
    except UnicodeError:
        return False
