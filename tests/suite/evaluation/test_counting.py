"""Counts under every convention: by hand, against the suite's own scores, and slow statements."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from suite.datasets import load_dataset
from suite.evaluation.counting import by_familiarity, count, graded
from suite.evaluation.judged import counting, judge
from suite.tasks.conventions import CUT, Convention
from suite.tasks.examples import Example, Sentence, Span, SurfaceTriple, TaskName, Triple
from suite.tasks.items import Prediction
from suite.tasks.matching import Match, Matching
from suite.tasks.registry import find_task
from suite.tasks.scores import AnsweredExample
from suite.tasks.scoring import evaluate_in_slices, total
from suite.tasks.scoring import graded as graded_in_all
from tests.corpus import CORPUS, LIVES, PART, sentence
from tests.given_runs import with_mistakes

TRIPLES = find_task("triples")


def answered(
    examples: list[Example],
    predictions: list[list[Prediction]],
    task: TaskName = "triples",
    matching: Matching = "offsets",
    match: Match = "partial",
) -> list[AnsweredExample]:
    known = find_task(task).known(CORPUS[task][1])
    return evaluate_in_slices(examples, predictions, task, matching, match, frozenset(), known)[1]


def convention(name: str, matching: Matching = "offsets") -> Convention:
    (found,) = [c for c in TRIPLES.conventions("partial", matching) if c.name == name]
    return found


def mixed(task: TaskName, seed: int) -> tuple[list[Example], list[list[Prediction]]]:
    """Examples of the corpus, each answered by some of its gold and some of the others'."""
    random = Random(seed)
    examples = list(CORPUS[task][1])
    judging = find_task(task)
    items = [item for e in examples for item in judging.gold(e)]
    rows = []
    for example in examples:
        gold = judging.gold(example)
        fit = [i for i in items if task != "docre" or max(i.head, i.tail) < len(example.entities)]
        if task != "docre":
            fit = [i for i in fit if _ends(i) <= len(example.words)]
        row = random.sample(gold, random.randint(0, len(gold)))
        row += random.sample(fit, min(len(fit), 2))
        rows.append([Prediction(item, random.random()) for item in row])
    return examples, rows


def _ends(item: object) -> int:
    spans = [part for part in item if isinstance(part, Span)]  # type: ignore[attr-defined]
    return max(span.end for span in spans)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("matching", ["offsets", "surface"])
@pytest.mark.parametrize("match", ["partial", "exact"])
@pytest.mark.parametrize("task", list(CORPUS))
def test_ours_is_what_was_scored(
    task: TaskName, match: Match, matching: Matching, seed: int
) -> None:
    examples, rows = mixed(task, seed)
    judging = find_task(task)
    rule = judging.selection_match(match)
    lines = answered(examples, rows, task, matching, match)
    judged = judge(lines, judging, matching, match)
    ours = judging.conventions(rule, matching)[0]
    for line, counts in zip(lines, judged.by_convention[ours.name], strict=True):
        scores = line.correct[rule]
        assert counts.tolist() == [scores.correct, scores.predicted, scores.gold]
    expected = graded_in_all(examples, rows, task, matching, match)
    found = zip(judged.graded.score, judged.graded.right, strict=True)
    assert [(pytest.approx(s, abs=1e-6), r) for s, r in expected] == sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", list(CORPUS))
def test_bins_sum_to_the_whole(task: TaskName, seed: int) -> None:
    examples, rows = mixed(task, seed)
    judging = find_task(task)
    ours = judging.conventions(judging.selection_match("partial"), "offsets")[0]
    for line in answered(examples, rows, task):
        bins = by_familiarity(line, ours)
        assert bins.keys() <= set(judging.familiarities)
        assert tuple(map(sum, zip(*bins.values(), strict=True))) in (count(line, ours), ())
        gold = {ours.key(item) for item in map(_shown, line.gold)}
        assert sum(row[2] for row in bins.values()) == len(gold)


def _shown(row: list[object]) -> object:
    from suite.tasks.shown import read_shown

    return read_shown(row)


LONG = sentence(
    "long",
    f"Ada Lovelace lives in Rome {'and ' * CUT}then lives in New York .",
    ("Ada Lovelace", LIVES, "Rome"),
    ("Ada Lovelace", LIVES, "New York"),
)


