"""Which file of a folder is which split."""

from __future__ import annotations

import re
from pathlib import Path

from suite.errors import SuiteError

_SPLITS = {
    "train": "train",
    "dev": "dev",
    "val": "dev",
    "valid": "dev",
    "validation": "dev",
    "testa": "dev",
    "test": "test",
    "testb": "test",
}
_NAME = re.compile(
    r"(?:.+[._-])?(?P<split>" + "|".join(_SPLITS) + r")"
    r"(?:(?:_triples|_revised|_annotated)?\.(?:jsonl?|sent)|\.(?:txt|conll|bio|iob|iob1|iob2))"
)
_COLUMNS = re.compile(r"eng\.(?P<split>train|testa|testb)")

LAYOUT = (
    "Expected: train, test and, if there is one, dev (or valid, val), each as "
    "SPLIT_triples.json, SPLIT.json, SPLIT.jsonl, SPLIT_revised.json, SPLIT.sent with SPLIT.tup "
    "or SPLIT.pointer, SPLIT.txt or SPLIT.conll (columns), or eng.train, eng.testa, eng.testb."
)


def find_splits(folder: Path) -> dict[str, Path]:
    """The files of a folder by split: `train`, `test` and, where there is one, `dev`.

    Raises:
        SuiteError: the folder is missing, train or test is, or two files claim one split.
    """
    if folder.is_file():
        raise SuiteError("is a file", where=folder, remedy="Name the folder that holds the splits.")
    if not folder.is_dir():
        raise SuiteError("no such folder", where=folder, remedy=LAYOUT)
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name) or _COLUMNS.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        split = _SPLITS[match["split"]]
        if split in found:
            raise SuiteError(
                f"{found[split].name} and {path.name} are both {split}",
                where=folder,
                remedy="Keep one of them there.",
            )
        found[split] = path
    missing = [split for split in ("train", "test") if split not in found]
    if missing:
        names = ", ".join(sorted(p.name for p in folder.iterdir())[:20]) or "nothing"
        raise SuiteError(
            f"has no {' and no '.join(missing)} split (it holds {names})",
            where=folder,
            remedy=LAYOUT,
        )
    return found
