"""Scores of a split under both match rules, by slice, and example by example, for every task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from suite.tasks.examples import Document, Entity, Example, Fact, Sentence, SurfaceTriple, Task
from suite.tasks.items import Item, Prediction
from suite.tasks.matching import (
    Match,
    Matching,
    Wording,
    gold_items,
    in_words,
    key,
    nested,
    selection_match,
    surface,
    wordings,
)
from suite.tasks.overlap import overlap_patterns
from suite.tasks.scores import AnsweredExample, Evaluation, Scores

MATCHES: tuple[Match, ...] = ("partial", "exact")
LENGTHS = ((20, "1 to 20 words"), (40, "21 to 40"), (60, "41 to 60"))


@dataclass(frozen=True)
class _Judged:
    """One example under one match rule: keys to items, duplicates collapsed."""

    gold: dict[Hashable, Item]
    predicted: dict[Hashable, Item]

    @property
    def scores(self) -> Scores:
        correct = len(self.gold.keys() & self.predicted.keys())
        return Scores(correct=correct, predicted=len(self.predicted), gold=len(self.gold))


def _judge(
    example: Example, task: Task, predicted: Sequence[Prediction], matching: Matching, match: Match
) -> _Judged:
    def keyed(items: Iterable[Item]) -> dict[Hashable, Item]:
        return {key(example, item, matching, match): item for item in items}

    return _Judged(keyed(gold_items(example, task)), keyed(p.item for p in predicted))


def total(scores: Iterable[Scores]) -> Scores:
    """Micro sums."""
    correct = predicted = gold = 0
    for s in scores:
        correct, predicted, gold = correct + s.correct, predicted + s.predicted, gold + s.gold
    return Scores(correct=correct, predicted=predicted, gold=gold)


def evaluate(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Prediction]],
    task: Task,
    matching: Matching,
) -> Evaluation:
    """Both match rules over a whole split; gold beyond the protocol's cut counts as missed.

    Args:
        examples: uncut.
        predictions: of each example, in the same order.
        task: the dataset's.
        matching: what a span is compared by.
    """
    by_match = {
        match: total(
            _judge(e, task, p, matching, match).scores
            for e, p in zip(examples, predictions, strict=True)
        )
        for match in MATCHES
    }
    return Evaluation(partial=by_match["partial"], exact=by_match["exact"])


def evaluate_in_slices(
    examples: Sequence[Example],
    predictions: Sequence[Sequence[Prediction]],
    task: Task,
    matching: Matching,
    match: Match,
    in_train: frozenset[Wording],
) -> tuple[Evaluation, list[AnsweredExample]]:
    """As `evaluate`, with slices under one match rule, and the outcome of each example.

    Slices of sentences: length; for triples also overlap pattern (a sentence may show both EPO and
    SEO) and number of gold triples. Slices of items: whether train has them too, in words; relation
    or type; of entities, whether they share words with another; of facts, whether a sentence
    mentions both entities.

    Args:
        examples: uncut.
        predictions: of each example, in the same order.
        task: the dataset's.
        matching: what a span is compared by.
        match: the protocol's rule, under which slices of triples are scored.
        in_train: what counts as seen.
    """
    rule = selection_match(task, match)
    parts: dict[str, defaultdict[str, list[Scores]]] = defaultdict(lambda: defaultdict(list))
    outcomes = []
    for example, predicted in zip(examples, predictions, strict=True):
        judged = {m: _judge(example, task, predicted, matching, m) for m in MATCHES}
        outcomes.append(_outcome(example, task, predicted, judged))
        chosen = judged[rule]
        for family, names in _slices_of_example(example, task, len(chosen.gold)).items():
            for name in names:
                parts[family][name].append(chosen.scores)
        seen = partial(_seen_slice, example, in_train)
        by_item: dict[str, Callable[[Any], str]] = {"seen": seen}
        for family, slice_of in (by_item | _slices_of_items(example, task)).items():
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


def _slices_of_example(example: Example, task: Task, gold: int) -> dict[str, list[str]]:
    if isinstance(example, Document):
        return {}
    slices = {"length": [_length_slice(len(example.words))]}
    if task == "triples":
        slices["overlap"] = sorted(overlap_patterns(example))
        slices["count"] = ["5 or more" if gold >= 5 else str(gold)]
    return slices


def _slices_of_items(example: Example, task: Task) -> dict[str, Callable[[Any], str]]:
    if isinstance(example, Document):
        return {"relation": _relation, "distance": partial(_distance_slice, example)}
    if task == "ner":
        return {"type": lambda entity: entity.type, "nested": partial(_nested_slice, example)}
    return {"relation": _relation}


def _relation(item: Any) -> str:
    name: str = item.relation
    return name


def _seen_slice(example: Example, in_train: frozenset[Wording], item: Item) -> str:
    return "not seen" if in_train.isdisjoint(wordings(example, item)) else "seen"


def _length_slice(words: int) -> str:
    return next((name for limit, name in LENGTHS if words <= limit), "over 60")


def _nested_slice(sentence: Sentence, entity: Entity) -> str:
    return "nested" if nested(sentence, entity) else "flat"


def _distance_slice(document: Document, fact: Fact) -> str:
    head, tail = (
        {mention.sentence for mention in document.entities[i].mentions}
        for i in (fact.head, fact.tail)
    )
    return "across sentences" if head.isdisjoint(tail) else "in a sentence"


def _outcome(
    example: Example,
    task: Task,
    predictions: Sequence[Prediction],
    judged: Mapping[Match, _Judged],
) -> AnsweredExample:
    return AnsweredExample(
        id=example.id,
        text=" ".join(example.words),
        gold=[_shown(example, item) for item in gold_items(example, task)],
        predicted=[[*_shown(example, p.item), round(p.score, 6)] for p in predictions],
        correct={match: j.scores for match, j in judged.items()},
    )


def _shown(example: Example, item: Item) -> list[object]:
    """An item as `AnsweredExample` holds it."""
    if isinstance(item, Fact):
        assert isinstance(example, Document)
        head, tail = example.entities[item.head], example.entities[item.tail]
        return [head.name, item.relation, tail.name, item.head, item.tail]
    if isinstance(item, Entity):
        return [in_words(example.words, item.span), item.type, list(item.span)]
    if isinstance(item, SurfaceTriple):
        return list(item)
    return [*surface(example.words, item), list(item.head), list(item.tail)]
