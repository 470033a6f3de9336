"""A name for a new feed, from the name of its first file.

Put here what is read off a file's name. Never what is read from its content.
"""

from __future__ import annotations

import re
from pathlib import Path

#: Tables and assets of raw have these names; a feed of that name would hide one.
_TAKEN = frozenset(("loads", "sales_lines", "load_scopes", "rejected_rows", "row_fixes"))
_ENDINGS = re.compile(r"(\.(csv|txt|tsv|xlsx|xlsm|parquet|json|jsonl|gz|zip))+$")
_MONTHS = re.compile(
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?"
    "|dec(ember)?"
)


def feed_name(path: Path) -> str:
    """Letters and underscores of the file's name, without days, numbers and months; else its folder's."""
    stem = _ENDINGS.sub("", path.name.lower())
    words = [word for word in re.split(r"[^a-z]+", stem) if word and not _MONTHS.fullmatch(word)]
    name = (
        "_".join(words) or re.sub(r"[^a-z]+", "_", path.absolute().parent.name.lower()).strip("_") or "sales"
    )
    name = name[:40].rstrip("_")
    return f"{name}_feed" if name in _TAKEN else name


def title_of(path: Path) -> str:
    """The same for people."""
    return feed_name(path).replace("_", " ").capitalize()
