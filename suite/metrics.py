"""Match rules, scores, and scores by slice, for the task `triples`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from typing import Literal

from suite.examples import Sentence, SurfaceTriple, Triple
from suite.overlap import overlap_patterns
from suite.protocol import Match
from suite.records import Evaluation, Outcome, Scores
from suite.system import Prediction

Matching = Literal["offsets", "surface"]
MATCHES: tuple[Match, ...] = ("partial", "exact")
LENGTHS = ((20, "1 to 20 words"), (40, "21 to 40"), (60, "41 to 60"))


def surface(words: Sequence[str], triple: Triple | SurfaceTriple) -> SurfaceTriple:
    """The triple in words."""
    if isinstance(triple, SurfaceTriple):
        return triple
    head, relation, tail = triple
    return SurfaceTriple(
        " ".join(words[head.start : head.end]), relation, " ".join(words[tail.start : tail.end])
    )


def all_gold(sentence: Sentence) -> list[Triple | SurfaceTriple]:
    """The gold triples, those without a place last."""
    return [*sentence.triples, *sentence.unplaced]


def surfaces(sentences: Iterable[Sentence]) -> set[SurfaceTriple]:
    """All gold triples of a split, in words."""
    return {surface(s.words, triple) for s in sentences for triple in all_gold(s)}


def key(
    words: Sequence[str], triple: Triple | SurfaceTriple, matching: Matching, match: Match
) -> Hashable:
    """What two triples of a sentence have in common where they count as the same.

    Args:
        words: the sentence's.
        triple: gold or predicted.
        matching: `offsets`: a span is its place; `surface`: a span is its words, as CasRel and
            FastRE compare, for data whose gold has no offsets.
        match: `exact`: relation and both spans; `partial`: relation and the first word of both.
    """
    if matching == "surface" or isinstance(triple, SurfaceTriple):
        head, relation, tail = surface(words, triple)
        if match == "partial":
            head, tail = head.split(" ", 1)[0], tail.split(" ", 1)[0]
        return head, relation, tail
    if match == "partial":
        return triple.head.start, triple.relation, triple.tail.start
    return triple


@dataclass(frozen=True)
class _Judged:
    """One sentence under one match rule: keys to triples, duplicates collapsed."""

    gold: dict[Hashable, Triple | SurfaceTriple]
    predicted: dict[Hashable, Triple]

    @property
    def scores(self) -> Scores:
        correct = len(self.gold.keys() & self.predicted.keys())
        return Scores(correct=correct, predicted=len(self.predicted), gold=len(self.gold))


def _judge(
    sentence: Sentence, predictions: Sequence[Prediction], matching: Matching, match: Match
) -> _Judged:
    def keyed(triples: Iterable[Triple | SurfaceTriple]) -> dict[Hashable, Triple | SurfaceTriple]:
        return {key(sentence.words, t, matching, match): t for t in triples}

    predicted = {
        key(sentence.words, p.item, matching, match): p.item
        for p in predictions
        if isinstance(p.item, Triple)
    }
    return _Judged(keyed(all_gold(sentence)), predicted)


def total(scores: Iterable[Scores]) -> Scores:
    """Micro sums."""
    correct = predicted = gold = 0
    for s in scores:
        correct, predicted, gold = correct + s.correct, predicted + s.predicted, gold + s.gold
    return Scores(correct=correct, predicted=predicted, gold=gold)


def evaluate(
    sentences: Sequence[Sentence],
    predictions: Sequence[Sequence[Prediction]],
    matching: Matching,
) -> Evaluation:
    """Both match rules over a whole split; gold beyond the protocol's cut counts as missed.

    Args:
        sentences: uncut.
        predictions: of each sentence, in the same order.
        matching: what a span is compared by.
    """
    by_match = {
        match: total(
            _judge(s, p, matching, match).scores
            for s, p in zip(sentences, predictions, strict=True)
        )
        for match in MATCHES
    }
    return Evaluation(partial=by_match["partial"], exact=by_match["exact"])


def evaluate_in_slices(
    sentences: Sequence[Sentence],
    predictions: Sequence[Sequence[Prediction]],
    matching: Matching,
    match: Match,
    in_train: AbstractSet[SurfaceTriple],
) -> tuple[Evaluation, list[Outcome]]:
    """As `evaluate`, with slices under one match rule, and the outcome of each sentence.

    Slices of sentences: overlap pattern (a sentence may show both EPO and SEO), number of gold
    triples, length. Slices of triples: relation, and whether the triple's words stand as a triple
    in train.
    """
    parts: dict[str, defaultdict[str, list[Scores]]] = defaultdict(lambda: defaultdict(list))
    outcomes = []
    for sentence, predicted in zip(sentences, predictions, strict=True):
        judged = {m: _judge(sentence, predicted, matching, m) for m in MATCHES}
        outcomes.append(_outcome(sentence, predicted, {m: j.scores for m, j in judged.items()}))
        chosen = judged[match]
        for pattern in sorted(overlap_patterns(sentence)):
            parts["overlap"][pattern].append(chosen.scores)
        parts["count"][_count_slice(len(chosen.gold))].append(chosen.scores)
        parts["length"][_length_slice(len(sentence.words))].append(chosen.scores)
        for name, scores in _split(chosen, lambda t: t.relation).items():
            parts["relation"][name].append(scores)
        seen = partial(_seen_slice, sentence.words, in_train)
        for name, scores in _split(chosen, seen).items():
            parts["seen"][name].append(scores)
    slices = {
        family: {name: total(scores) for name, scores in sorted(named.items())}
        for family, named in parts.items()
    }
    whole = evaluate(sentences, predictions, matching)
    return whole.model_copy(update={"slices": slices}), outcomes


def _split(judged: _Judged, slice_of: Callable[[Triple | SurfaceTriple], str]) -> dict[str, Scores]:
    """One sentence's scores by a property of the triples; gold and predicted split alike."""
    gold = {k: slice_of(t) for k, t in judged.gold.items()}
    # A prediction that is right belongs where its gold triple does, whatever its own words are.
    predicted = {k: gold.get(k) or slice_of(t) for k, t in judged.predicted.items()}
    in_gold, in_predicted = Counter(gold.values()), Counter(predicted.values())
    correct = Counter(name for k, name in predicted.items() if k in gold)
    return {
        name: Scores(correct=correct[name], predicted=in_predicted[name], gold=in_gold[name])
        for name in sorted(in_gold.keys() | in_predicted.keys())
    }


def _seen_slice(
    words: Sequence[str], in_train: AbstractSet[SurfaceTriple], triple: Triple | SurfaceTriple
) -> str:
    return "seen" if surface(words, triple) in in_train else "not seen"


def _count_slice(triples: int) -> str:
    return "5 or more" if triples >= 5 else str(triples)


def _length_slice(words: int) -> str:
    return next((name for limit, name in LENGTHS if words <= limit), "over 60")


def _outcome(
    sentence: Sentence, predictions: Sequence[Prediction], scores: Mapping[Match, Scores]
) -> Outcome:
    def shown(triple: Triple | SurfaceTriple) -> list[object]:
        words = surface(sentence.words, triple)
        if isinstance(triple, SurfaceTriple):
            return list(words)
        return [*words, list(triple.head), list(triple.tail)]

    return Outcome(
        id=sentence.id,
        text=" ".join(sentence.words),
        gold=[shown(t) for t in all_gold(sentence)],
        predicted=[
            [*shown(p.item), round(p.score, 6)] for p in predictions if isinstance(p.item, Triple)
        ],
        correct=dict(scores),
    )
