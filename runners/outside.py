"""Predictions from outside: into an output folder, or scored on a dataset alone."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

import suite
from reports.load import OUTSIDE, load_results
from reports.run_files import RecordedRun
from runners.runs.plan import read_run_plan
from runners.runs.workbench import load_part
from suite.datasets import Dataset, load_dataset
from suite.errors import SuiteError, first_mistake, unknown
from suite.files import write_lines
from suite.names import PlainTitle, folder_name, printable
from suite.outside.about import read_about
from suite.outside.answers import AnswersFile
from suite.outside.forms import read_answers
from suite.outside.gold import Gold, gold_of, gold_of_run
from suite.outside.scoring import Scored, examples_met, score
from suite.records.outside import About, BroughtIn, OutsideRecord
from suite.records.run import PREDICTIONS, DatasetFacts
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.scores import Evaluation
from suite.uncertainty.bootstrap import f1_interval

FORM = "As in --predictions gpt=answers.jsonl, or gpt@conll04=answers.jsonl."


@dataclass(frozen=True)
class Asked:
    """A `--predictions NAME=FILE`, or NAME@DATASET=FILE."""

    name: str
    dataset: str | None
    path: Path


def _asked(text: str, datasets: Sequence[str]) -> Asked:
    name, equals, file = text.partition("=")
    if not (equals and name.strip() and file):
        raise SuiteError(f"--predictions {text[:200]!r} is not NAME=FILE", remedy=FORM)
    called, at, dataset = name.rpartition("@")
    name = called if at else name
    if at and dataset not in datasets:
        raise unknown("dataset in --predictions, or one that has no runs here,", dataset, datasets)
    try:
        TypeAdapter(PlainTitle).validate_python(name.strip())
    except ValidationError as error:
        cause = f"--predictions {text[:200]!r}: {first_mistake(error)}"
        raise SuiteError(cause, remedy=FORM) from error
    return Asked(name.strip(), dataset if at else None, Path(file).expanduser())


class Ground:
    """What predictions are scored on and by: the test set of some runs, and their match rule.

    Args:
        runs: of one dataset with equal fingerprints, and one rule.
        data_dir: where datasets are looked for by name; None: where they were when they were run.
    """

    def __init__(self, runs: Sequence[RecordedRun], data_dir: Path | None) -> None:
        self.runs, self.data_dir = runs, data_dir
        self.facts: DatasetFacts = runs[0].record.dataset
        self.match: Match = runs[0].record.protocol.match

    @cached_property
    def gold(self) -> Gold:
        """The test examples: of the dataset, or where its files are gone, of what a run kept.

        Raises:
            SuiteError: the files are not those that were run on, or they are gone and no run kept
                what is needed.
        """
        try:
            dataset = self._load()
        except SuiteError as gone:
            return self._kept(gone)
        own = {split.name: split.fingerprint for split in dataset.splits}
        for split, fingerprint in self.facts.fingerprints.items():
            if own.get(split) != fingerprint:
                raise SuiteError(
                    f"its {split} split is not the one that was run on: SHA-256 "
                    f"{own.get(split, 'absent')[:12]}... instead of {fingerprint[:12]}...",
                    where=self.facts.name,
                    remedy="Name the folder of the data that were run on with --data-dir, or run "
                    "run-suite on these.",
                )
        return gold_of(dataset)

    def _load(self) -> Dataset:
        folder = self.runs[0].folder
        if not (folder / "run.json").is_file():
            return load_dataset(self.facts.name, self.data_dir)
        plan = read_run_plan(folder)
        place = self.data_dir or plan.data_dir
        return load_part(plan.dataset, place, plan.train_share, plan.words)

    def _kept(self, gone: SuiteError) -> Gold:
        """Gold from the first complete run whose own predictions give its own scores from it."""
        for run in self.runs:
            path = run.folder / PREDICTIONS
            if not (run.complete and path.is_file()):
                continue
            facts = self.facts
            gold = gold_of_run(facts.name, facts.task, facts.matching, path)
            if gold is not None and gold.labelled and _gives_back(gold, run, path):
                return gold
        raise SuiteError(
            f"its files are needed, and cannot be loaded ({gone.cause})",
            where=self.facts.name,
            remedy="Name the folder that they are in with --data-dir; what its runs kept of the "
            "test set is not enough.",
        ) from gone


def _gives_back(gold: Gold, run: RecordedRun, path: Path) -> bool:
    """Whether a run's predictions, scored against what it kept of gold, get its own scores."""
    test = run.record.test
    found = score(read_answers(path), gold, run.record.protocol.match).evaluation
    own = {} if test is None else {name: s for name, s in test.slices.items() if name != "seen"}
    return test is not None and (found.partial, found.exact, found.slices) == (
        test.partial,
        test.exact,
        own,
    )


