"""Evidence from output folders: the one place that reads predictions for claims."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from reports.evidenced import EvidencedRun
from reports.load import load_results
from reports.run_files import RecordedRun
from suite.errors import SuiteError
from suite.evaluation.judged import judge
from suite.explanation.record import CLASS_MEANS, FOLDER
from suite.files import AGAIN, content_digest, read_lines
from suite.records.evidence import (
    NOT_SEEN,
    SEEN,
    AnsweredSplit,
    Evidence,
    ExplainedClass,
    RunEvidence,
    Triple,
    digest_of,
)
from suite.records.run import DEV_PREDICTIONS, PREDICTIONS, Epoch, RunRecord
from suite.records.suite import SuitePlan
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation
from suite.uncertainty.resampling import Counts

FAMILIES = ("overlap", "count")
"""Of slices, those whose examples evidence tells."""
BY_ITEM = frozenset({"relation", "type"})
"""Families of slices, one for each relation or type, that no claim is told by."""


def collect(out: Path) -> Evidence:
    """The evidence of an output folder.

    Raises:
        SuiteError: there is no plan or no record, or a file of a run is broken.
    """
    results = load_results(out)
    return Evidence(plan=_bare(results.plan), runs=tuple(_of_run(run, out) for run in results.runs))


def _bare(plan: SuitePlan) -> SuitePlan:
    left: dict[str, object] = {"command": (), "options": {}, "kept_once": ()}
    return plan.model_copy(update={**left, "joined": tuple(map(_bare, plan.joined))})


def _of_run(run: RecordedRun, out: Path) -> RunEvidence:
    record, folder = run.record, run.folder
    place = folder.relative_to(out).as_posix()
    if isinstance(run, EvidencedRun):
        return run.held.model_copy(update={"folder": place, "record": record})
    kept = {
        "ceiling": {name: _without_items(found) for name, found in record.ceiling.items()},
        "swapped": None,
        "dev": _without_items(record.dev),
        "test": _without_items(record.test),
    }
    return RunEvidence(
        folder=place,
        digest=content_digest(folder / "record.json"),
        record=record.model_copy(update=kept),
        history=tuple(map(_bare_epoch, run.history)),
        test=_answered(folder / PREDICTIONS, record),
        dev=_answered(folder / DEV_PREDICTIONS, record),
        explained=_explained(folder / FOLDER / CLASS_MEANS),
    )


def _without_items(found: Evaluation | None) -> Evaluation | None:
    if found is None:
        return None
    slices = {name: held for name, held in found.slices.items() if name not in BY_ITEM}
    return found.model_copy(update={"slices": slices})


def _bare_epoch(epoch: Epoch) -> Epoch:
    dev = epoch.dev.model_copy(update={"slices": {}})
    return epoch.model_copy(update={"parts": {}, "measures": {}, "dev": dev})


def _answered(path: Path, record: RunRecord) -> AnsweredSplit | None:
    """How a split was answered; None where that was not kept."""
    if not path.is_file():
        return None
    lines = sorted(read_lines(path, AnsweredExample, "an answered example"), key=lambda o: o.id)
    known: tuple[Match, ...] = ("partial", "exact")
    rules = [match for match in known if all(match in line.correct for line in lines)]
    try:
        return AnsweredSplit(
            examples=digest_of([line.id for line in lines]),
            counts={match: tuple(_counts(line, match) for line in lines) for match in rules},
            by_item=_by_item(lines, record),
            slices=_slices(lines, record),
        )
    except ValueError as error:
        raise SuiteError(str(error), where=path, remedy=AGAIN) from error


def _counts(line: AnsweredExample, match: Match) -> Triple:
    scores = line.correct[match]
    return scores.correct, scores.predicted, scores.gold


def _by_item(lines: Sequence[AnsweredExample], record: RunRecord) -> dict[str, tuple[Triple, ...]]:
    """Counts of items that train has too, and of the others; empty where that is not told."""
    task = find_task(record.dataset.task)
    judged = judge(lines, task, record.dataset.matching, record.protocol.match)
    if judged.by_familiarity is None:
        return {}
    whole, *others = (judged.by_familiarity[name] for name in task.familiarities)
    rest: Counts = np.sum(others, axis=0)
    return {
        name: tuple((int(c), int(p), int(g)) for c, p, g in counts)
        for name, counts in ((SEEN, whole), (NOT_SEEN, rest))
    }


def _slices(
    lines: Sequence[AnsweredExample], record: RunRecord
) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Family -> the slices of each example; empty where the lines do not tell of examples."""
    task = find_task(record.dataset.task)
    rule = task.selection_match(record.protocol.match)
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in lines:
        example = task.example_of(line)
        if example is None:
            return {}
        slices = task.slices_of_example(example, line.correct[rule].gold)
        for family in FAMILIES:
            if family in slices:
                found.setdefault(family, []).append(tuple(slices[family]))
    return {family: tuple(named) for family, named in found.items()}


def _explained(path: Path) -> tuple[ExplainedClass, ...]:
    if not path.is_file():
        return ()
    try:
        frame = pd.read_csv(path, usecols=["measure", "class", "mean"]).dropna()
        rows = frame[["measure", "class", "mean"]].itertuples(index=False)
        return tuple(ExplainedClass(measure=m, word_class=c, mean=float(v)) for m, c, v in rows)
    except (ValueError, OSError) as error:
        raise SuiteError(
            f"holds no means of classes of words: {error}",
            where=path,
            remedy="Run explain-run on the run again.",
        ) from error
