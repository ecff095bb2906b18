"""Checks every jaxtyped signature at run time; imported before the packages are."""

from __future__ import annotations

from pathlib import Path

from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parents[1]


def shaped_modules() -> list[str]:
    """The modules that say shapes; others hold annotations that are for mypy alone."""
    files = (f for package in ("suite", "baselines") for f in (ROOT / package).rglob("*.py"))
    return [
        ".".join(f.relative_to(ROOT).with_suffix("").parts)
        for f in files
        if "from jaxtyping import" in f.read_text(encoding="utf-8")
    ]


install_import_hook(shaped_modules(), "beartype.beartype")
