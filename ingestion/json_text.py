"""Cuts JSON text into its records, each as the very text that was received.

Put here finding places in JSON text without changing it: answers of an API and files are cut alike. Never
what a record means (reading/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.decoder import JSONDecodeError, JSONDecoder
from typing import Any

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_ENDS = re.compile(r"[\r\n]+")
#: Numbers stay the text they are; NaN and Infinity, which are no JSON, as well.
_decoder = JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)


class NotThere(LookupError):
    """The text holds nothing at the path. `found` says what it holds instead, in words."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True)
class Found:
    """A record: where it starts and ends in the text, and its value with numbers as text."""

    start: int
    end: int
    value: object


def steps(path: str) -> list[str]:
    """A dotted path as its parts; none for the empty path."""
    return path.split(".") if path else []


def value_at(text: str, path: Sequence[str]) -> object:
    """The value at `path`, numbers as text. Raises NotThere; raises JSONDecodeError for what is no JSON."""
    return _decoded(text, _place(text, path))[0]


def on_one_line(text: str, found: Found) -> str:
    """The record's text, line ends made blanks: they can stand between its tokens only, because inside a
    text JSON wants them escaped."""
    return _LINE_ENDS.sub(" ", text[found.start : found.end])


def records(text: str, path: Sequence[str]) -> Iterator[Found]:
    """Each record of the list at `path`.

    The whole text is checked by the time the last record is out. Raises NotThere when there is no list,
    JSONDecodeError for what is no JSON, e.g. a text that was cut off.
    """
    at = _place(text, path)
    if text[at] != "[":
        _decoded(text, at)
        raise NotThere(_in_words(text, at))
    at = _skip(text, at + 1)
    if _at(text, at) == "]":
        at += 1
    else:
        while True:
            value, end = _decoded(text, at)
            yield Found(at, end, value)
            at = _skip(text, end)
            mark = _at(text, at)
            at = _skip(text, at + 1)
            if mark == "]":
                break
            if mark != ",":
                raise JSONDecodeError("a comma or the end of the list expected", text, at)
    if path:
        _decoded(text, _skip(text, 0), whole=True)  # what stands behind the list must be whole as well
    elif _skip(text, at) != len(text):
        raise JSONDecodeError("text behind the list", text, at)


def keys(text: str) -> list[str]:
    """The keys of the answer, where it is an object; for a message."""
    try:
        value, _ = _decoded(text, _skip(text, 0), whole=True)
    except JSONDecodeError:
        return []
    return [str(key) for key in value] if isinstance(value, dict) else []


def field_of(value: object, path: Sequence[str]) -> object:
    """What a record holds at `path`; None where it holds nothing."""
    for step in path:
        if not isinstance(value, dict) or step not in value:
            return None
        value = value[step]
    return value


def _decoded(text: str, at: int, *, whole: bool = False) -> tuple[Any, int]:
    """The value that begins at `at` and where it ends. Raises JSONDecodeError, also for lists in lists in
    lists that no sales ever are; with `whole`, where anything stands behind it."""
    try:
        value, end = _decoder.raw_decode(text, at)
    except RecursionError:
        raise JSONDecodeError("lists or objects nested too deeply", text, at) from None
    if whole and _skip(text, end) != len(text):
        raise JSONDecodeError("text behind the value", text, end)
    return value, end


def _place(text: str, path: Sequence[str]) -> int:
    """Where the value at `path` begins."""
    at = _skip(text, 0)
    for step in path:
        if _at(text, at) != "{":
            raise NotThere(_in_words(text, at))
        at = _member(text, at, step)
    _at(text, at)
    return at


def _member(text: str, at: int, name: str) -> int:
    at = _skip(text, at + 1)
    seen: list[str] = []
    while _at(text, at) == '"':
        key, at = _decoded(text, at)
        at = _skip(text, at)
        if _at(text, at) != ":":
            raise JSONDecodeError("a colon expected", text, at)
        at = _skip(text, at + 1)
        if key == name:
            return at
        seen.append(key)
        at = _skip(text, _decoded(text, at)[1])
        if _at(text, at) == ",":
            at = _skip(text, at + 1)
    if _at(text, at) != "}":
        raise JSONDecodeError("the end of the object expected", text, at)
    raise NotThere("an object with " + (", ".join(f'"{key[:40]}"' for key in seen[:8]) or "nothing in it"))


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _at(text: str, at: int) -> str:
    if at >= len(text):
        raise JSONDecodeError("it ends too early", text, len(text))
    return text[at]


def _in_words(text: str, at: int) -> str:
    kinds = {"{": "an object", "[": "a list", '"': "a text", "n": "null", "t": "true", "f": "false"}
    return kinds.get(text[at], "a number")
