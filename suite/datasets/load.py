"""Datasets by name or folder: find the files, read them, say how far they can be trusted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from suite.datasets.catalogue.entries import CATALOGUE, SYNTHETICS, dataset_names
from suite.datasets.catalogue.entry import NAMES, Entry, SplitName
from suite.datasets.catalogue.fetch import cache_folder, fetch
from suite.datasets.catalogue.judge import describe, judge
from suite.datasets.checks import check_parts, notes_on, without_no_relation
from suite.datasets.dataset import Dataset, Problems, Sample, Split
from suite.datasets.examine import note_against, note_within
from suite.datasets.fingerprint import fingerprint
from suite.datasets.formats import Format, detect, task_of
from suite.datasets.layout import find_splits
from suite.datasets.make_schema import make_schema
from suite.datasets.problems import ProblemLog
from suite.datasets.reading import Reading
from suite.datasets.sidecars import read_labels, read_relations, read_training_facts, read_types
from suite.datasets.splitting import cut_dev
from suite.datasets.textfile import UTF8, TextFile
from suite.datasets.words import find_words_of
from suite.errors import SuiteError, unknown
from suite.names import folder_name
from suite.tasks.examples import Example, TaskName
from suite.tasks.registry import find_task

__all__ = ["Dataset", "Problems", "Sample", "Split", "load_dataset"]

DATA_DIR = "RE_DATA_DIR"
"""The environment's name for a folder that holds datasets by name."""


def load_dataset(
    name_or_path: str, data_dir: Path | None = None, words: str | None = None
) -> Dataset:
    """Loads a dataset of the registry, or a user's own folder.

    A name is looked for in `data_dir`, then `$RE_DATA_DIR`, then the user's cache, each as a
    folder of that name; what is nowhere is downloaded into the cache. What is not a name of the
    registry is taken for a folder in any of the known formats (`suite.datasets.layout`).

    Args:
        name_or_path: a name of the registry, or the path of a folder.
        data_dir: where to look first.
        words: how texts that their files do not split become words (`suite.datasets.words`); None:
            at white space.

    Raises:
        SuiteError: nothing answers to the name, a split is missing, a file cannot be read, or the
            download fails.
    """
    folder = dataset_folder(name_or_path, data_dir)
    if folder is None:
        return _make(name_or_path)
    return _read(CATALOGUE.get(name_or_path), folder, words)


def dataset_folder(name_or_path: str, data_dir: Path | None = None) -> Path | None:
    """The folder that `load_dataset` reads, downloaded if need be; None for a synthetic one.

    Raises:
        SuiteError: as `load_dataset`, of what is found without reading a file.
    """
    if name_or_path in SYNTHETICS:
        return None
    entry = CATALOGUE.get(name_or_path)
    if entry is not None:
        return _find(entry, data_dir)
    folder, is_there = _named(name_or_path)
    if is_there or len(folder.parts) > 1:
        return folder
    raise unknown("dataset", name_or_path, dataset_names())


def _named(path: str) -> tuple[Path, bool]:
    """A user's folder, and whether it is there."""
    try:
        path.encode()
        folder = Path(path).expanduser()
        return folder, folder.exists()
    except UnicodeEncodeError:
        reason = "its name holds bytes that are not UTF-8, which no record can hold"
    except RuntimeError:
        reason = "there is no user of that name"  # whose home `~name` would be
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
    raise SuiteError(
        f"cannot be loaded: {reason}",
        where=f"{path[:200]!a}",
        remedy="Name a dataset (see --list) or its folder.",
    )


def _make(name: str) -> Dataset:
    """One of the synthetic datasets; their grammars are imported on demand."""
    if name == "synthetic-documents":
        from suite.datasets.synthetic.documents import make_documents  # noqa: PLC0415

        return make_documents()
    if name == "synthetic-spans":
        from suite.datasets.synthetic.spans import make_spans  # noqa: PLC0415

        return make_spans()
    from suite.datasets.synthetic.triples import make_dataset  # noqa: PLC0415

    return make_dataset()


def _find(entry: Entry, data_dir: Path | None) -> Path:
    """The dataset's folder, downloaded if need be."""
    roots = [data_dir] if data_dir is not None else []
    if os.environ.get(DATA_DIR):
        roots.append(Path(os.environ[DATA_DIR]))
    for root in roots:
        if not root.is_dir():
            raise SuiteError(
                "no such folder", where=root, remedy=f"Correct --data-dir or ${DATA_DIR}."
            )
        if (root / entry.folder).is_dir():
            return root / entry.folder
    return fetch(entry, cache_folder() / entry.folder, looked_in=roots)


