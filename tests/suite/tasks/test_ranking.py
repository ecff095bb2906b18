"""Theta, Ign F1 and AUC against DocRED's public procedure, re-stated fact by fact."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from suite.modelling.fact_scores import facts_from
from suite.tasks.examples import Document, DocumentEntity, Fact, Mention, Span
from suite.tasks.ranking import Ranking, rank
from suite.tasks.registry import find_task
from suite.tasks.scoring import evaluate
from tests.corpus import DOCUMENTS

RELATIONS = ("born in", "lives in", "part of")
IN_TRAIN = frozenset({("Ada", "born in", "London"), ("Alan", "lives in", "Wilmslow")})


def drawn_scores(seed: int, documents: list[Document] = DOCUMENTS) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sizes = (len(d.entities) for d in documents)
    return [torch.rand(n, n, len(RELATIONS), generator=generator) for n in sizes]


def arrays(scores: list[torch.Tensor]) -> list[np.ndarray]:
    """The scores as they are ranked, without torch."""
    return [score.numpy() for score in scores]


def measures(ranking: Ranking, theta: float) -> dict[str, float]:
    """F1, and what the task declares along the ranking."""
    declared = {m.name: m.of_ranking for m in find_task("docre").metrics if m.of_ranking}
    return {"f1": ranking.f1(theta)} | {n: read(ranking, theta) for n, read in declared.items()}


def slow(
    documents: list[Document], scores: list[torch.Tensor], theta: float | None
) -> dict[str, float]:
    """As DocRED's public code walks down the list of scored facts."""
    listed = []
    for document, score in zip(documents, scores, strict=True):
        n = len(document.entities)
        gold = {(f.head, f.relation, f.tail) for f in document.facts}
        for h in range(n):
            for t in range(n):
                for r, relation in enumerate(RELATIONS):
                    if h == t:
                        continue
                    known = any(
                        (
                            " ".join(document.words[a.span.start : a.span.end]),
                            relation,
                            " ".join(document.words[b.span.start : b.span.end]),
                        )
                        in IN_TRAIN
                        for a in document.entities[h].mentions
                        for b in document.entities[t].mentions
                    )
                    listed.append((float(score[h, t, r]), (h, relation, t) in gold, known))
    listed.sort(key=lambda fact: -fact[0])
    total = sum(len(d.facts) for d in documents)
    correct = correct_in_train = 0
    x, y, unseen, f1s, ign_f1s = [], [], [], [], []
    for i, (_, right, known) in enumerate(listed, start=1):
        correct += right
        correct_in_train += right and known
        x.append(correct / total)
        y.append(correct / i)
        left = i - correct_in_train
        unseen.append((correct - correct_in_train) / left if left else 0.0)
        for found, shares in ((f1s, y), (ign_f1s, unseen)):
            p, r = shares[-1], x[-1]
            found.append(2 * p * r / (p + r) if p + r else 0.0)
    if theta is None:
        theta = listed[f1s.index(max(f1s))][0]
    last = max((i for i, fact in enumerate(listed) if fact[0] >= theta), default=None)

    def area(shares: list[float]) -> float:
        steps = zip(x, x[1:], shares, shares[1:], strict=False)
        return sum((b - a) * (p + q) / 2 for a, b, p, q in steps)

    return {
        "theta": theta,
        "f1": 0.0 if last is None else f1s[last],
        "ign_f1": 0.0 if last is None else ign_f1s[last],
        "auc": area(y),
        "ign_auc": area(unseen),
    }


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_the_public_procedure(seed: int) -> None:
    scores = drawn_scores(seed)
    ranking = rank(DOCUMENTS, arrays(scores), RELATIONS, IN_TRAIN)
    assert measures(ranking, ranking.theta()) == pytest.approx(slow(DOCUMENTS, scores, None))
    assert measures(ranking, 0.7) == pytest.approx(slow(DOCUMENTS, scores, 0.7))


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_f1_of_the_ranking_is_that_of_the_predicted_facts(seed: int, theta: float) -> None:
    scores = drawn_scores(seed)
    rows = facts_from(scores, theta, RELATIONS)
    counted = evaluate(DOCUMENTS, rows, "docre", "offsets").exact
    measured = rank(DOCUMENTS, arrays(scores), RELATIONS, IN_TRAIN).f1(theta)
    assert counted.f1 == pytest.approx(measured)


@given(st.integers(0, 10_000))
def test_no_other_theta_gives_a_better_f1(seed: int) -> None:
    ranking = rank(DOCUMENTS, arrays(drawn_scores(seed)), RELATIONS, IN_TRAIN)
    best = ranking.f1(ranking.theta())
    assert all(ranking.f1(float(score)) <= best + 1e-12 for score in ranking.scores)