def _grounds(runs: Sequence[RecordedRun], data_dir: Path | None) -> dict[str, list[Ground]]:
    """Dataset -> what predictions on it are scored on; several where the runs' data differ."""
    found: dict[str, dict[str, list[RecordedRun]]] = {}
    for run in runs:
        facts = run.record.dataset
        key = json.dumps([facts.fingerprints, facts.matching, run.record.protocol.match])
        found.setdefault(facts.name, {}).setdefault(key, []).append(run)
    return {
        name: [Ground(several, data_dir) for several in parts.values()]
        for name, parts in found.items()
    }


def bring_in(
    out: Path, predictions: Sequence[str], abouts: Sequence[Path], data_dir: Path | None
) -> list[OutsideRecord]:
    """Scores files of predictions on the test sets of an output folder, and keeps them there.

    Nothing is written unless all of them can be scored. What an earlier command kept of a system on
    a dataset is replaced.

    Args:
        out: of `run-suite`.
        predictions: NAME=FILE, or NAME@DATASET=FILE.
        abouts: files NAME.yaml of what is stated.
        data_dir: where datasets are looked for by name.

    Returns:
        A record for each file and test set.

    Raises:
        SuiteError: a file cannot be read, is of no known form, or fits no test set or several.
    """
    if not predictions and not abouts:
        return []
    grounds = _grounds(load_results(out).runs, data_dir)
    asked = [_asked(text, list(grounds)) for text in predictions]
    about = _abouts(abouts, [one.name for one in asked])
    numbers: Counter[tuple[str, str]] = Counter()
    kept: list[tuple[OutsideRecord, Scored]] = []
    for one in asked:
        file = read_answers(one.path)
        for ground in _fitting(one, file, grounds):
            found = score(file, ground.gold, ground.match)
            number = numbers[one.name, ground.facts.name]
            numbers[one.name, ground.facts.name] += 1
            stated = about.get(one.name, About())
            kept.append((_record(one.name, number, file, stated, ground, found), found))
    _keep(out / OUTSIDE, kept)
    return [record for record, _ in kept]


def _abouts(paths: Sequence[Path], names: Sequence[str]) -> Mapping[str, About]:
    if paths and not names:
        raise SuiteError(
            "--about states what is known of a system of --predictions, and none is named",
            where=paths[0],
            remedy=FORM,
        )
    found = {}
    for path in paths:
        if path.stem not in names:
            error = unknown("system in --about, whose file is called as it,", path.stem, names)
            raise SuiteError(error.cause, where=path, remedy=error.remedy)
        found[path.stem] = read_about(path)
    return found


def _fitting(one: Asked, file: AnswersFile, grounds: Mapping[str, list[Ground]]) -> list[Ground]:
    """The test sets that a file is about: all of one dataset.

    By its texts it is about the dataset of which it meets at least twice as many examples as of any
    other; ids alone, which datasets share, must fit one alone.

    Raises:
        SuiteError: it is about none, or may be about several.
    """
    if one.dataset is not None:
        return grounds[one.dataset]
    if len(grounds) == 1:
        return next(iter(grounds.values()))
    met = {name: examples_met(file, parts[0].gold) for name, parts in grounds.items()}
    most = max(met, key=lambda name: met[name])
    by_text = all(answer.letters is not None for answer in file.answers)
    others = [n for n in met if n != most and (2 * met[n] > met[most] or (met[n] and not by_text))]
    if met[most] and not others:
        return grounds[most]
    if not met[most]:
        raise SuiteError(
            f"none of its records is about a test example of {', '.join(met)}",
            where=one.path,
            remedy="Give each record the id of its example, or the text as the test file has it.",
        )
    raise SuiteError(
        f"its records may be about examples of several test sets: {', '.join([most, *others])}",
        where=one.path,
        remedy=f"Say which: --predictions {one.name}@{most}={one.path}.",
    )


def _record(
    name: str, number: int, file: AnswersFile, about: About, ground: Ground, found: Scored
) -> OutsideRecord:
    return OutsideRecord(
        name=name,
        number=number,
        file=printable(file.path.name),
        sha256=file.sha256,
        form=file.form,
        about=about,
        dataset=ground.facts,
        match=ground.match,
        gold=ground.gold.source,
        scored=datetime.now(UTC).isoformat(timespec="seconds"),
        version=suite.__version__,
        brought=found.brought,
        test=found.evaluation,
    )


