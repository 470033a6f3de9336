"""Great Expectations' own page about one run of the arrival gate (its Data Docs), made safe to open anywhere.

Put here: rendering a result, and the folder the pages lie in. Never here: who may see them
(orchestration/gate_pages), or what is expected.

As it renders them, values of cells stand in the page as HTML, and the page loads scripts, styles and pictures
from nine other hosts. Here cells are escaped first, the rest is reduced to plain elements, and nothing comes
from elsewhere.
"""

from __future__ import annotations

import html
import logging
import re
from pathlib import Path
from typing import Any

KEPT = 200  # pages; some 50 kB each
FOLDER = "data_docs"
_ELEMENTS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "ul", "ol", "li", "div", "span", "strong", "em", "code", "br"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_DROPPED_WHOLE = {"script", "style", "nav", "form", "button"}
_SIGNS = {"fa-check-circle": "✓", "fa-times": "✗", "fa-exclamation-triangle": "!"}
_CONTENT = '<div class="col-md-10 col-lg-10'
log = logging.getLogger(__name__)


def page_of(folder: Path, gate_run_id: int) -> Path:
    """Where the page of a run of the gate lies."""
    return folder / f"arrivals-{gate_run_id}.html"


def body_of(outcome: Any) -> str:
    """The page of one result (a Great Expectations ExpectationSuiteValidationResult) as plain elements."""
    import nh3  # noqa: PLC0415
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    for result in outcome.results:
        result.result = _escaped(result.result)
    document = ValidationResultsPageRenderer(run_info_at_end=True).render(outcome)
    rendered = DefaultJinjaPageView().render(document)
    for icon, sign in _SIGNS.items():
        rendered = re.sub(rf'<i class="[^"]*{icon}[^"]*"[^>]*></i>', sign, rendered)
    # what stands beside it steers scripts, which are gone
    start = max(rendered.find(_CONTENT), rendered.index("<body"))
    return nh3.clean(
        rendered[start:],
        tags=_ELEMENTS,
        clean_content_tags=_DROPPED_WHOLE,
        attributes={"th": {"colspan"}, "td": {"colspan"}},
    )


def keep_page(folder: Path, gate_run_id: int, body: str) -> None:
    """Write the page of a run and remove the oldest beyond KEPT; a full disk costs no more than the page."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        page = page_of(folder, gate_run_id)
        page.touch(mode=0o600)
        page.write_text(body, encoding="utf-8")
        pages = sorted(folder.glob("arrivals-*.html"), key=lambda path: int(path.stem.partition("-")[2]))
        for old in pages[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        log.warning("the page of gate run %s could not be written", gate_run_id, exc_info=True)


def _escaped(value: Any) -> Any:
    """The same with every text as text: no markup, and no `$` that the renderer would take for a place."""
    if isinstance(value, str):
        return html.escape(value).replace("$", "&#36;")
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(item) for item in value]
    return value
