"""Reads a report back as a reader would: by headings and tables."""

from __future__ import annotations

import re


def section(text: str, which: str, title: str | None = None) -> str:
    """A section by its title, or its subsection of another."""
    head = rf"\d+\. {re.escape(which)}\n"
    found = re.search(rf"^## {head}.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"the report has no section {which}"
    if title is None:
        return found.group()
    part = re.search(
        rf"^### {re.escape(title)}\n.*?(?=^### |\Z)", found.group(), re.MULTILINE | re.DOTALL
    )
    assert part, f"section {which} has no part {title!r}"
    return part.group()


def tables(text: str) -> list[list[list[str]]]:
    """All pipe tables: table -> row -> cell, the rule beneath the heading included."""
    found: list[list[list[str]]] = []
    before = ""
    for line in text.splitlines():
        if line.startswith("|"):
            if not before.startswith("|"):
                found.append([])
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
            assert cells[0] == cells[-1] == "", f"a row without its outer bars: {line}"
            found[-1].append(cells[1:-1])
        before = line
    return found


def rows(text: str, heading: str) -> list[dict[str, str]]:
    """The rows of the first table that has a column of that heading."""
    for table in tables(text):
        if heading in table[0]:
            return [dict(zip(table[0], row, strict=True)) for row in table[2:]]
    raise AssertionError(f"no table with a column {heading!r}")
