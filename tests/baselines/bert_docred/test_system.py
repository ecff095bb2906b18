"""BERT DocRED against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from baselines.bert_docred.entity_pairs import EntityVectors, Pairs
from baselines.bert_docred.system import BertDocRED, BertDocREDGold, training_accuracies
from suite.errors import SuiteError
from suite.modelling import room
from suite.modelling.bioes import TAGS
from suite.modelling.pretrained import PretrainedModel
from suite.systems.contract import System, given, predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Document, Entity, Sentence, Span, Triple
from suite.tasks.registry import find_task
from tests.contract import SystemContract, whole
from tests.corpus import (
    DOCUMENTS,
    FACT_SCHEMA,
    HEAD_IS_TAIL,
    NESTED_HEADS,
    PART,
    SCHEMA,
    SENTENCES,
    WORKS,
    reference,
    resources,
    sentence,
)


class TestOnDocuments(SystemContract):
    system = BertDocRED
    task = "docre"
    pretrained = True


class TestOnSentences(SystemContract):
    system = BertDocRED
    pretrained = True
    lost = NESTED_HEADS | HEAD_IS_TAIL


class TestWithGoldEntities(SystemContract):
    system = BertDocREDGold
    pretrained = True
    lost = HEAD_IS_TAIL


def on_documents(**settings: object) -> System:
    return TestOnDocuments().build(**settings).eval()


def on_sentences(**settings: object) -> System:
    return TestOnSentences().build(**settings).eval()


def with_limit(limit: int, **settings: object) -> System:
    """A system whose encoder reads few subwords; those of the tests' tokenizer are words."""
    found = resources(pretrained=True, examples=DOCUMENTS)
    assert found.pretrained is not None
    subwords = found.pretrained.read()._replace(limit=limit)
    short: PretrainedModel = dataclasses.replace(found.pretrained, read=lambda: subwords)
    torch.manual_seed(1)
    made = make_settings(BertDocRED, settings)
    short_resources = dataclasses.replace(found, pretrained=short)
    return BertDocRED.build(made, FACT_SCHEMA, short_resources).eval()


def cross_entropy(score: float, holds: bool) -> float:
    p = 1 / (1 + math.exp(-score))
    return -math.log(p if holds else 1 - p)


def bucket_of(distance: int) -> int:
    size = 0
    while size < 9 and 2**size <= abs(distance):
        size += 1
    return 9 + (size if distance > 0 else -size)


def slow_scores(
    system: System, words: torch.Tensor, mentions: list[list[Span]]
) -> dict[tuple[int, int], torch.Tensor]:
    """The scores of all classes for each pair of entities, one after another.

    Args:
        system: whose encoder has a subword a word here.
        words: vectors of the example's words.
        mentions: of each entity.
    """
    entities = []
    for spans in mentions:
        of_mentions = [words[start:end].mean(0) for start, end in spans]
        entities.append(system.project(torch.stack(of_mentions).mean(0)))
    first = [min(start for start, _ in spans) for spans in mentions]
    layer, found = system.classifier, {}
    for h in range(len(entities)):
        for t in range(len(entities)):
            if h != t:
                to_head = layer.distances.weight[bucket_of(first[h] - first[t])]
                to_tail = layer.distances.weight[bucket_of(first[t] - first[h])]
                head, tail = torch.cat([entities[h], to_head]), torch.cat([entities[t], to_tail])
                per_class = [
                    head @ layer.weight[:, c] @ tail + layer.bias[c] for c in range(len(layer.bias))
                ]
                found[h, t] = torch.stack(per_class)
    return found


def word_vectors(system: System, examples: list[Document] | list[Sentence]) -> list[torch.Tensor]:
    batch = whole(system, examples)
    assert batch.text.words.values.eq(1).all(), "a subword a word"
    return list(system.encoder(batch.text).split(batch.text.words.lengths.tolist()))


