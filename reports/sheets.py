"""Frames as CSV."""

from __future__ import annotations

from typing import Any

import pandas as pd


def csv(frame: pd.DataFrame) -> str:
    """A frame as CSV, in which no text begins as a formula of a spreadsheet does."""

    def harmless(value: Any) -> Any:
        starts = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        return f"'{value}" if starts else value

    return frame.map(harmless).rename(columns=harmless).to_csv(index=False)
