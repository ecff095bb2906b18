"""docs/fidelity.md: every field of every system is in its table, with the values of the code."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, Literal

import pytest

from suite.protocol import Protocol
from suite.systems.contract import System
from suite.systems.registry import find_system, make_settings, system_names

PAGE = Path(__file__).parents[1] / "docs" / "fidelity.md"
Column = Literal["identical", "published"]


def cell(system: type[System], name: str, column: Column) -> str:
    """What the page has to say of a field: its value, and by dataset where a paper differs."""
    published = column == "published"
    if name in {field.name for field in dataclasses.fields(system.Settings)}:
        stated = system.published.settings if published else {}
        return shown(getattr(make_settings(system, stated), name))
    stated = system.published.protocol if published else {}
    found = shown(getattr(Protocol.model_validate(stated), name))
    by_dataset = system.published.on if published else {}
    also = [f"{shown(on[name])} ({data})" for data, on in by_dataset.items() if name in on]
    return "; ".join([*also, f"{found} elsewhere"]) if also else found


def shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value))
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def rows(name: str) -> dict[str, list[str]]:
    """The rows of a system's table by field."""
    section = re.search(rf"^## .*\(`{name}`\)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert section, f"docs/fidelity.md has no section for {name}"
    lines = [line for line in section[1].splitlines() if line.startswith("| ")][2:]
    cells = [[part.strip() for part in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): rest for first, *rest in cells}


@pytest.mark.parametrize("name", system_names())
def test_the_table_of_a_system_is_whole_and_true(name: str) -> None:
    system, table = find_system(name), rows(name)
    fields = {field.name for field in dataclasses.fields(system.Settings)}
    changed = {*system.published.protocol, *(f for on in system.published.on.values() for f in on)}
    assert fields | changed <= table.keys(), fields | changed - table.keys()
    for field, (_, _, identical, published) in table.items():
        if field in fields | set(Protocol.model_fields):
            assert identical == cell(system, field, "identical"), field
            assert published == cell(system, field, "published"), field
        assert all(table[field]), f"{field}: an empty cell"
