"""Scores of a file of predictions, by the rules by which every run here is scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from suite.errors import SuiteError
from suite.names import printable
from suite.outside.answers import Answer, AnswersFile
from suite.outside.fitting import Fitted, fit
from suite.outside.gold import Gold
from suite.records.outside import BroughtIn
from suite.tasks.claims import Claim, WrongClaimError, occurrences
from suite.tasks.examples import Example
from suite.tasks.items import Item, Prediction, has_place, label_of
from suite.tasks.matching import Match
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample, Evaluation
from suite.tasks.scoring import evaluate, evaluate_in_slices

SHOWN_LABELS = 5
SHOWN_LETTERS = 80
"""Of the text of an example that a message names."""


@dataclass(frozen=True)
class Scored:
    """A file of predictions, scored on one test set.

    Attributes:
        brought: how its records fit the test examples.
        evaluation: with slices; without that of seen items where train is not here.
        outcomes: of each test example, as lines of `predictions.jsonl`.
    """

    brought: BroughtIn
    evaluation: Evaluation
    outcomes: list[AnsweredExample]


def score(file: AnswersFile, gold: Gold, match: Match) -> Scored:
    """Scores a file; an example without a record counts as answered by nothing.

    Args:
        file: of predictions.
        gold: what they are held against.
        match: the protocol's rule, under which slices are told.

    Raises:
        SuiteError: the test set has no labels, no record is about one of its examples, or a record
            names what its example cannot have.
    """
    if not gold.labelled:
        raise SuiteError(
            f"the test set of {gold.name} has no labels here: nothing can be scored on it",
            where=file.path,
            remedy="Score it on a dataset whose test set is labelled.",
        )
    fitted = fit(file.answers, gold.examples)
    if not fitted.any:
        raise _no_example(file, gold)
    predictions = [
        _predictions(file, answer, example, gold)
        for answer, example in zip(fitted.answers, gold.examples, strict=True)
    ]
    other = _other_gold(file, fitted, gold)
    task = find_task(gold.task)
    in_train = gold.in_train if gold.in_train is not None else frozenset()
    evaluation, outcomes = evaluate_in_slices(
        gold.examples, predictions, gold.task, gold.matching, match, in_train, gold.known
    )
    measures = {}
    slices = evaluation.slices
    if gold.in_train is None:
        slices = {family: named for family, named in slices.items() if family != "seen"}
    else:
        measures = task.measures_of(gold.examples, predictions, gold.in_train)
    brought = _brought(file, fitted, gold, predictions, other)
    if brought.ambiguous:
        by_words = evaluate(gold.examples, predictions, gold.task, "surface")
        brought = brought.model_copy(update={"by_words": task.selected(by_words, match)})
    return Scored(
        brought,
        evaluation.model_copy(update={"slices": slices, "measures": measures}),
        outcomes,
    )


def examples_met(file: AnswersFile, gold: Gold) -> int:
    """How many test examples a file may be about; 0 where its items are of another task."""
    pairs = zip(fit(file.answers, gold.examples).answers, gold.examples, strict=True)
    met = [(answer, example) for answer, example in pairs if answer is not None]
    first = next(((answer, example) for answer, example in met if answer.claims), None)
    if first is not None:
        try:
            _items(first[0].claims, first[1], gold)
        except WrongClaimError:
            return 0
    return len(met)


def _no_example(file: AnswersFile, gold: Gold) -> SuiteError:
    first = file.answers[0]
    return SuiteError(
        f"none of its {len(file.answers):,} records is about a test example of {gold.name}; the "
        f"first is about {_cut(first.named)!r}",
        where=file.path,
        remedy=f"Give each record the id of its example, as {gold.examples[0].id!r}, or the text "
        "as the test file has it; or name the dataset that it is of.",
    )


def _predictions(
    file: AnswersFile, answer: Answer | None, example: Example, gold: Gold
) -> list[Prediction]:
    """The items of an answer, at their places in the example."""
    if answer is None:
        return []
    _check_words(file, answer, example)
    try:
        items = _items(answer.claims, example, gold)
    except WrongClaimError as error:
        remedy = "docs/outside.md tells what each task takes."
        raise file.error(answer, str(error), remedy) from error
    return [Prediction(item, claim.score) for item, claim in zip(items, answer.claims, strict=True)]


def _items(claims: Iterable[Claim], example: Example, gold: Gold) -> list[Item]:
    task = find_task(gold.task)
    named: Counter[tuple[object, ...]] = Counter()
    found = []
    for claim in claims:
        key = claim.label, claim.ends
        found.append(task.item_of(example, claim, named[key]))
        named[key] += 1
    return found


def _by_words(claim: Claim) -> bool:
    return any(isinstance(end, str) for end in claim.ends)


def _check_words(file: AnswersFile, answer: Answer, example: Example) -> None:
    """Places count the words of the example: the record must have the same, if it has any."""
    if all(_by_words(claim) for claim in answer.claims):
        return
    if answer.words is not None:
        same = answer.words == example.words
    else:
        same = answer.text is None or " ".join(answer.text.split()) == " ".join(
            " ".join(example.words).split()
        )
    if not same:
        own = answer.words or tuple((answer.text or "").split())
        pairs = zip(own, example.words, strict=False)
        first = next(((a, b) for a, b in pairs if a != b), (len(own), len(example.words)))
        raise file.error(
            answer,
            f"its words are not those of {example.id!r}, which places count: {first[0]!r} where "
            f"that has {first[1]!r}",
            "Give the words of the test file as they are, or items by their words.",
        )


def _other_gold(file: AnswersFile, fitted: Fitted, gold: Gold) -> int:
    """How many records hold another gold than their example.

    Raises:
        SuiteError: most do: they are of another dataset, or of another form of this one.
    """
    held = [
        (answer, example)
        for answer, example in zip(fitted.answers, gold.examples, strict=True)
        if answer is not None and answer.gold is not None
    ]
    other = [(a, e) for a, e in held if not _same_gold(a.gold or (), e, gold)]
    if 2 * len(other) > len(held):
        answer, example = other[0]
        theirs = "; ".join(_worded(claim) for claim in answer.gold or ()) or "nothing"
        task = find_task(gold.task)
        wordings = [min(task.wordings(example, item)) for item in task.gold(example)]
        ours = "; ".join(" ".join(wording) for wording in wordings) or "nothing"
        raise file.error(
            answer,
            f"in {len(other):,} of {len(held):,} records the file's own gold is not that of "
            f"{gold.name}: here it is {_cut(theirs)!r}, there {_cut(ours)!r}",
            "Score it on the dataset that it was made on; one whose entities are named by their "
            "last words is another dataset than one of whole names (webnlg-star, webnlg).",
        )
    return len(other)


def _same_gold(claims: Sequence[Claim], example: Example, gold: Gold) -> bool:
    task = find_task(gold.task)
    try:
        theirs = _items(claims, example, gold)
    except WrongClaimError:
        return False

    def worded(items: Iterable[Item]) -> set[object]:
        return {frozenset(task.wordings(example, item)) for item in items}

    return worded(theirs) == worded(task.gold(example))


def _worded(claim: Claim) -> str:
    return " ".join(map(str, (claim.ends[0], claim.label, *claim.ends[1:])))


def _brought(
    file: AnswersFile,
    fitted: Fitted,
    gold: Gold,
    predictions: Sequence[Sequence[Prediction]],
    other: int,
) -> BroughtIn:
    items = [p.item for row in predictions for p in row]
    strange = Counter(label_of(item) for item in items)
    for label in gold.labels:
        strange.pop(label, None)
    pairs = zip(fitted.answers, gold.examples, strict=True)
    absent = [example.id for answer, example in pairs if answer is None]
    samples = {
        "missing": absent[:1],
        "doubled": [f"{a.place}: {a.named}" for a in fitted.doubled[:1]],
        "unknown": [f"{a.place}: {a.named}" for a in fitted.unknown[:1]],
    }
    return BroughtIn(
        examples=len(gold.examples),
        records=len(file.answers),
        missing=len(absent),
        silent=file.silent,
        doubled=len(fitted.doubled),
        unknown=len(fitted.unknown),
        items=len(items),
        unplaced=sum(not has_place(item) for item in items),
        ambiguous=_ambiguous(fitted, gold),
        strange={_cut(label): count for label, count in strange.most_common(SHOWN_LABELS)},
        strange_items=strange.total(),
        other_gold=other,
        samples={kind: _cut(named[0]) for kind, named in samples.items() if named},
    )


def _ambiguous(fitted: Fitted, gold: Gold) -> int:
    """Items given by words that stand in several places, where places are compared."""
    if gold.matching != "offsets" or find_task(gold.task).entities_given:
        return 0
    return sum(
        any(isinstance(end, str) and len(occurrences(example.words, end)) > 1 for end in claim.ends)
        for answer, example in zip(fitted.answers, gold.examples, strict=True)
        if answer is not None
        for claim in answer.claims
    )


def _cut(text: str) -> str:
    """The beginning of a text of the file, as messages and reports may print it."""
    shown = printable(text)
    return shown if len(shown) <= SHOWN_LETTERS else f"{shown[:SHOWN_LETTERS]}..."
