"""Which code page bytes are written in, where no contract says so: evidence from the words of the file.

Put the weighing of code pages here. Never decoding of whole files (encoded.py). Every single-byte code page
decodes every file, so what counts is which readings make sense: letters of one script, capitals only where a
word begins, no box drawing inside words. Code pages that give the same text for the bytes at hand do not
compete. A general detector (charset-normalizer) returns its one best guess, often another one for short
words; here all readings that make sense must be known, because two of them are a question for a person.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ingestion.refusals import Undecided

#: In order of preference where several give the same text.
CODE_PAGES = (
    "cp1252", "cp1250", "cp850", "cp858", "cp437", "cp852", "mac-roman", "iso8859-15", "iso8859-2",
    "cp1251", "koi8-r", "cp866", "cp1253", "cp1254", "cp1257",
)  # fmt: skip
#: Two bytes a character: their words seldom tell them apart, so that they mostly end in a question.
WIDE_CODE_PAGES = ("cp932", "gb18030", "big5", "cp949")
_MOST_WORDS = 5000
_MOST_BYTES = 64 * 1024 * 1024
WORD = re.compile(rb"[A-Za-z0-9'\x80-\xff]*[\x80-\xff][A-Za-z0-9'\x80-\xff]*")
_SYMBOLS = re.compile(r"[^\w\x00-\x7f\u0307“”„‘’«»–\xa0]{2}")
_NUMERO = re.compile(r"[Nn][^\x00-\x7fº°]\d*")
#: Letters beyond ASCII by language, and what it costs to suppose the language. A reading that needs a Czech
#: and a Danish letter to be explained is less likely than one that needs Czech alone.
_LANGUAGES = tuple(
    (frozenset(letters), cost)
    for cost, several in (
        (
            1,
            (
                "äöüßéà", "àâæçéèêëîïôœùûü", "áéíñóúüç", "áâãàçéêíóôõú", "àèéìòùî", "ëïéèöüê", "åäöé",
                "æøåéèêóòô",
            ),
        ),
        (
            3,
            (
                "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű",
                "ăâîșşțţ", "čćđšž", "çğıöşüâî", "äõöüšž", "ąčęėįšųūž", "āčēģīķļņšūž", "áðéíóúýþæö",
            ),
        ),
    )
    for letters in several
)  # fmt: skip
_NO_LANGUAGE = 4
_RARE = {"mac-roman": 2, "cp1257": 3, "big5": 2, "gb18030": 2}
_COMMON_SYMBOLS = frozenset("€£°–—‘’“”„…®™©«»ºª²³½¼¾§µ×·\xa0¡¿¥¢")
_BESIDE_LETTERS = frozenset("–—‘’“”„…®™©«»ºª°²³·\xa0")
_SELDOM_ELSEWHERE = frozenset("жшюцщэфъёђѓќџўєљњћξζψφΐΰϊϋ")
_SINGLE_WORDS = frozenset("àèéòóáíúùÀÈÉ")
#: how much less likely a reading is for each distinct character in a seldom place, and what is decisive
_SELDOM, _DECISIVE = 3.0, 2.0
_SENSELESS_SHARE = 0.1


@dataclass(frozen=True)
class Reading:
    """One text that the bytes may mean: the code pages that give it, how likely it is (0 best), the share
    of words that make no sense so, and an example.
    """

    code_pages: tuple[str, ...]
    likelihood: float
    senseless: float
    example: str


@dataclass(frozen=True)
class Evidence:
    """All readings of a file, best first; `words` distinct words with bytes beyond ASCII were looked at."""

    readings: tuple[Reading, ...]
    words: int

    @property
    def sensible(self) -> tuple[Reading, ...]:
        return tuple(one for one in self.readings if one.senseless <= _SENSELESS_SHARE)

    @property
    def clear(self) -> Reading | None:
        """The one reading that makes sense, or that does so far better than the next."""
        best = self.sensible
        if not best:
            return None
        needed = _DECISIVE * (2 if _RARE.keys() >= set(best[0].code_pages) else 1)
        if len(best) > 1 and best[0].likelihood - best[1].likelihood < needed:
            return None
        return best[0]

    @property
    def confidence(self) -> float:
        """From 0 to 1: how far the best reading stands from the next one that makes sense."""
        best = self.sensible
        if not best:
            return 0.0
        margin = best[0].likelihood - best[1].likelihood if len(best) > 1 else 6.0
        return round(1 - 0.5 / float(2**margin), 3)

    def undecided(self, path: Path) -> Undecided:
        """The question for a person: what the same bytes would be in each code page that makes sense."""
        possible = (self.sensible or self.readings)[:4]
        shown = " or ".join(f'"{one.example[:20]}" ({one.code_pages[0]})' for one in possible)
        names = [one.code_pages[0] for one in possible]
        names += [name for name in WIDE_CODE_PAGES if name not in names and _decodes(path, name)]
        return Undecided(
            "ENCODING_UNDECIDED",
            f"{path.name} is not UTF-8 and does not say what it is: it may hold {shown}; say which, or write "
            "encoding into the feed's contract",
            choices={name: {"encoding": name} for name in names},
        )


def weigh(path: Path) -> Evidence:
    """Look at the distinct words of a file that hold bytes beyond ASCII."""
    return weigh_words(_words(path))


def weigh_words(words: Counter[bytes]) -> Evidence:
    """The readings of these words, each with how often it stands in the file."""
    texts: dict[tuple[str, ...], list[str]] = {}
    for code_page in (*CODE_PAGES, *WIDE_CODE_PAGES):
        try:
            decoded = tuple(word.decode(code_page) for word in words)
        except UnicodeDecodeError:
            continue
        texts.setdefault(decoded, []).append(code_page)
    readings = [_judge(decoded, tuple(code_pages)) for decoded, code_pages in texts.items()]
    readings.sort(key=lambda one: (one.senseless > _SENSELESS_SHARE, -one.likelihood, one.senseless))
    return Evidence(tuple(readings), len(words))


def _decodes(path: Path, code_page: str) -> bool:
    decoder = codecs.getincrementaldecoder(code_page)()
    try:
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(1024 * 1024), b""):
                decoder.decode(chunk)
            decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _words(path: Path) -> Counter[bytes]:
    found: Counter[bytes] = Counter()
    looked_at = 0
    with path.open("rb") as file:
        for line in file:
            if not line.isascii():
                looked_at += len(line)
                found.update(WORD.findall(line))
                if len(found) > _MOST_WORDS or looked_at > _MOST_BYTES:
                    break
    return found


def _judge(words: tuple[str, ...], code_pages: tuple[str, ...]) -> Reading:
    senseless = sum(not _makes_sense(word) for word in words)
    seldom = {character for word in words for character in _seldom(word)}
    example = max(
        words, key=lambda word: (_makes_sense(word), sum(c.isalpha() for c in word), word), default=""
    )
    return Reading(
        code_pages,
        -_SELDOM * len(seldom) - _cost_of_languages(words),
        senseless / max(len(words), 1),
        example[:40],
    )


def _cost_of_languages(words: tuple[str, ...]) -> float:
    """What it takes to explain all letters beyond ASCII: the cheapest languages that together have them."""
    used = {c for word in words for c in word.lower() if not c.isascii()}
    letters = {c for c in used if c.isalpha() and c not in "ºª"}
    cost = 0.0
    if any(_script(c) != "LATIN" for c in letters):
        cost, letters = 2.0, {c for c in letters if _script(c) == "LATIN"}
    while letters:
        known, price = max(_LANGUAGES, key=lambda one: (len(one[0] & letters) / one[1], -one[1]))
        if not known & letters:
            return cost + _NO_LANGUAGE * len(letters)
        letters -= known
        cost += price
    return cost


def _seldom(word: str) -> set[str]:
    """Characters that sales files seldom hold at that place: a letter alone, a symbol beside a letter."""
    script = _script_of_word(word)
    if script == "CJK":
        return set()
    if script not in ("LATIN", ""):
        return set(word) if len(word) == 1 else {c for c in word.lower() if c in _SELDOM_ELSEWHERE}
    found = set()
    for position, character in enumerate(word):
        if character.isascii():
            continue
        beside = word[:position][-1:] + word[position + 1 :][:1]
        touches = any(neighbour.isalpha() for neighbour in beside)
        if character.isalpha() and character not in "ºª":
            seldom = not touches and (bool(beside) or character not in _SINGLE_WORDS)
        else:
            seldom = character not in (_BESIDE_LETTERS if touches else _COMMON_SYMBOLS)
        if seldom:
            found.add(character)
    return found


def _makes_sense(word: str) -> bool:
    """No controls or drawings, one script, no symbol inside, capitals only at the start or throughout."""
    letters = [c for c in word if c.isalpha()]
    if len({_script(c) for c in letters}) > 1 or re.search(r"[^\W\d_]{4}", _accented(word)):
        return False
    if _SYMBOLS.search(word) or _NUMERO.fullmatch(word):
        return False
    capitals = all(c.isupper() or not c.islower() for c in letters)
    plain = [c for c in letters if c.isascii()]
    shouted = len(plain) > 2 and all(c.isupper() for c in plain)
    for position, character in enumerate(word):
        if character.isascii():
            continue
        before, after = word[:position][-1:], word[position + 1 :][:1]
        if character.isalpha():
            if before.isdigit() and after.isdigit():
                return False
            if (character.isupper() and before.isalpha() and not capitals) or (
                character.islower() and shouted
            ):
                return False
        elif (
            unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")
            or "─" <= character <= "◿"
            or (before.isalpha() and after.isalpha() and character not in "’‘·\xad\xa0–-")
        ):
            return False
    return True


def _accented(word: str) -> str:
    """The word with every letter but accented Latin ones blanked: four of those in a row make no sense."""
    return "".join(c if not c.isascii() and c.isalpha() and _script(c) == "LATIN" else " " for c in word)


def _script_of_word(word: str) -> str:
    return next((_script(c) for c in word if c.isalpha()), "")


@lru_cache(maxsize=1024)
def _script(character: str) -> str:
    if character in "ªº":
        return "LATIN"
    name = unicodedata.name(character, "?").split()[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL") else name
