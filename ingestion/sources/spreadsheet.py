"""A Google worksheet as a source: whether it changed, reading all of it, and the CSV it becomes.

Put the order of steps here. Never a request (google.py), never what a cell means (worksheet.py).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ingestion.sources import worksheet
from ingestion.sources.delimited import Rectangle
from ingestion.sources.fetched import Cursor, Fetched, FetchFailed, Request
from ingestion.sources.google import Google
from ingestion.sources.sheet import SheetSource
from ingestion.sources.worksheet import Area, StillCalculating

CELLS_AT_ONCE = 50_000  # an answer of about 5 MB
READS = 3
CALM_S = 5.0


class SheetReader:
    """The source of feeds of kind sheet. `google` signs in when first asked; `wait` is what waiting is done
    with.
    """

    def __init__(self, google: Callable[[], Google], *, wait: Callable[[float], None] = time.sleep) -> None:
        self._google = google
        self._wait = wait

    def __call__(self, request: Request) -> Fetched | None:
        """The worksheet as CSV, or None when it is as it was. Raises FetchFailed.

        It is as it was when Drive says so and nothing in it is computed, else when its bytes are the same.
        """
        feed, sheet = request.contract.feed, request.contract.sheet
        assert sheet is not None  # noqa: S101 - the contract of this kind has one
        asked = f"{sheet.spreadsheet} {sheet.worksheet or sheet.gid} {sheet.range}"
        known: Cursor = request.cursor if request.cursor and request.cursor.get("asked") == asked else {}
        try:
            google = self._google()
            modified_at = google.modified_at(sheet.spreadsheet)
            if modified_at and known.get("modified_at") == modified_at and not known.get("computed"):
                return None
            properties = choose(google.worksheets(sheet.spreadsheet), sheet)
            request.progress(f"reading worksheet {properties['title']}")
            path, computed, modified_at = self._read(google, sheet, properties, request.folder, modified_at)
        except FetchFailed as problem:
            raise FetchFailed(f"{feed}: {problem.message}") from None
        with path.open("rb") as file:
            content_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if known.get("sha256") == content_sha256:
            path.unlink()
            return None
        return Fetched(
            path=path,
            name=path.name,
            feed=feed,
            cursor={
                "asked": asked, "modified_at": modified_at, "computed": computed, "sha256": content_sha256,
            },
            facts={"spreadsheet": sheet.spreadsheet, "worksheet": properties["title"]},
        )  # fmt: skip

    def _read(
        self,
        google: Google,
        sheet: SheetSource,
        properties: Mapping[str, Any],
        folder: Path,
        modified_at: str | None,
    ) -> tuple[Path, bool, str | None]:
        """The file, whether it has formulas, and when it was edited. What takes more than one request to read
        is read again until nobody edited it meanwhile.
        """
        title, size = properties["title"], properties.get("gridProperties") or {}
        path = folder / f"{title.replace('/', '_').replace(chr(0), '_')}"[:200]
        path = path.with_name(path.name + ".csv")
        whole = worksheet.area(sheet.range, rows=size.get("rowCount", 0), columns=size.get("columnCount", 0))
        for read in range(READS):
            if read:
                self._wait(CALM_S)
            try:
                rows, pages, computed = self._write(google, sheet.spreadsheet, title, whole, path)
            except StillCalculating:
                continue
            after = google.modified_at(sheet.spreadsheet) if pages > 1 else modified_at
            if after == modified_at:
                if rows < 2:
                    path.unlink()
                    raise FetchFailed(
                        f"the worksheet {title} has no rows; what it held before still counts. Fill it "
                        "again, or withdraw its deliveries (./shopx loads)."
                    )
                return path, computed, after
            modified_at = after
            path.unlink()
        raise FetchFailed(
            f"the worksheet {title} is being edited or still calculating; it is read again at the next time."
        )

    def _write(
        self, google: Google, spreadsheet: str, title: str, whole: Area | None, path: Path
    ) -> tuple[int, int, bool]:
        """Writes the CSV; returns its rows that are not blank, the pages asked for, and whether it has
        formulas.
        """
        filled = pages = 0
        computed = False
        with Rectangle(path) as table:
            if whole is not None:
                for _ in range(whole.first_row - 1):
                    table.add(())
                for part in whole.pages(CELLS_AT_ONCE):
                    pages += 1
                    grid = google.grid(spreadsheet, part.a1(title), fields=worksheet.FIELDS)
                    for cells, has_formula in worksheet.page_rows(grid, part):
                        table.add(cells)
                        filled += any(cells)
                        computed = computed or has_formula
        return filled, pages, computed


def choose(found: list[Mapping[str, Any]], sheet: SheetSource) -> Mapping[str, Any]:
    """The worksheet that the contract means. Raises FetchFailed with the names there are."""
    found = [properties for properties in found if properties.get("sheetType", "GRID") == "GRID"]
    names = ", ".join(str(properties["title"]) for properties in found[:10])
    if sheet.worksheet is not None:
        meant = [properties for properties in found if properties["title"] == sheet.worksheet]
        if not meant:
            raise FetchFailed(
                f"there is no worksheet {sheet.worksheet}; it has {names}. Write the new name into the "
                "contract (sheet: worksheet), or the address with its gid, which stays when it is renamed."
            )
        return meant[0]
    if sheet.gid is not None:
        meant = [properties for properties in found if properties["sheetId"] == sheet.gid]
        if not meant:
            raise FetchFailed(f"the worksheet with gid {sheet.gid} was deleted; it has {names}.")
        return meant[0]
    shown = [properties for properties in found if not properties.get("hidden")]
    if len(shown) != 1:
        raise FetchFailed(
            f"it has several worksheets ({names}); name one in the contract (sheet: worksheet)."
        )
    return shown[0]