@torch.no_grad()
def test_loss_and_scores_on_documents_are_those_of_the_equations() -> None:
    system = on_documents()
    total = 0.0
    batch = whole(system, DOCUMENTS)
    found = system.fact_scores(batch)
    for document, words, table in zip(
        DOCUMENTS, word_vectors(system, DOCUMENTS), found, strict=True
    ):
        mentions = [[m.span for m in e.mentions] for e in document.entities]
        slow = slow_scores(system, words, mentions)
        in_document = 0.0
        assert table.shape == (len(mentions), len(mentions), len(FACT_SCHEMA.relations))
        assert not table.diagonal().any()
        for (h, t), scores in slow.items():
            gold = {f.relation for f in document.facts if (f.head, f.tail) == (h, t)}
            in_document += cross_entropy(scores[0].item(), not gold)
            for r, relation in enumerate(FACT_SCHEMA.relations):
                in_document += cross_entropy(scores[r + 1].item(), relation in gold)
            torch.testing.assert_close(table[h, t], scores[1:].sigmoid())
        total += in_document / max(1, len(slow))
    assert system.loss(batch).total.item() == pytest.approx(total / len(DOCUMENTS), rel=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("weight", [1.0, 0.25])
def test_loss_on_sentences_is_that_of_the_equations(weight: float) -> None:
    system = on_sentences(entity_weight=weight)
    relation_part = entity_part = 0.0
    for example, words in zip(SENTENCES, word_vectors(system, SENTENCES), strict=True):
        spans = list(dict.fromkeys(e.span for e in example.entities))
        slow = slow_scores(system, words, [[s] for s in spans])
        for (h, t), scores in slow.items():
            pair = (spans[h], spans[t])
            gold = {x.relation for x in example.triples if (x.head, x.tail) == pair}
            relation_part += cross_entropy(scores[0].item(), not gold) / len(slow)
            for r, relation in enumerate(SCHEMA.relations):
                score = scores[r + 1].item()
                relation_part += cross_entropy(score, relation in gold) / len(slow)
        for i, word in enumerate(words):
            tag = "O"
            for start, end in spans:
                if start <= i < end:
                    tag = "S" if end - start == 1 else "B" if i == start else "I"
                    tag = "E" if tag == "I" and i == end - 1 else tag
            entity_part -= system.tagger(word).log_softmax(0)[TAGS.index(tag)].item()
    loss = system.loss(whole(system, SENTENCES))
    count = len(SENTENCES)
    assert loss.parts["relation"].item() == pytest.approx(relation_part / count, rel=1e-4)
    assert loss.parts["entity"].item() == pytest.approx(weight * entity_part / count, rel=1e-4)


def test_training_draws_pairs_and_evaluation_takes_all(monkeypatch: pytest.MonkeyPatch) -> None:
    system = on_documents(negatives=1)
    batch = whole(system, DOCUMENTS)
    counts = []

    def count(_: torch.nn.Module, inputs: tuple[EntityVectors, Pairs]) -> None:
        entities, pairs = inputs
        of_document = torch.bincount(entities.rows[pairs.heads], minlength=len(DOCUMENTS))
        counts.append(of_document.tolist())

    system.classifier.register_forward_pre_hook(count)
    system.loss(batch)
    system.train()
    for changes in ({}, {"max_pairs": 2}, {"negatives": 2}):
        made = make_settings(BertDocRED, {"negatives": 1, **changes})
        monkeypatch.setattr(system, "settings", made)
        system.loss(batch)
    # With a relation: 3 pairs of 12, 1 of 2, 0 of 2; two documents have none at all.
    assert counts == [[12, 2, 2, 0, 0], [6, 2, 1, 0, 0], [2, 2, 1, 0, 0], [9, 2, 2, 0, 0]]


def test_training_accuracies_by_hand() -> None:
    scores = torch.tensor(
        [
            [9.0, 1.0, 2.0],  # NA, and said to be
            [1.0, 9.0, 2.0],  # NA, but not said to be
            [1.0, 9.0, 2.0],  # both relations, the first of them said
            [1.0, 2.0, 9.0],  # the second, said
            [1.0, 9.0, 2.0],  # the second, but the first said
        ]
    )
    gold = torch.tensor([[1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1]]).bool()
    found = {name: share.item() for name, share in training_accuracies(scores, gold).items()}
    assert found == pytest.approx({"na_accuracy": 1 / 2, "non_na_accuracy": 2 / 3, "accuracy": 0.6})
    only_na = training_accuracies(scores[:2], gold[:2])
    assert only_na["non_na_accuracy"].item() == 1, "none was wrong"
    assert training_accuracies(scores[:0], gold[:0])["accuracy"].item() == 1


def test_accuracies_are_in_the_history() -> None:
    loss = on_documents().train().loss(whole(on_documents(), DOCUMENTS))
    assert set(loss.measures) == {"na_accuracy", "non_na_accuracy", "accuracy"}
    assert all(0 <= share <= 1 for share in loss.measures.values())


@pytest.mark.parametrize("documents", [DOCUMENTS[3:], DOCUMENTS[4:], DOCUMENTS[3:4]])
def test_documents_without_pairs_have_a_loss_and_no_facts(documents: list[Document]) -> None:
    system = on_documents().train()
    batch = whole(system, documents)
    loss = system.loss(batch).total
    loss.backward()
    assert loss.item() == 0
    assert [tuple(t.shape) for t in system.eval().fact_scores(batch)] == [
        (len(d.entities), len(d.entities), 3) for d in documents
    ]
    assert predict(system, batch) == [[] for _ in documents]


def test_an_entity_beyond_the_cut_is_in_no_fact() -> None:
    """The encoder reads 12 words: England is never read, Alan's and Wilmslow's are."""
    cut = with_limit(14, long="cut")
    batch = whole(cut, DOCUMENTS)
    table = cut.fact_scores(batch)[0]
    assert not table[3].any()
    assert not table[:, 3].any()
    assert (table[:3, :3][~torch.eye(3, dtype=torch.bool)] > 0).all()
    cut.decide_at(1e-6)
    assert all(3 not in (p.item.head, p.item.tail) for p in predict(cut, batch)[0])
    best = {p.item for p in cut.ceiling(batch)[0]}
    assert best == {f for f in DOCUMENTS[0].facts if f.relation != PART}
    cut.train().loss(batch).total.backward()
    whole_text = with_limit(14, stride=4)
    assert {p.item for p in whole_text.ceiling(whole(whole_text, DOCUMENTS))[0]} == set(
        DOCUMENTS[0].facts
    )
    assert whole_text.fact_scores(whole(whole_text, DOCUMENTS))[0][3, :3].all()


def test_theta_decides() -> None:
    system = on_documents()
    batch = whole(system, DOCUMENTS)
    scores = sorted((p.score for row in all_of(system, batch) for p in row), reverse=True)
    assert len(scores) == (12 + 2 + 2) * 3
    system.decide_at(scores[9])
    found = [p.score for row in predict(system, batch) for p in row]
    assert sorted(found, reverse=True) == scores[:10]


def all_of(system: System, batch: object) -> list[list[object]]:
    system.decide_at(1e-9)
    return predict(system, batch)


@pytest.mark.parametrize("kind", [TestOnSentences, TestWithGoldEntities])
def test_theta_for_triples_is_where_f1_over_dev_is_best(kind: type[SystemContract]) -> None:
    """Against F1 at every thousandth, where noise has put right and wrong triples in a row."""
    system = kind().fitted()
    torch.manual_seed(0)
    weight = system.classifier.weight.data
    weight.add_(torch.randn(weight.shape) * 0.15).mul_(0.3)
    batches = [whole(system, SENTENCES[:3]), whole(system, SENTENCES[3:])]
    missed = Triple(Span(0, 1), WORKS, Span(1, 2))  # not found, but it counts
    more = dataclasses.replace(SENTENCES[0], triples=(*SENTENCES[0].triples, missed))
    dev = [more, *SENTENCES[1:]]
    gold = [set(find_task("triples").gold(s)) for s in dev]
    scored = [row for batch in batches for row in all_of(system, batch)]

    def f1(theta: float) -> float:
        found = [{p.item for p in row if p.score >= theta} for row in scored]
        correct = sum(len(f & g) for f, g in zip(found, gold, strict=True))
        return 2 * correct / (sum(map(len, found)) + sum(map(len, gold)))

    thetas = [torch.tensor(i / 1000).item() for i in range(1, 1000)]
    best = max(thetas, key=lambda theta: (f1(theta), theta))
    assert f1(thetas[0]) < f1(best) > f1(thetas[-1])
    system.calibrate(batches, reference(dev))
    assert system.theta.item() == best
    again = [{p.item for p in row} for batch in batches for row in predict(system, batch)]
    assert again == [{p.item for p in row if p.score >= best} for row in scored]


@torch.no_grad()
def test_a_triple_that_scores_theta_is_predicted() -> None:
    system = TestWithGoldEntities().build().eval()
    for parameter in system.classifier.parameters():
        parameter.zero_()  # so that every triple scores a half, which is one of the thresholds
    batch = whole(system, SENTENCES[:2])
    system.decide_at(0.9)
    system.calibrate([batch], reference(SENTENCES[:2]))
    assert system.theta.item() == 0.5
    assert [len(row) for row in predict(system, batch)] == [2 * len(SCHEMA.relations)] * 2


@torch.no_grad()
def test_theta_stays_in_the_middle_where_nothing_is_right() -> None:
    system = on_sentences()
    system.decide_at(0.9)
    batch = whole(system, SENTENCES)
    system.calibrate([batch], reference([s.bare() for s in SENTENCES]))
    assert system.theta.item() == 0.5


def test_entities_that_overlap_cannot_both_be_found() -> None:
    """One tag per word: the longer is kept, and triples of the other lie above the ceiling."""
    placed = sentence(
        "overlap",
        "New York City lies in New York .",
        ("New York City", PART, "New York"),
    )
    head, tail = Span(0, 3), Span(0, 2)
    assert placed.triples == (Triple(head, PART, tail),), "New York first occurs within the city"
    for system, expected in (
        (on_sentences(), set()),
        (TestWithGoldEntities().build(), set(placed.triples)),
    ):
        rows = system.ceiling(whole(system, [placed]))
        assert {p.item for p in rows[0]} == expected


def test_spans_of_two_types_are_one_entity() -> None:
    twice = dataclasses.replace(
        SENTENCES[0], entities=(*SENTENCES[0].entities, Entity(Span(0, 2), "LOC"))
    )
    system = TestWithGoldEntities().build().eval()
    batch = whole(system, [twice])
    assert batch.gold.entities.lengths.tolist() == [2]
    assert [len(row) for row in all_of(system, batch)] == [2 * len(SCHEMA.relations)]


def test_gold_entities_are_no_part_of_what_the_system_itself_is_given() -> None:
    assert given(BertDocRED, SENTENCES[0]).entities == ()
    bare = given(BertDocREDGold, SENTENCES[0])
    assert bare == Sentence("one", SENTENCES[0].words, entities=SENTENCES[0].entities)
    assert BertDocREDGold.upper_bound
    assert BertDocRED.upper_bound is None


def test_many_entities_are_scored_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    system = on_documents()
    batch = whole(system, DOCUMENTS)
    together = system.fact_scores(batch)
    monkeypatch.setattr(room, "NUMBERS_IN_MEMORY", 1)
    for one, other in zip(system.fact_scores(batch), together, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"negatives": 0}, "negatives 0 is less than 1"),
        ({"stride": 0}, "stride 0 is less than 1"),
        ({"dropout": 1.0}, r"dropout 1.0 lies outside \[0, 1\)"),
        ({"entity_weight": 0.0}, "entity_weight 0.0 is not above 0"),
        ({"long": "wrapped"}, "'windows' or 'cut'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        make_settings(BertDocRED, settings)