def _keep(folder: Path, kept: Sequence[tuple[OutsideRecord, Scored]]) -> None:
    """Writes records and predictions, and removes what was kept of the same system before."""
    places: dict[Path, set[str]] = {}
    for record, found in kept:
        of_system = folder / folder_name(record.name) / folder_name(record.dataset.name)
        place = of_system / str(record.number)
        # A command that is killed here leaves no record of other predictions.
        (place / "record.json").unlink(missing_ok=True)
        write_lines(place / PREDICTIONS, found.outcomes)
        record.write(place)
        places.setdefault(of_system, set()).add(place.name)
    for of_system, names in places.items():
        for other in of_system.iterdir():
            if other.name not in names and other.name.isdigit():
                shutil.rmtree(other, ignore_errors=True)


@dataclass(frozen=True)
class ScoredFile:
    """A file of predictions, scored on the test set of a dataset.

    Attributes:
        dataset: its name, title, task and matching.
        file: the name of the file.
        form: what it is.
        match: the rule by which slices are told.
        scored: its scores.
    """

    dataset: Dataset
    file: str
    form: str
    match: Match
    scored: Scored

    @property
    def brought(self) -> BroughtIn:
        """How its records fit the test examples."""
        return self.scored.brought

    @property
    def test(self) -> Evaluation:
        """The scores."""
        return self.scored.evaluation

    def metrics(self) -> dict[str, float]:
        """Metric -> its value, of those that a file of predictions tells."""
        metrics = find_task(self.dataset.task).metrics
        values = {metric.name: metric.of(self.test) for metric in metrics}
        return {name: value for name, value in values.items() if value is not None}

    def rows(self) -> Iterator[tuple[str, str, str, str, str, str]]:
        """Of each metric that the task's tables show: heading, value, interval, and counts."""
        values = self.metrics()
        for metric in find_task(self.dataset.task).metrics:
            if "test" not in metric.columns or metric.name not in values:
                continue
            heading = metric.heading.format(matching=self.dataset.matching)
            value = values[metric.name]
            shown = f"{100 * value if metric.share else value:.{metric.digits}f}"
            rule, _, part = metric.name.partition("/")
            counts = interval = ""
            columns = (counts, counts, counts)
            if part == "f1":
                scores = self.test.under("exact" if rule == "exact" else "partial")
                columns = (f"{scores.correct:,}", f"{scores.predicted:,}", f"{scores.gold:,}")
                low, high = self.interval("exact" if rule == "exact" else "partial")
                interval = f"{100 * low:.1f} to {100 * high:.1f}"
            yield heading, shown, interval, *columns

    def interval(self, match: Match) -> tuple[float, float]:
        """The 95 % interval of F1 over test sets of this kind."""
        scores = [outcome.correct[match] for outcome in self.scored.outcomes]
        return f1_interval(np.array([[s.correct, s.predicted, s.gold] for s in scores]))

    def as_json(self) -> str:
        """All of it, with the metrics as numbers."""
        content = {
            "dataset": self.dataset.name,
            "task": self.dataset.task,
            "fingerprint": self.dataset.test.fingerprint,
            "file": self.file,
            "form": self.form,
            "match": self.match,
            "matching": self.dataset.matching,
            "brought": self.brought.model_dump(mode="json"),
            "metrics": self.metrics(),
            "f1_interval": {match: self.interval(match) for match in self._rules},
            "test": self.test.model_dump(mode="json"),
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"

    @property
    def _rules(self) -> Sequence[Match]:
        return list(find_task(self.dataset.task).rules)


def score_file(
    dataset: str | Dataset,
    path: Path,
    *,
    match: Match = "partial",
    data_dir: Path | None = None,
    words: str | None = None,
) -> ScoredFile:
    """Scores a file of predictions on the test set of a dataset.

    Args:
        dataset: a name, a folder, or one that is loaded.
        path: of the file, in any of the known forms.
        match: the rule of triples by which slices are told.
        data_dir: where a name is looked up first.
        words: how texts that their files do not split become words.

    Raises:
        SuiteError: the dataset or the file cannot be read, or the two do not belong together.
    """
    loaded = load_dataset(dataset, data_dir, words) if isinstance(dataset, str) else dataset
    file = read_answers(path)
    return ScoredFile(
        loaded, printable(path.name), file.form, match, score(file, gold_of(loaded), match)
    )
