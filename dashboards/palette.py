"""The palette and the number formats, read from palette.yaml.

Put here: their shape. Never here: a colour or a format; turning a value into text (formats.py).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import StringConstraints

from dashboards.spec.model import Strict

FILE = Path(__file__).with_name("palette.yaml")
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-F]{6}$")]


class Theme(Strict):
    """Colours of one theme; `series` in the order in which they are given out."""

    ground: Colour
    surface: Colour
    text: Colour
    muted: Colour
    grid: Colour
    series: tuple[Colour, ...]
    this_period: Colour
    comparison: Colour
    forecast: Colour
    good: Colour
    bad: Colour


class NumberFormat(Strict):
    """How a value is written. `up_to`: decimals beyond `decimals` are shown only where they are not zero."""

    style: Literal[
        "currency",
        "decimal",
        "percent",
        "points",
        "share",
        "hour",
        "date",
        "month",
        "datetime",
        "text",
        "yesno",
    ]
    decimals: int | None = None
    up_to: int | None = None


class Palette(Strict):
    """All of palette.yaml."""

    light: Theme
    dark: Theme
    dashes: tuple[str, ...]
    markers: tuple[str, ...]
    formats: dict[str, NumberFormat]


@cache
def palette() -> Palette:
    """Read once."""
    return Palette.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
