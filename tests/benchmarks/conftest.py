"""The option by which trained weights are measured."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--runs OUT`."""
    parser.addoption("--runs", type=Path, help="an output folder of run-suite with trained weights")
