"""Explains a finished run: gradient norms and attention over its test split."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import cast

from jaxtyping import Float, Int
from torch import Tensor

from reports.explain.report import write_explanation
from runners.options.commands import ExplainOptions
from runners.runs.inference import load_system
from runners.runs.plan import RunPlan, read_run_plan
from runners.runs.workbench import Workbench, dataset_facts
from suite.errors import SuiteError
from suite.explanation.predicates import find_tagged_parser, predicate_words
from suite.explanation.record import FOLDER, ExplainedRun, ExplainedSentence
from suite.explanation.word_classes import word_classes
from suite.modelling.gradients import Explanation
from suite.records.run import RunRecord, read_record
from suite.systems.capabilities import Explains
from suite.systems.contract import System
from suite.systems.registry import find_system
from suite.tasks.examples import Sentence
from suite.tasks.registry import find_task

BATCH = 32
"""Sentences whose gradients are held at once."""


def explain(options: ExplainOptions) -> Path:
    """Computes and writes the explanation of a run.

    Returns:
        The path of `explain.md`.

    Raises:
        SuiteError: the folder holds no complete run, its system cannot be explained, its data or
            weights have changed, a sentence or the parser is unknown, or nothing can be written.
    """
    plan, record = _read(options.folder)
    parser = find_tagged_parser(options.parser)
    bench = Workbench(plan)
    _check_unchanged(bench, record)
    system = load_system(options.folder, bench)
    sentences = cast(list[Sentence], bench.examples(bench.dataset.test))
    drawn = _chosen(options, sentences)
    predicates = [frozenset[int]()] * len(sentences)
    if parser is not None:
        parsed = parser.parse([s.words for s in sentences])
        predicates = [predicate_words(s, p) for s, p in zip(sentences, parsed, strict=True)]
    explained = explain_all(system, sentences, predicates, set(drawn))
    by_id = {e.sentence.id: e for e in explained}
    run = ExplainedRun(
        record=record,
        sentences=explained,
        drawn=[by_id[name] for name in drawn],
        predicates=None if parser is None else parser.rule,
        notes=_notes(options, drawn),
    )
    return write_explanation(run, options.out or options.folder / FOLDER, heads=options.heads)


def explain_all(
    system: System,
    sentences: Sequence[Sentence],
    predicates: Sequence[AbstractSet[int]],
    drawn: AbstractSet[str],
) -> list[ExplainedSentence]:
    """Explains sentences; in float32, whatever the run was trained in.

    Only sentences of one length share a batch: without padding no system can make anything of it.

    Args:
        system: with the selected weights, on its device.
        sentences: as the system sees them.
        predicates: candidates among the words of each.
        drawn: ids of those whose maps are kept.
    """
    assert isinstance(system, Explains)
    system.eval()
    device = next(system.parameters()).device
    encoded = system.encode(sentences)
    held = encoded.to(device)
    found: dict[int, ExplainedSentence] = {}
    for rows in _of_one_length(encoded.lengths):
        explanation = system.explain(held.select(rows.to(device)))
        for row, i in enumerate(rows.tolist()):
            classes = word_classes(sentences[i], predicates[i])
            norms, weights = _of_row(explanation, row, len(classes))
            found[i] = ExplainedSentence(
                sentences[i],
                classes,
                norms.numpy(),
                {name: map_.mean((0, 1)).numpy() for name, map_ in weights.items()},
                {name: map_.numpy() for name, map_ in weights.items() if sentences[i].id in drawn},
            )
    return [found[i] for i in range(len(sentences))]


def _of_one_length(lengths: Int[Tensor, " sentences"]) -> Iterator[Int[Tensor, " batch"]]:
    for length in lengths.unique():
        yield from (lengths == length).nonzero().squeeze(1).split(BATCH)


def _of_row(
    explanation: Explanation, row: int, words: int
) -> tuple[Float[Tensor, " N"], Mapping[str, Float[Tensor, "H N N"]]]:
    """One sentence's norms and maps without padding."""
    attention = explanation.attention.items()
    maps = {name: weights[row, :, :words, :words].cpu() for name, weights in attention}
    return explanation.gradient_norms[row, :words].cpu(), maps


def _read(folder: Path) -> tuple[RunPlan, RunRecord]:
    """The plan and the record of a complete run of a system that can be explained."""
    for name in ("run.json", "record.json"):
        if not (folder / name).is_file():
            raise SuiteError(
                f"holds no run: there is no {name}",
                where=folder,
                remedy="Name a folder OUT/runs/SYSTEM/DATASET/SEED of a run-suite command.",
            )
    plan = read_run_plan(folder)
    record = read_record(folder / "record.json")
    if record.status != "complete":
        raise SuiteError(
            f"the run is not complete: {record.status}, {record.failure}",
            where=folder,
            remedy="The command that began it goes on with it.",
        )
    explained = find_task(record.dataset.task).explained
    if not (explained and issubclass(find_system(plan.system), Explains)):
        raise SuiteError(
            f"{record.system.title} on {record.dataset.title} cannot be explained",
            where=folder,
            remedy="A system for triples can that has the method explain, as FastRE has.",
        )
    return plan, record


def _check_unchanged(bench: Workbench, record: RunRecord) -> None:
    """Refuses data that are not the run's; all else is in its model."""
    if dataset_facts(bench.dataset).fingerprints != record.dataset.fingerprints:
        raise SuiteError(
            "what is here now is not what the run was trained on",
            where=bench.plan.dataset,
            remedy="Put that back, or delete the run's folder and run the suite again.",
        )


def _chosen(options: ExplainOptions, sentences: Sequence[Sentence]) -> list[str]:
    """The ids of the sentences that are drawn."""
    if not options.sentence:
        fitting = (s.id for s in sentences if s.triples and len(s.words) <= options.max_length)
        return [name for _, name in zip(range(options.count), fitting, strict=False)]
    known = [s.id for s in sentences]
    for name in options.sentence:
        if name not in known:
            (near,) = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise SuiteError(
                f"unknown test sentence {name!r}",
                remedy=f"Did you mean {near!r}? Ids are those of the run's predictions.jsonl.",
            )
    return list(dict.fromkeys(options.sentence))


def _notes(options: ExplainOptions, drawn: Sequence[str]) -> tuple[str, ...]:
    if options.sentence or len(drawn) == options.count:
        return ()
    return (
        f"{len(drawn)} of {options.count} sentences are drawn: no other one of at most "
        f"{options.max_length} words holds a gold triple.",
    )