def test_conventions_by_hand() -> None:
    """One right, one with a wrong end, one with a wrong start, and gold that cannot be found."""
    place = SurfaceTriple("Ada", LIVES, "Paris")
    ada, rome, york = Span(0, 2), Span(4, 5), LONG.triples[1].tail
    example = Sentence(
        "a", LONG.words, LONG.triples, LONG.entities, (place,), (LONG.triples[0], place)
    )
    predicted = [
        Triple(ada, LIVES, rome),
        Triple(Span(0, 1), LIVES, york),
        Triple(Span(1, 2), LIVES, york),
        Triple(Span(0, 3), PART, rome),
    ]
    (line,) = answered([example], [[Prediction(t, 0.5) for t in predicted]])
    expected = {
        "as here: partial/offsets": (2, 4, 3),
        "first word, by words": (2, 4, 3),
        "first word, by place": (2, 4, 3),
        "last word, by words": (2, 4, 3),  # "Lovelace" is the last word, and the wrong start's
        "whole span, by words": (1, 4, 3),
        "whole span, by place": (1, 4, 3),
        "repeated gold counts each time": (2, 4, 5),
        f"what lies beyond {CUT} words left out": (1, 2, 2),
        "gold that is not in the text left out": (2, 4, 2),
        "sentences with gold that is not in the text left out": (0, 0, 0),
    }
    found = {c.name: count(line, c) for c in counting(TRIPLES.conventions("partial", "offsets"))}
    assert found == expected


def test_predictions_of_one_key_count_once() -> None:
    two = [Triple(Span(0, 2), LIVES, Span(4, 5)), Triple(Span(0, 1), LIVES, Span(4, 5))]
    (line,) = answered([LONG], [[Prediction(two[0], 0.25), Prediction(two[1], 0.75)]])
    assert count(line, convention("first word, by place")) == (1, 1, 2)
    assert count(line, convention("whole span, by place")) == (1, 2, 2)
    assert graded(line, convention("first word, by place")) == [(0.25, True)]


def test_a_right_prediction_is_where_its_gold_is() -> None:
    train = [sentence("t", "Ada Lovelace lives in London .", ("Ada Lovelace", LIVES, "London"))]
    test = sentence("e", "Ada Lovelace lives in London .", ("Ada Lovelace", LIVES, "London"))
    found = [
        Prediction(Triple(Span(0, 1), LIVES, Span(4, 5)), 0.5),
        Prediction(Triple(Span(4, 5), LIVES, Span(0, 1)), 0.5),
    ]
    known = TRIPLES.known(train)
    (line,) = evaluate_in_slices(
        [test], [found], "triples", "offsets", "partial", frozenset(), known
    )[1]
    assert line.known_predicted == ["one entity", "one entity"]
    ours = convention("as here: partial/offsets")
    assert by_familiarity(line, ours) == {"triple": (1, 1, 1), "one entity": (0, 1, 0)}


@pytest.mark.parametrize("name", ["webnlg", "nyt10"])
def test_on_real_data_ours_is_what_was_scored(shared_data: Path, name: str) -> None:
    dataset = load_dataset(name, shared_data)
    examples, rows = dataset.test.examples[:400], with_mistakes(dataset)[:400]
    evaluation, lines = evaluate_in_slices(
        examples,
        rows,
        dataset.task,
        dataset.matching,
        "partial",
        dataset.wordings_in_train,
        dataset.known_in_train,
    )
    task = find_task(dataset.task)
    judged = judge(lines, task, dataset.matching, "partial")
    ours = task.conventions("partial", dataset.matching)[0].name
    assert judged.by_convention[ours].sum(0).tolist() == [
        evaluation.partial.correct,
        evaluation.partial.predicted,
        evaluation.partial.gold,
    ]
    assert judged.by_familiarity is not None
    whole = sum(counts for counts in judged.by_familiarity.values())
    assert (whole == judged.by_convention[ours]).all()
    seen = judged.by_familiarity["triple"].sum(0)
    scores = evaluation.slices["seen"]["seen"]
    assert seen[2] == scores.gold, "the slice of seen items is the first bin"
    exact = total(line.correct["exact"] for line in lines)
    words = judged.by_convention["whole span, by words"].sum(0).tolist()
    assert words == [exact.correct, exact.predicted, exact.gold]
