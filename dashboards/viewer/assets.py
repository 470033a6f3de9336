"""The files of a page: style, scripts, and the chart library out of an installed package.

Put here: where a file comes from and how long a browser may keep it. Never here: what stands in it.
Each address holds a hash of all files, so that a browser keeps them for ever and never shows old ones.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dashboards.palette import Theme, palette

FOLDER = Path(__file__).with_name("static")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"
GRID_COLUMNS = 24
ROW_PX = 44  # height of a row of a board's layout

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    body: bytes
    packed: bytes
    media_type: str


def chart_library() -> Path:
    """The folder of the ECharts module that the package nicegui ships.

    The package is not imported, nor its server used.
    """
    found = find_spec("nicegui")
    assert found is not None and found.submodule_search_locations  # noqa: S101  a dependency of ours
    return Path(found.submodule_search_locations[0]) / "elements" / "echart" / "dist"


@lru_cache(maxsize=1)
def all_assets() -> dict[str, Asset]:
    """Every file by its name below the version; read and packed once."""
    files = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    files["palette.css"] = palette_css().encode()
    for path in sorted(chart_library().glob("*.js")):
        files[f"echarts/{path.name}"] = path.read_bytes()
    return {
        name: Asset(body, gzip.compress(body, 9, mtime=0), TYPES[Path(name).suffix])
        for name, body in files.items()
    }


@lru_cache(maxsize=1)
def version() -> str:
    """A hash of all files."""
    digest = hashlib.sha256()
    for name, asset in sorted(all_assets().items()):
        digest.update(name.encode() + b"\0" + asset.body)
    return digest.hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds a file. Raises KeyError for one that does not exist."""
    assert name in all_assets(), name  # noqa: S101  a template names files of ours
    return f"/static/{version()}/{name}"


@router.get("/static/{of_version}/{name:path}")
def asset(request: Request, of_version: str, name: str) -> Response:
    """A file; one of another version is gone."""
    found = all_assets().get(name)
    if found is None or of_version != version():
        raise HTTPException(404)
    headers = {"cache-control": FOR_EVER, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            found.packed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"}
        )
    return Response(found.body, media_type=found.media_type, headers=headers)


@router.get("/favicon.ico")
def favicon() -> Response:
    """For browsers that ask without being told where."""
    return Response(
        all_assets()["icon.svg"].body, media_type="image/svg+xml", headers={"cache-control": "max-age=86400"}
    )


def palette_css() -> str:
    """The palette as custom properties of both themes, and the classes of the layout's grid."""
    light, dark = _properties(palette().light), _properties(palette().dark)
    widths = "\n".join(f"  .grid > .w{n} {{ grid-column: span {n}; }}" for n in range(1, GRID_COLUMNS + 1))
    heights = "\n".join(
        f".h{n} .chart {{ height: {max(200, min(n * ROW_PX - 40, 560))}px; }}" for n in range(1, 25)
    )
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ color-scheme: dark; {dark} }} }}\n"
        f'@media screen {{ :root[data-theme="light"] {{ color-scheme: light; {light} }}\n'
        f':root[data-theme="dark"] {{ color-scheme: dark; {dark} }} }}\n'
        f"{heights}\n@media (min-width: 1080px) {{\n{widths}\n}}\n"
    )


def _properties(theme: Theme) -> str:
    series = {f"series-{n}": colour for n, colour in enumerate(theme.series, start=1)}
    found = {
        **series,
        "card": theme.ground,
        "page": theme.surface,
        "text": theme.text,
        "chart-text": theme.text,
        "muted": theme.muted,
        "line": theme.grid,
        "grid": theme.grid,
        "control": theme.muted,
        "comparison": theme.comparison,
        "forecast": theme.forecast,
        "good": theme.good,
        "bad": theme.bad,
        "link": theme.this_period,
        "button": theme.this_period,
        "on-button": theme.ground,
        "warn-ground": theme.surface,
    }
    return " ".join(f"--{name}: {colour};" for name, colour in found.items())
