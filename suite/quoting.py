"""Text of the data, which markdown must not take for anything but text."""

from __future__ import annotations

import html
import re


def quoted(text: object) -> str:
    """Words of the data on one line, in which no HTML, link, code or emphasis begins."""
    line = html.escape(" ".join(str(text).split()), quote=False).replace("|", "&#124;")
    return re.sub(r"([\\`*\[\]])", r"\\\1", line)
