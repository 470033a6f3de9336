"""What each way of reading an undecided file would give: rows, money and days, as the readers count them.

Put the weighing of answers to "how is this file read?" here; nothing is written. Never which answer is right,
never what its rows mean beside other deliveries (effects.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import psycopg

from ingestion.proposing.checking import count_rows
from ingestion.refusals import FileRefused, Undecided

if TYPE_CHECKING:
    from ingestion.reading import Reading

log = logging.getLogger(__name__)
MOST_WEIGHED = 4  # each is a whole pass over the file
_SAYS = {
    ("date_order", "day-first"): "the day comes first: 01/02 is 1 February",
    ("date_order", "month-first"): "the month comes first: 01/02 is 2 January",
    ("date_order", "year-first"): "the year comes first",
    ("date_count", "excel-serial"): "its days count from 1900",
    ("date_count", "excel-serial-1904"): "its days count from 1904",
    ("decimal_mark", "comma"): "the comma is before the decimals: 1.234 is one thousand and more",
    ("decimal_mark", "point"): "the point is before the decimals: 1.234 is one and a quarter",
    ("tables", "one"): "only the table under its first header counts",
}


def says(read_as: Mapping[str, str]) -> str:
    """An answer as a person would say it."""
    return ", ".join(
        _SAYS.get((key, value), f"its {key.replace('_', ' ')} is {value}") for key, value in read_as.items()
    )


def weigh(
    choices: Mapping[str, Mapping[str, str]],
    *,
    open_as: Callable[[Mapping[str, str]], Reading],
    currency: str | None,
) -> dict[str, dict[str, Any]]:
    """The effect of each of the first answers: `says`, and where it could be counted `rows`, `added`,
    `taken`, `rejected`, `first_date`, `last_date` (ISO) and `cents` (minor units; absent where not all is in
    `currency`, if there is one yet).

    `open_as` opens the file as an answer wants it.
    """
    found: dict[str, dict[str, Any]] = {}
    for choice, read_as in list(choices.items())[:MOST_WEIGHED]:
        said = says(read_as)
        try:
            counted = count_rows(open_as(read_as))
        except Undecided as undecided:
            found[choice] = {"says": f"{said}; then it asks once more: {undecided.message}"}
            continue
        except FileRefused as refusal:
            found[choice] = {"says": f"{said}; then it is refused: {refusal.message}"}
            continue
        except (psycopg.Error, OSError, MemoryError):
            raise
        except Exception:
            # what is only told about a held file must not keep others from landing
            log.exception("counting %s failed", choice)
            found[choice] = {"says": f"{said}; what it gives could not be counted"}
            continue
        effect: dict[str, Any] = {
            "says": said,
            "rows": counted.rows_accepted,
            "added": counted.rows_accepted,
            "taken": 0,
            "rejected": counted.rows_rejected,
            "first_date": counted.first_date and counted.first_date.isoformat(),
            "last_date": counted.last_date and counted.last_date.isoformat(),
        }
        if len(counted.net_cents) <= 1 and (currency is None or counted.net_cents.keys() <= {currency, ""}):
            effect["cents"] = sum(counted.net_cents.values())
        found[choice] = effect
    return found
