"""Text of the data, which a report or a sheet must not take for anything but text."""

from __future__ import annotations

import html
import re
from typing import Any

import pandas as pd


def quoted(text: object) -> str:
    """Words of the data on one line, in which no HTML, link, code or emphasis begins."""
    line = html.escape(" ".join(str(text).split()), quote=False).replace("|", "&#124;")
    return re.sub(r"([\\`*\[\]])", r"\\\1", line)


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, in which no text begins as a formula of a spreadsheet does."""

    def harmless(value: Any) -> Any:
        starts = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        return f"'{value}" if starts else value

    return frame.map(harmless).rename(columns=harmless).to_csv(index=False)
