"""Scores of a split under both match rules, by slice, and example by example, for every task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suite.tasks.examples import Example, TaskName
from suite.tasks.familiarity import Known
from suite.tasks.items import Item, Prediction
from suite.tasks.matching import Match, Matching, Wording
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation, Scores
from suite.tasks.task import Task

MATCHES: tuple[Match, ...] = ("partial", "exact")


@dataclass(frozen=True)
class _Judged:
    """One example under one match rule: key -> the first item that has it."""

    gold: dict[Hashable, Item]
    predicted: dict[Hashable, Item]

    @property
    def scores(self) -> Scores:
        correct = len(self.gold.keys() & self.predicted.keys())
        return Scores(correct=correct, predicted=len(self.predicted), gold=len(self.gold))


def _judge(
    example: Example,
    task: Task[Any, Any],
    predicted: Sequence[Prediction],
    matching: Matching,
    match: Match,
) -> _Judged:
    def keyed(items: Iterable[Item]) -> dict[Hashable, Item]:
        found: dict[Hashable, Item] = {}
        for item in items:
            found.setdefault(task.key(example, item, matching, match), item)
        return found

    return _Judged(keyed(task.gold(example)), keyed(p.item for p in predicted))


def total(scores: Iterable[Scores]) -> Scores:
    """Micro sums."""
    correct = predicted = gold = 0
    for s in scores:
        correct, predicted, gold = correct + s.correct, predicted + s.predicted, gold + s.gold
    return Scores(correct=correct, predicted=predicted, gold=gold)


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Prediction]],
    task: TaskName,
    matching: Matching,
) -> Evaluation:
    """Both match rules over a whole split; gold beyond the protocol's cut counts as missed.

    Args:
        examples: uncut.
        predictions: of each example, in the same order.
        task: the dataset's.
        matching: what a span is compared by.
    """
    judging = find_task(task)
    by_match = {
        match: total(
            _judge(e, judging, p, matching, match).scores
            for e, p in zip(examples, predictions, strict=True)
        )
        for match in MATCHES
    }
    return Evaluation(partial=by_match["partial"], exact=by_match["exact"])


def evaluate_in_slices(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Prediction]],
    task: TaskName,
    matching: Matching,
    match: Match,
    in_train: frozenset[Wording],
    known: Known | None = None,
) -> tuple[Evaluation, list[AnsweredExample]]:
    """As `evaluate`, with slices under one match rule, and the outcome of each example.

    Slices are the task's own (`Task.slices_of_example`, `Task.slices_of_items`), and of every task,
    whether train has an item too, in words.

    Args:
        examples: uncut.
        predictions: of each example, in the same order.
        task: the dataset's.
        matching: what a span is compared by.
        match: the protocol's rule, under which slices of triples are scored.
        in_train: what counts as seen.
        known: what train knew of items, told of each; None where it is not at hand.
    """
    judging = find_task(task)
    rule = judging.selection_match(match)
    parts: dict[str, defaultdict[str, list[Scores]]] = defaultdict(lambda: defaultdict(list))
    outcomes = []
    for example, predicted in zip(examples, predictions, strict=True):
        judged = {m: _judge(example, judging, predicted, matching, m) for m in MATCHES}
        outcomes.append(_answered(example, judging, predicted, judged, known))
        chosen = judged[rule]
        for family, names in judging.slices_of_example(example, len(chosen.gold)).items():
            for name in names:
                parts[family][name].append(chosen.scores)
        by_item = {"seen": _by_seen(judging, example, in_train)}
        for family, slice_of in (by_item | judging.slices_of_items(example)).items():
            for name, scores in _split(chosen, slice_of).items():
                parts[family][name].append(scores)
    slices = {
        family: {name: total(scores) for name, scores in sorted(named.items())}
        for family, named in parts.items()
    }
    whole = evaluate(examples, predictions, task, matching)
    return whole.model_copy(update={"slices": slices}), outcomes


def _split(judged: _Judged, slice_of: Callable[[Any], str]) -> dict[str, Scores]:
    """One example's scores by a property of the items; gold and predicted split alike."""
    gold = {k: slice_of(item) for k, item in judged.gold.items()}
    # A prediction that is right belongs where its gold item does, whatever its own words are.
    predicted = {k: gold.get(k) or slice_of(item) for k, item in judged.predicted.items()}
    in_gold, in_predicted = Counter(gold.values()), Counter(predicted.values())
    correct = Counter(name for k, name in predicted.items() if k in gold)
    return {
        name: Scores(correct=correct[name], predicted=in_predicted[name], gold=in_gold[name])
        for name in sorted(in_gold.keys() | in_predicted.keys())
    }


def _by_seen(
    task: Task[Any, Any], example: Example, in_train: frozenset[Wording]
) -> Callable[[Any], str]:
    return lambda item: "seen" if task.is_seen(example, item, in_train) else "not seen"


def _answered(
    example: Example,
    task: Task[Any, Any],
    predictions: Sequence[Prediction],
    judged: Mapping[Match, _Judged],
    known: Known | None,
) -> AnsweredExample:
    def familiar(items: Iterable[Item]) -> list[str]:
        return [] if known is None else [task.familiarity(example, i, known) for i in items]

    return AnsweredExample(
        id=example.id,
        text=" ".join(example.words),
        gold=[task.shown(example, item) for item in task.gold(example)],
        predicted=[[*task.shown(example, p.item), round(p.score, 6)] for p in predictions],
        correct={match: j.scores for match, j in judged.items()},
        repeats=[task.shown(example, item) for item in task.repeats(example)],
        known_gold=familiar(task.gold(example)),
        known_predicted=familiar(p.item for p in predictions),
    )


def graded(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Prediction]],
    task: TaskName,
    matching: Matching,
    match: Match,
) -> list[tuple[float, bool]]:
    """The score of every prediction of a split, and whether it is right; highest score first.

    Of predictions that count as the same, the first one stands.

    Args:
        examples: uncut.
        predictions: of each example, in the same order.
        task: the dataset's.
        matching: what a span is compared by.
        match: the protocol's rule.
    """
    judging = find_task(task)
    rule = judging.selection_match(match)
    found: list[tuple[float, bool]] = []
    for example, predicted in zip(examples, predictions, strict=True):
        gold = {judging.key(example, item, matching, rule) for item in judging.gold(example)}
        scores: dict[Hashable, float] = {}
        for item, score in predicted:
            scores.setdefault(judging.key(example, item, matching, rule), score)
        found += [(score, key in gold) for key, score in scores.items()]
    return sorted(found, reverse=True)
