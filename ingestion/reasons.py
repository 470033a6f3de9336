"""The closed list of reason codes: what each means and what to do about it.

Put every code a reader may give here; docs/reasons.md has a heading for each, kept equal by a test. Never
wording for one single value (that is `message`, built from what was seen), never checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reason:
    """`level`: what it stops: a row (rejected), a file (refused, nothing written) or a load (held)."""

    code: str
    level: Literal["row", "file", "load"]
    meaning: str
    action: str

    @property
    def anchor(self) -> str:
        """Where the reason is explained, relative to the project root."""
        return f"docs/reasons.md#{self.code}"


_CELL = "Correct the cell and drop the file again"
_ROW = "Correct the row and drop the file again"

_ALL = (
    # one cell
    Reason(
        "VALUE_MISSING",
        "row",
        "A cell that every sale needs is empty.",
        "Fill the cell and drop the file again",
    ),
    Reason("DATE_FORMAT", "row", "The date is written in no form that the feed allows.", _CELL),
    Reason("DATE_IMPOSSIBLE", "row", "The date or time has the right form but does not exist.", _CELL),
    Reason(
        "DATE_IN_FUTURE",
        "row",
        "The sale lies more than one day after the day of loading; accepted ones hold the load.",
        _CELL,
    ),
    Reason("DATE_TOO_OLD", "row", "The sale lies before 1970.", _CELL),
    Reason(
        "TIME_DOES_NOT_EXIST",
        "row",
        "The local time was skipped when the clocks went forward in the feed's time zone.",
        "Correct the time, or the contract's timezone",
    ),
    Reason("NUMBER_FORMAT", "row", "The cell is not a plain number in the feed's decimal mark.", _CELL),
    Reason(
        "NUMBER_SCRIPT",
        "row",
        "The number is written with digits of another script, such as Arabic-Indic or fullwidth ones.",
        "Write it with the digits 0 to 9 and drop the file again",
    ),
    Reason("NUMBER_TOO_LARGE", "row", "The number is too large to be stored exactly.", _CELL),
    Reason(
        "TOO_MANY_DECIMALS",
        "row",
        "The number has more decimals than can be kept exactly.",
        "Correct the cell, or set round: line in the contract",
    ),
    Reason("VALUE_OUT_OF_RANGE", "row", "The number lies outside the range that the contract allows.", _CELL),
    Reason("PATTERN_MISMATCH", "row", "The text does not have the form that the contract demands.", _CELL),
    Reason("VALUE_NOT_ALLOWED", "row", "The text is none of those that the contract allows.", _CELL),
    Reason(
        "ID_LOST_DIGITS",
        "row",
        "A spreadsheet wrote a long number as 4.00638E+12; its last digits are gone and two ids would "
        "become one.",
        "Format the column as text, then export it again",
    ),
    Reason(
        "TEXT_TOO_LONG",
        "row",
        "The text is longer than a name or a number ever is.",
        "Shorten the cell and drop the file again",
    ),
    Reason(
        "PRICE_UNKNOWN",
        "row",
        "The line has no price, and no product list tells one for its product.",
        "Deliver a product list with its price, then drop the file again",
    ),
    Reason("FLAG_UNKNOWN", "row", "The cell is neither a yes nor a no.", _CELL),
    Reason(
        "FOREIGN_CURRENCY",
        "row",
        "A row, or the whole file, is in another currency than it is counted in; two are never added up.",
        "Deliver it in that currency, or deliver exchange rates and release it",
    ),
    # one row
    Reason(
        "AMOUNT_NOT_POSITIVE",
        "row",
        "A sale with an amount of 0.",
        "Correct the amount, or set allow_zero_amount in the contract",
    ),
    Reason("AMOUNT_MISMATCH", "row", "Quantity times unit price is not the amount, beyond rounding.", _ROW),
    Reason(
        "SIGNS_DISAGREE",
        "row",
        "Quantity and amount have opposite signs, so it is neither a sale nor a return.",
        _ROW,
    ),
    Reason("QUANTITY_ZERO", "row", "A line that sells nothing.", _ROW),
    Reason("DISCOUNT_TOO_LARGE", "row", "The discount is larger than the amount it is taken from.", _ROW),
    Reason(
        "IDENTITY_CONTRADICTS",
        "row",
        "An earlier row of the file has the same identity and says something else; an equal row is a repeat.",
        _ROW,
    ),
    Reason(
        "ROW_TOO_SHORT",
        "row",
        "The row has fewer cells than the header, so cells would move to wrong columns.",
        _ROW,
    ),
    Reason(
        "ROW_TOO_LONG",
        "row",
        "The row has more cells than the header, so cells would move to wrong columns.",
        _ROW,
    ),
    Reason(
        "QUOTE_NOT_CLOSED",
        "row",
        "A quoted cell is never closed.",
        "Close or remove the quote and drop the file again",
    ),
    Reason(
        "QUOTE_MISPLACED",
        "row",
        "Text stands beside a quoted cell before the next delimiter.",
        "Write quotes inside a cell twice",
    ),
    Reason(
        "NOT_TEXT",
        "row",
        "The row holds bytes that are no text in the file's encoding.",
        "Save the file as CSV UTF-8 and drop it again",
    ),
    Reason("NUL_BYTE", "row", "The row holds a NUL byte, as damaged files do.", "Export the file again"),
    Reason("JSON_BROKEN", "row", "The record is no whole JSON object.", "Export or fetch it again"),
    Reason(
        "JSON_KEY_TWICE",
        "row",
        "The JSON record holds one key twice, and nothing says which counts.",
        "Have whoever delivers it send each key once",
    ),
    Reason(
        "JSON_NOT_A_VALUE",
        "row",
        "A list, an object or true/false stands where a text or a number is wanted.",
        "Name another field in the contract, or rows: for a list of lines",
    ),
    Reason(
        "CELL_IS_ERROR",
        "row",
        "A cell holds the error of a formula, such as #REF!, and no value.",
        "Mend the formula and drop the file again",
    ),
    Reason(
        "DIGITS_LOST",
        "row",
        "The number has more digits than a spreadsheet keeps: those after the fifteenth are gone.",
        "Format the column as text before the number is typed or imported",
    ),
    Reason(
        "ORDER_INCOMPLETE",
        "row",
        "Another line of this order was refused, and an older version of the order is there and stays.",
        "Correct the order's other line and drop the file again",
    ),
    Reason(
        "TOTAL_ROW_DISAGREES",
        "row",
        "The row is a total, but not the sum of the rows above, so some are missing or counted twice.",
        "Compare it with the rows above",
    ),
    # the whole file, nothing written
    Reason(
        "FILE_NAME",
        "file",
        "The file was sent under a name that leads to a folder, hides something, or is none.",
        "Send it under a plain name, such as sales.csv",
    ),
    Reason("FILE_MISSING", "file", "There is no file at that path.", "Check the path"),
    Reason("FILE_UNREADABLE", "file", "The file may not be read.", "Check its permissions"),
    Reason("FILE_IS_FOLDER", "file", "A folder was given where a file is wanted.", "Name a file in it"),
    Reason("NOT_A_FILE", "file", "A link, a pipe or a device was given.", "Put the file itself there"),
    Reason("NO_FILES", "file", "The folder holds no file.", "Name a file, or a folder that holds some"),
    Reason(
        "FILE_CHANGING",
        "file",
        "The file grew or shrank while it was read.",
        "Drop it again when it is complete",
    ),
    Reason("FILE_EMPTY", "file", "The file holds no header or no row under it.", "Export it again"),
    Reason(
        "FILE_BINARY",
        "file",
        "The file is not text: a workbook, an archive or a picture.",
        "Save it as CSV UTF-8",
    ),
    Reason(
        "FILE_NOT_UTF8",
        "file",
        "The file is in an encoding that nothing in it names, such as UTF-16 without its mark.",
        "Save it as CSV UTF-8, or write encoding into its contract",
    ),
    Reason(
        "FILE_TOO_LARGE",
        "file",
        "The file, or what it unpacks to, is larger than its feed allows.",
        "Split it, or raise limits in its contract",
    ),
    Reason(
        "FILE_DAMAGED",
        "file",
        "An archive, workbook or Parquet file is cut off or damaged, so that nothing in it can be trusted.",
        "Export or copy it again",
    ),
    Reason("FILE_ENCRYPTED", "file", "The file is locked with a password.", "Save it without one"),
    Reason(
        "ARCHIVE_REFUSED",
        "file",
        "The archive holds several files, none, or another archive; each delivery is a file of its own.",
        "Unpack it and drop the files themselves",
    ),
    Reason(
        "WORKSHEET_MISSING",
        "file",
        "The workbook has no worksheet of the name that the contract gives.",
        "Rename the worksheet, or correct worksheet in the contract",
    ),
    Reason(
        "COLUMN_MISSING",
        "file",
        "A column that every sale needs is not in the header.",
        "Rename the column or write a contract",
    ),
    Reason(
        "COLUMN_AMBIGUOUS",
        "file",
        "Two columns could be the same needed one.",
        "Write a contract that names it",
    ),
    Reason(
        "PATH_MISMATCH",
        "file",
        "The contract reads values from the folder and the file's name, and these do not have that form.",
        "Put the file where the contract wants it",
    ),
    Reason(
        "LINE_TOO_LONG",
        "file",
        "A line is longer than any row of a table: line ends are lost.",
        "Export the file again with one sale per line",
    ),
    Reason("FEED_UNKNOWN", "file", "The named feed has no contract.", "Name one of the known feeds"),
    Reason("FEED_UNDECIDED", "file", "The header fits more than one contract.", "Name the feed"),
    Reason(
        "CORRECTIONS_REFUSED",
        "file",
        "A workbook of corrections is of another warehouse, was sorted or shifted, or corrects nothing.",
        "Write it again with ./shopx rejects LOAD --xlsx FILE and change only the columns to correct",
    ),
    # the whole load, until a person decides
    Reason(
        "DATE_ORDER_UNDECIDED",
        "load",
        "Every date fits several orders of day, month and year.",
        "Release it as day-first, month-first or, with years of two digits, year-first",
    ),
    Reason(
        "DATE_SERIAL_UNDECIDED",
        "load",
        "Every date is a spreadsheet's number of days, counted from 1900 or from 1904.",
        "Release it as excel-serial or excel-serial-1904",
    ),
    Reason(
        "DATE_ORDER_CONTRADICTS",
        "load",
        "Some dates can only be day-first, others only month-first.",
        "Correct the file, or release it as one; the others are rejected",
    ),
    Reason(
        "WORKSHEET_UNDECIDED",
        "load",
        "Several worksheets of the workbook hold data, and nothing says which of them holds the sales.",
        "Release it as the worksheet that holds the sales, or save each as a file of its own",
    ),
    Reason(
        "ENCODING_UNDECIDED",
        "load",
        "The file is not UTF-8 and its bytes make sense in more than one code page, or its contract names "
        "another encoding than its bytes prove.",
        "Release it as the one that shows its names rightly, or write encoding into its contract",
    ),
    Reason(
        "OVERLAPS_EARLIER_LOAD",
        "load",
        "It shares orders or days with earlier loads, and nothing says whether it replaces or adds.",
        "Release it as days or orders (it replaces), events (it adds) or match (it adds what is new)",
    ),
    Reason(
        "ORDER_ID_REUSED",
        "load",
        "An order id comes back with sales on another day, or with not one product in common: perhaps ticket "
        "numbers start again, perhaps the order was moved.",
        "Release it as orders (the same orders, corrected) or events (other orders), or set order_id_scope",
    ),
    Reason(
        "SHRINKS_SCOPE",
        "load",
        "More than a fifth of the rows or of the money of what it replaces would be gone.",
        "Release it if so much was really taken back, else withdraw it and deliver it whole",
    ),
    Reason(
        "EMPTY_SCOPE",
        "load",
        "It says that nothing was sold on days that hold rows.",
        "Release it if that is so, else withdraw it",
    ),
    Reason(
        "ORDER_MAY_HAVE_MOVED",
        "load",
        "Lines of its orders stand on days that it does not cover; without line numbers they would count "
        "twice.",
        "Release it as orders (they were moved) or days (they were sold twice), or deliver line numbers",
    ),
    Reason(
        "TOUCHES_ARCHIVED_MONTH",
        "load",
        "It reaches into a month whose rows were archived and dropped.",
        "Restore the month, then release it",
    ),
    Reason(
        "RATE_MISSING",
        "load",
        "Some of its days have no exchange rate into the reporting currency.",
        "Deliver rates for these days, then release it",
    ),
    Reason(
        "DECIMAL_MARK_UNDECIDED",
        "load",
        "Commas in numbers could be decimal marks or thousands.",
        "Release it as decimal-comma or decimal-point",
    ),
    Reason(
        "OUTSIDE_WINDOW",
        "load",
        "It holds fewer rows than are there, of days that its source was not asked for.",
        "Ask in moments (as: datetime) or in the source's time zone, or release it as days",
    ),
    Reason(
        "STACKED_TABLES",
        "load",
        "The file holds two tables, one under the other; they are never added up.",
        "Deliver each as a file of its own, or release it as one-table",
    ),
    # the whole load, held (or warned of) by the gate on arrival
    Reason(
        "NOT_MEASURED",
        "load",
        "Something that the gate looks at was not measured, so nothing proves the delivery sound.",
        "Deliver the file again; if it stays, ./shopx doctor looks at the installation",
    ),
    Reason(
        "EMPTY_DELIVERY",
        "load",
        "The file holds a header and no row.",
        "Export it again, or withdraw it",
    ),
    Reason(
        "NOTHING_ACCEPTED",
        "load",
        "Every row was refused.",
        "See why with ./shopx rejects, correct the file and drop it again",
    ),
    Reason(
        "ROWS_UNACCOUNTED",
        "load",
        "Some rows are neither accepted nor refused nor repeats; rows would be missing.",
        "Withdraw it and deliver the file again",
    ),
    Reason(
        "TOO_MANY_REJECTED",
        "load",
        "A larger share of the rows was refused than the contract allows.",
        "Correct the rows that ./shopx rejects names and drop the file again, or release it as it is",
    ),
    Reason(
        "PRODUCT_MISSING",
        "load",
        "Some accepted rows name no product.",
        "Correct the rows and drop the file again, or release it as it is",
    ),
    Reason(
        "DATE_TOO_EARLY",
        "load",
        "The first day lies before the earliest that the contract allows.",
        "Correct the dates, or release it if they are right",
    ),
    Reason(
        "AMOUNT_NOT_RECOUNTED",
        "load",
        "The stored rows do not add up to the amount that was read.",
        "Withdraw it and deliver the file again",
    ),
    Reason(
        "AMOUNT_NOT_IN_LEDGER",
        "load",
        "The ledger holds another amount than was read.",
        "Withdraw it and deliver the file again",
    ),
    Reason(
        "TOTAL_IS_ZERO",
        "load",
        "The accepted rows add up to nothing.",
        "Look whether the amounts were exported; release it if it is right",
    ),
    Reason(
        "SALE_BELOW_ZERO",
        "load",
        "A line that is a sale has an amount below zero.",
        "Correct the line, or release it if it is right",
    ),
    Reason(
        "TOO_FEW_ROWS",
        "load",
        "It delivered fewer rows than the contract expects.",
        "Export it again if rows are missing, or release it as it is",
    ),
    Reason(
        "TOO_MANY_ROWS",
        "load",
        "It delivered more rows than the contract expects.",
        "Look whether it holds more than was asked for, or release it as it is",
    ),
    Reason(
        "ORDER_MISSING",
        "load",
        "More of its rows name no order than the contract allows.",
        "Look whether the column was exported, or release it as it is",
    ),
    Reason(
        "CUSTOMER_MISSING",
        "load",
        "More of its rows name no customer than the contract allows.",
        "Look whether the column was exported, or release it as it is",
    ),
    Reason(
        "LINE_TOO_LARGE",
        "load",
        "One line is worth more than the contract allows.",
        "Look whether amounts lost their decimals, or release it if it is right",
    ),
    Reason(
        "FAR_ABOVE_LARGEST_DAY",
        "load",
        "One of its days is more than ten times the largest day the feed ever had.",
        "Look whether amounts lost their decimals or rows came twice; release it if it is right",
    ),
    Reason(
        "VOLUME_UNUSUAL",
        "load",
        "It holds far fewer or more lines than the feed's same weekdays used to. A warning by default.",
        "Look whether the export is whole; if not, withdraw it",
    ),
    Reason(
        "REVENUE_UNUSUAL",
        "load",
        "It is worth far less or more than the feed's same weekdays used to be. A warning by default.",
        "Look whether the amounts are right; if not, withdraw it",
    ),
    Reason(
        "MIX_UNUSUAL",
        "load",
        "Its lines are spread over categories, stores or channels unlike those before. A warning by default.",
        "Look whether a store or a category is missing; if so, withdraw it",
    ),
    Reason(
        "COLUMNS_CHANGED",
        "load",
        "Columns came, went, or are written in another way than before. A warning by default.",
        "Ask whoever delivers; name new columns in the contract, and replay it",
    ),
    Reason(
        "MANY_RETURNS",
        "load",
        "More than half of the lines are returns. A warning: the delivery counts.",
        "Look whether the signs are right; if not, withdraw it",
    ),
    Reason(
        "LIST_CONTRADICTS",
        "load",
        "A list says two different things about one member. A warning: the later row counts.",
        "Look which row is right, correct the other and drop the list again",
    ),
    Reason(
        "UNDECIDED",
        "load",
        "The gate passed it, but the ledger does not know what it means.",
        "Release it as orders (it replaces) or events (it adds)",
    ),
    Reason(
        "HELD",
        "load",
        "A person or a program held it without naming a reason.",
        "Release or withdraw it",
    ),
)

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
MAX_MESSAGE = 200


class _Visible(dict[int, int]):
    """Code point -> itself, or the replacement character's for what cannot be printed."""

    def __missing__(self, code: int) -> int:
        shown = self[code] = code if chr(code).isprintable() else 0xFFFD
        return shown


_VISIBLE = _Visible()


def _shown(text: str, limit: int) -> str:
    """`text` on one line, control characters visible, cut in the middle of nothing: the end is what is
    cut."""
    plain = text[: limit + 1]
    if not plain.isprintable():
        plain = plain.translate(_VISIBLE)
    return plain if len(plain) <= limit else plain[: max(limit - 1, 0)] + "…"


def message(code: str, *, row: int, line: int, column: str, saw: str, expected: str) -> str:
    """What a person reads about one rejected row: where, what was seen, what was expected, what to do; ≤ 200
    characters.

    `row` is the row a spreadsheet shows, `line` the physical line; `column` is the file's own header, '' for
    the row.
    """
    reason = REASONS[code]
    where = f"row {row:,} (line {line:,})" + (f', column "{_shown(column, 24)}"' if column else "")
    tail = f", expected {expected}. {reason.action} [{code}]"
    room = MAX_MESSAGE - len(where) - len(tail) - len(': saw ""')
    return f'{where}: saw "{_shown(saw, max(room, 8))}"{tail}'
