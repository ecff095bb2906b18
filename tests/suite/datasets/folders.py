"""Small dataset folders for the tests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PARIS = {
    "text": "Marie Curie lived in Paris , France .",
    "triple_list": [["Marie Curie", "lived_in", "Paris"], ["Paris", "in", "France"]],
}
ROME = {"text": "Rome is in Italy .", "triple_list": [["Rome", "in", "Italy"]]}
OSLO = {"text": "Oslo is in Norway .", "triple_list": [["Oslo", "in", "Norway"]]}
LIMA = {"text": "Lima is in Peru .", "triple_list": [["Lima", "in", "Peru"]]}

Records = Sequence[Mapping[str, Any]]


def write(folder: Path, files: Mapping[str, Records | str | bytes]) -> Path:
    """A folder with these files: records as JSON, text and bytes as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif isinstance(content, str):
            (folder / name).write_bytes(content.encode())
        else:
            (folder / name).write_text(json.dumps(content))
    return folder


def triples(
    folder: Path,
    train: Records | str | bytes = (PARIS, ROME),
    dev: Records | str | bytes = (OSLO,),
    test: Records | str | bytes = (LIMA,),
) -> Path:
    """A folder of `triple_list` JSON."""
    names = ("train_triples.json", "dev_triples.json", "test_triples.json")
    return write(folder, dict(zip(names, (train, dev, test), strict=True)))
