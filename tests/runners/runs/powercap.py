"""A pretended sysfs with the energy counters of a processor."""

from __future__ import annotations

from pathlib import Path

RANGE = 262_143_328_850
"""Microjoules after which the counters of most processors begin anew."""


def zone(folder: Path, path: str, name: str, microjoules: int, most: int = RANGE) -> Path:
    """A zone as sysfs shows it; those within another lie beside it as well, as links do."""
    place = folder / path
    place.mkdir(parents=True)
    (place / "name").write_text(f"{name}\n")
    (place / "energy_uj").write_text(f"{microjoules}\n")
    (place / "max_energy_range_uj").write_text(f"{most}\n")
    return place


def moved(place: Path, microjoules: int | str) -> None:
    (place / "energy_uj").write_text(f"{microjoules}\n")
