"""Which file of a folder is which split."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from suite.datasets.textfile import GZIP
from suite.errors import SuiteError

_SPLITS = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "devel": "dev",
    "development": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "testa": "dev",
    "test": "test",
    "testing": "test",
    "testb": "test",
}
_ENDINGS = frozenset(
    {
        *("json", "jsonl", "sent", "txt", "tsv", "csv", "conll", "conllu"),
        *("bio", "bioes", "bmes", "iob", "iob1", "iob2", "train", "testa", "testb"),
    }
)
_WITHOUT_MEANING = re.compile(r"triples|revised|annotated|data|set|eng|ner|re|\d+")
"""What may follow the split in a file's name."""
COMPANIONS = frozenset(
    {"type_relation.json", "rel_info.json", "train_annotated.fact", "ner_tags.json", "sources.json"}
)
"""Files that are read beside the splits, or say where they are from."""
_PARTS = (".tup", ".pointer", ".md", ".rst", ".pdf", ".py", ".sh", ".license", ".fact")
_PARTS_STEMS = ("readme", "license", "licence", "citation", "changelog")

LAYOUT = (
    "Expected: train, test and, if there is one, dev (or devel, valid, val), each as SPLIT.json "
    "(or SPLIT_triples.json), SPLIT.jsonl, SPLIT.txt, SPLIT.conll, SPLIT.tsv or SPLIT.csv "
    "(columns), SPLIT.sent with SPLIT.tup or SPLIT.pointer, or eng.train, eng.testa, eng.testb; a "
    "name may begin with the dataset's, and end in .gz."
)


class Layout(NamedTuple):
    """The files of a folder.

    Attributes:
        splits: `train`, `test` and, where there is one, `dev`.
        unread: names of others that look like data.
    """

    splits: dict[str, Path]
    unread: tuple[str, ...]


def find_splits(folder: Path) -> Layout:
    """Finds the splits of a folder.

    A file that joins two (`train_dev`, `train+dev`) is none of them.

    Raises:
        SuiteError: the folder is missing, train or test is, or two files claim one split.
    """
    paths = _files(folder)
    found: dict[str, Path] = {}
    unread = []
    for path in paths:
        named = _splits_named(path.name)
        if named is not None and len(named) == 1:
            (split,) = named
            if split in found:
                raise SuiteError(
                    f"{found[split].name} and {path.name} are both {split}",
                    where=folder,
                    remedy="Keep one of them there.",
                )
            found[split] = path
        elif named or _looks_like_data(path):
            unread.append(path.name)
    missing = [split for split in ("train", "test") if split not in found]
    if missing:
        names = ", ".join(p.name for p in paths[:20]) or "nothing"
        raise SuiteError(
            f"has no {' and no '.join(missing)} split (it holds {names})",
            where=folder,
            remedy=LAYOUT,
        )
    return Layout(found, tuple(unread))


def _files(folder: Path) -> list[Path]:
    try:
        if folder.is_file():
            raise SuiteError(
                "is a file", where=folder, remedy="Name the folder that holds the splits."
            )
        if not folder.is_dir():
            raise SuiteError("no such folder", where=folder, remedy=LAYOUT)
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise SuiteError(
            f"cannot be read: {error.strerror or error}", where=folder, remedy=LAYOUT
        ) from error


def _splits_named(name: str) -> set[str] | None:
    """The splits that a file's name holds; None where its ending is none of data."""
    stem, _, ending = name.lower().removesuffix(GZIP).rpartition(".")
    if ending not in _ENDINGS:
        return None
    words = [word for word in re.split(r"[^a-z0-9]+", f"{stem}.{ending}") if word]
    places = [i for i, word in enumerate(words) if word in _SPLITS]
    if not places or not _ends_in_split(words[places[-1] + 1 :]):
        return set()
    joined = len(places) > 1 and words[places[-2] + 1 : places[-1]] in ([], ["and"])
    return {_SPLITS[words[i]] for i in (places[-2:] if joined else places[-1:])}


def _ends_in_split(rest: Sequence[str]) -> bool:
    """Whether nothing follows a split but words that say nothing, and the ending."""
    return all(word in _ENDINGS or _WITHOUT_MEANING.fullmatch(word) for word in rest)


def _looks_like_data(path: Path) -> bool:
    name = path.name.lower()
    if name in COMPANIONS or name.endswith(_PARTS) or name.startswith((".", *_PARTS_STEMS)):
        return False
    return name.removesuffix(GZIP).rpartition(".")[2] in _ENDINGS