def test_without_facts_to_rank_nothing_is_predicted() -> None:
    """Documents of no entity or one hold no pair."""
    alone = [d for d in DOCUMENTS if len(d.entities) < 2]
    ranking = rank(alone, arrays(drawn_scores(0, alone)), RELATIONS, IN_TRAIN)
    assert ranking.theta() == 1.0
    assert measures(ranking, 1.0) == {
        "theta": 1.0, "f1": 0.0, "ign_f1": 0.0, "auc": 0.0, "ign_auc": 0.0
    }  # fmt: skip


def test_facts_of_relations_that_train_lacks_count_as_missed() -> None:
    document = Document(
        "d", "d", ("a", "b"), (0,),
        tuple(DocumentEntity(w, "X", (Mention(Span(i, i + 1), 0),)) for i, w in enumerate("ab")),
        (Fact(0, "born in", 1), Fact(0, "unheard of", 1)),
    )  # fmt: skip
    scores = torch.zeros(2, 2, 3)
    scores[0, 1, 0] = 0.9
    ranking = rank([document], arrays([scores]), RELATIONS, frozenset())
    assert ranking.gold == 2
    assert ranking.f1(0.5) == pytest.approx(2 / 3)


def test_perfect_scores_have_an_area_of_all_but_the_first_fact() -> None:
    """The public procedure's curve begins at the first fact, not at recall 0."""
    scores = [torch.zeros(len(d.entities), len(d.entities), 3) for d in DOCUMENTS]
    for document, score in zip(DOCUMENTS, scores, strict=True):
        for fact in document.facts:
            score[fact.head, fact.tail, RELATIONS.index(fact.relation)] = 1.0
    ranking = rank(DOCUMENTS, arrays(scores), RELATIONS, find_task("docre").all_wordings(DOCUMENTS))
    found = measures(ranking, ranking.theta())
    assert found["f1"] == 1.0
    assert found["auc"] == pytest.approx(1 - 1 / ranking.gold)
    assert found["ign_f1"] == 0.0, "all facts are train's"
    assert not math.isnan(found["ign_auc"])
    assert np.all(np.diff(ranking.scores) <= 0)


def official(
    documents: list[Document], train: list[Document], predicted: list[set[tuple[int, str, int]]]
) -> dict[str, float]:
    """The arithmetic of DocRED's public evaluation, re-stated: F1 and Ign F1 of what is predicted.

    Facts of train are told by the names of mentions, whatever their words.
    """
    in_train = {
        (a.name, b.name, fact.relation)
        for d in train
        for fact in d.facts
        for a in d.entities[fact.head].mentions
        for b in d.entities[fact.tail].mentions
    }
    gold = {(d.id, f.head, f.relation, f.tail) for d in documents for f in d.facts}
    correct = correct_in_train = submitted = 0
    for document, row in zip(documents, predicted, strict=True):
        for head, relation, tail in row:
            submitted += 1
            if (document.id, head, relation, tail) not in gold:
                continue
            correct += 1
            names = (
                (a.name, b.name, relation)
                for a in document.entities[head].mentions
                for b in document.entities[tail].mentions
            )
            correct_in_train += any(name in in_train for name in names)
    precision, recall = correct / submitted, correct / len(gold)
    left = submitted - correct_in_train
    ignored = (correct - correct_in_train) / left if left else 0.0
    return {
        name: 2 * p * recall / (p + recall) if p + recall else 0.0
        for name, p in (("f1", precision), ("ign_f1", ignored))
    }


def named(document: Document, seed: int) -> Document:
    """The document with mentions of names that differ from their words, as some of DocRED's do."""
    draws = np.random.default_rng(seed)
    entities = tuple(
        dataclasses.replace(
            entity,
            mentions=tuple(
                m._replace(name=str(draws.choice(["Ada", "London", "Alan", "Wilmslow", "x"])))
                for m in entity.mentions
            ),
        )
        for entity in document.entities
    )
    return dataclasses.replace(document, entities=entities)


@pytest.mark.parametrize("seed", range(8))
def test_figures_are_those_of_the_official_evaluation_to_the_last_digit(seed: int) -> None:
    documents = [named(d, seed + i) for i, d in enumerate(DOCUMENTS)]
    train = [named(d, 100 + seed + i) for i, d in enumerate(DOCUMENTS)]
    scores = drawn_scores(seed, documents)
    task = find_task("docre")
    ranking = rank(documents, arrays(scores), RELATIONS, task.all_wordings(train))
    for theta in (0.1, 0.5, 0.8):
        found = facts_from(scores, theta, RELATIONS)
        predicted = [{p.item[:3] for p in row} for row in found]  # type: ignore[misc]
        expected = official(documents, train, predicted)
        assert ranking.f1(theta) == expected["f1"]
        assert ranking.ign_f1(theta) == expected["ign_f1"]
