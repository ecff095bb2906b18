"""The small files that may stand beside the splits of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from suite.datasets.dataset import TypeMap
from suite.datasets.formats.records import Strict, explained
from suite.datasets.textfile import TextFile
from suite.tasks.examples import SurfaceTriple

T = TypeVar("T")


class _Types(Strict):
    subject: str
    object: str


def _read(path: Path, adapter: TypeAdapter[T]) -> T | None:
    if not path.is_file():
        return None
    file = TextFile.read(path)
    try:
        return adapter.validate_json(file.text)
    except ValidationError as error:
        raise explained(file, error) from error


def read_types(folder: Path) -> TypeMap | None:
    """`type_relation.json`: `{relation: {"subject": type, "object": type}}`; None without it."""
    raw = _read(folder / "type_relation.json", TypeAdapter(dict[str, _Types]))
    return None if raw is None else {r: (t.subject, t.object) for r, t in raw.items()}


def read_relations(folder: Path) -> tuple[str, ...] | None:
    """`rel_info.json`: `{relation: its name in words}`, as in DocRED; None without it."""
    raw = _read(folder / "rel_info.json", TypeAdapter(dict[str, str]))
    return None if raw is None else tuple(raw)


def read_labels(folder: Path) -> tuple[str, ...] | None:
    """`ner_tags.json`: the names of numbered tags, in their order; None without it."""
    raw = _read(folder / "ner_tags.json", TypeAdapter(list[str]))
    return None if raw is None else tuple(raw)


def read_training_facts(folder: Path) -> frozenset[SurfaceTriple] | None:
    """`train_annotated.fact`: `[[head name, tail name, relation]]`; None without it."""
    raw = _read(folder / "train_annotated.fact", TypeAdapter(list[tuple[str, str, str]]))
    if raw is None:
        return None
    return frozenset(SurfaceTriple(head, relation, tail) for head, tail, relation in raw)