@dataclass
class _Part:
    """A split while it is made."""

    path: Path
    form: Format
    blob: str
    examples: list[Example]
    fingerprint: str
    problems: ProblemLog
    published: bool | None = None


def _read(entry: Entry | None, folder: Path, words: str | None) -> Dataset:
    types = entry.types if entry else read_types(folder)
    layout = find_splits(folder)
    labels = read_labels(folder)
    split_text = find_words_of(words)
    parts: dict[SplitName, _Part] = {}
    for name in NAMES:
        if name in layout.splits:
            path = layout.splits[name]
            reading = Reading(ProblemLog(path), types or {}, split_text, labels)
            parts[name] = _part(name, path, reading)
    train = parts["train"]
    task = entry.task if entry else task_of(train.form, train.examples)
    for part in parts.values():
        _check_task(part, task)
        note_within(part.examples, task, part.problems)
    relations = entry.relations if entry else read_relations(folder)
    if entry is None:
        check_parts(task, {n: (p.path, p.examples) for n, p in parts.items()}, types, relations)
    notes = _judge(entry, parts) if entry else []
    schema = make_schema(task, train.examples, types, relations)
    if "dev" not in parts:
        notes.append("dev is a tenth of train, cut by hash of the text")
        parts["dev"] = _cut(train)
    for judged in (parts["dev"], parts["test"]):
        note_against(train.examples, judged.examples, judged.problems)
    offsets = all(part.form.offsets for part in parts.values())
    called = entry.name if entry else folder_name(folder.resolve().name)
    if entry is None:
        notes += notes_on(layout, {n: (p.examples, p.problems) for n, p in parts.items()})
    if words is not None:
        notes.append(f"texts are split into words by {words}")
    return Dataset(
        name=called,
        title=entry.title if entry else called,
        task=task,
        schema=schema,
        train=_split("train", train),
        dev=_split("dev", parts["dev"]),
        test=_split("test", parts["test"]),
        matching="offsets" if offsets else "surface",
        synthetic=False,
        citation=entry.citation if entry else "",
        licence=entry.licence if entry else "",
        notes=(*(entry.notes if entry else ()), *notes),
        facts_in_train=read_training_facts(folder) if find_task(task).ranked else None,
    )


def _part(name: SplitName, path: Path, reading: Reading) -> _Part:
    file = TextFile.read(path)
    form = detect(file)
    examples = form.read(file, name, reading)
    if not examples:
        raise SuiteError("holds no examples", where=path, remedy="Put the whole file there.")
    if file.encoding != UTF8:
        reading.problems.notes.append(f"{path.name} is read as {file.encoding}")
    examples = without_no_relation(examples, reading)
    if reading.types and name == "train":
        strange = sorted({r for e in examples for r in e.relations()} - set(reading.types))
        if strange:
            raise SuiteError(
                f"has the relation {strange[0]!r}, whose entity types are not known",
                where=path,
                remedy="Give them in type_relation.json in a folder of your own and name that "
                "folder as --dataset.",
            )
    return _Part(path, form, file.blob, examples, fingerprint(examples), reading.problems)


def _check_task(part: _Part, task: TaskName) -> None:
    if task not in part.form.tasks:
        raise SuiteError(
            f"is {part.form.title}, which holds no data for the task {task!r}",
            where=part.path,
            remedy="The splits of one dataset are for one task; check which file stands there.",
        )


def _judge(entry: Entry, parts: dict[SplitName, _Part]) -> list[str]:
    """Marks each split as published or not; returns the sentences that say so."""
    verdicts = {
        name: judge(entry, name, part.blob, part.fingerprint, len(part.examples))
        for name, part in parts.items()
    }
    for name, verdict in verdicts.items():
        parts[name].published = verdict.published
    return describe(verdicts)


def _cut(train: _Part) -> _Part:
    """Takes a dev set out of train."""
    train.examples, dev = cut_dev(train.examples, train.path)
    train.fingerprint = fingerprint(train.examples)
    return _Part(train.path, train.form, train.blob, dev, fingerprint(dev), ProblemLog(train.path))


def _split(name: SplitName, part: _Part) -> Split:
    return Split(
        name=name,
        path=part.path,
        examples=tuple(part.examples),
        fingerprint=part.fingerprint,
        published=part.published,
        problems=part.problems.freeze(),
    )
