"""Whether a split is the published one, and on what evidence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from suite.datasets.catalogue.entry import Entry, SplitName
from suite.datasets.catalogue.fingerprints import DEFECTS, PUBLISHED
from suite.tasks.registry import find_task


@dataclass(frozen=True)
class Verdict:
    """Whether a split is the published one, and why that must be said; None where it need not."""

    published: bool | None
    why: str | None = None


def judge(entry: Entry, split: SplitName, blob: str, fingerprint: str, size: int) -> Verdict:
    """Whether a split is the published one.

    The evidence, strongest first:

    1. the file's git blob id is the pinned one: it is the published file, byte for byte;
    2. the fingerprint is that of the complete published split: the same examples in the same
       order, in whatever format or white space;
    3. a copy known to lack something, or a split whose published fingerprint is known and another,
       is not published, however many sentences it has;
    4. where neither blob nor fingerprint can decide, the number of sentences. A part or another
       split does not have it by chance, but an edited file may, so what is recognised by its size
       alone says so.

    Args:
        entry: the dataset.
        split: `train`, `dev` or `test`.
        blob: git blob id of the file.
        fingerprint: of all its examples.
        size: how many they are.
    """
    remote = entry.source.files.get(split) if entry.source else None
    known = PUBLISHED.get(entry.folder, {}).get(split)
    if fingerprint == known or (remote is not None and remote.blob == blob):
        return Verdict(True)
    counts = entry.counts.get(split, ())
    unit = f"{find_task(entry.task).unit}s"
    defect = DEFECTS.get(entry.folder, {}).get(fingerprint)
    if defect is not None:
        return Verdict(False, defect)
    if not counts:
        return Verdict(None)
    if all(size != count.sentences for count in counts):
        return Verdict(False, f"{size:,} of {counts[0].sentences:,} {unit}")
    if known is not None:
        return Verdict(False, f"{size:,} {unit} as published, but not the same ones")
    return Verdict(True, f"by its {size:,} {unit} alone")


def describe(verdicts: Mapping[SplitName, Verdict]) -> list[str]:
    """The verdicts that must be said, as sentences without a full stop."""
    notes = [
        f"{split} is taken for the published split {verdict.why}"
        for split, verdict in verdicts.items()
        if verdict.published and verdict.why
    ]
    other: defaultdict[str, list[str]] = defaultdict(list)
    for split, verdict in verdicts.items():
        if verdict.published is False:
            other[str(verdict.why)].append(split)
    if other:
        clauses = [
            f"{' and '.join(splits)} {'is' if len(splits) == 1 else 'are'} not the published "
            f"split{'' if len(splits) == 1 else 's'} ({why})"
            for why, splits in other.items()
        ]
        notes.append(f"{', '.join(clauses)}; no figure here reproduces a published one")
    return notes
