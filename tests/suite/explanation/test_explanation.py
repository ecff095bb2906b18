"""Gradient norms against finite differences, attention against its output, classes of words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch

from suite.errors import SuiteError
from suite.explanation.predicates import Parsed, find_tagged_parser, path_between, predicate_words
from suite.explanation.record import GRADIENT_NORM, ExplainedSentence, class_means
from suite.explanation.word_classes import word_classes
from suite.fastre.settings import FastRESettings
from suite.fastre.system import FastRE
from suite.modelling.cascade import Targets
from suite.modelling.gradients import Explanation, gradient_norms
from suite.modelling.layers import SelfAttention, word_mask
from suite.tasks.examples import Entity, Sentence, Span, Triple
from tests.contract import whole
from tests.corpus import BORN, LIVES, SCHEMA, SENTENCES, resources

BY_ID = {sentence.id: sentence for sentence in SENTENCES}
STEP = 1e-2
"""Of finite differences in float32: losses are known to about 1e-5."""
NEAR = {"rtol": 1e-4, "atol": 1e-5}
"""One sentence is convolved by another kernel than several."""


def fastre(**changes: object) -> FastRE:
    """A small FastRE in evaluation mode, dropout as ever, the public code's setting as well."""
    small = {"width": 32, "attention_heads": 4, "type_width": 8}
    torch.manual_seed(1)
    made = FastRESettings(**{**small, **changes})
    return FastRE.build(made, SCHEMA, resources(pretrained=False)).eval()


def alone(system: FastRE, sentence: Sentence) -> Explanation:
    return system.explain(whole(system, [sentence]))


@pytest.mark.parametrize("name", ["chain", "none"])
def test_gradient_norms_are_those_of_finite_differences(name: str) -> None:
    """Each number of a word's row of the table is moved; no word of these occurs twice."""
    system, sentence = fastre(), BY_ID[name]
    batch = whole(system, [sentence])
    rows = batch.text.words.values.tolist()
    assert len(set(rows)) == len(sentence.words)
    norms = system.explain(batch).gradient_norms[0]
    table = system.encoder.words.table.data

    def loss(row: int, dimension: int, by: float) -> float:
        table[row, dimension] += by
        with torch.no_grad():
            value = system.loss(batch).total.item()
        table[row, dimension] -= by
        return value

    for word in (0, len(rows) - 1):
        slopes = [
            (loss(rows[word], d, STEP) - loss(rows[word], d, -STEP)) / (2 * STEP)
            for d in range(table.shape[1])
        ]
        assert float(norms[word]) == pytest.approx(math.hypot(*slopes), rel=0.03), word


def assert_as_alone(sentences: Sequence[Sentence]) -> None:
    """Each sentence of a batch has the norms and the maps that it has by itself."""
    system = fastre()
    together = system.explain(whole(system, sentences))
    for row, sentence in enumerate(sentences):
        words, own = len(sentence.words), alone(system, sentence)
        norms = together.gradient_norms[row]
        assert bool((norms[:words] > 0).all()), "every word is seen by some tag"
        assert not bool(norms[words:].any()), "padding has no part in the loss"
        torch.testing.assert_close(norms[:words], own.gradient_norms[0], **NEAR)
        for tagger, padded in together.attention.items():
            weights = padded[row, :, :words, :words]
            torch.testing.assert_close(weights, own.attention[tagger][0], **NEAR)


def test_norms_do_not_depend_on_neighbours() -> None:
    same_length = [BY_ID["chain"], BY_ID["same pair"]]
    assert len({len(sentence.words) for sentence in same_length}) == 1
    assert_as_alone(same_length)
    assert_as_alone(same_length[::-1])


def test_norms_of_sentences_without_triples_do_not_depend_on_padding() -> None:
    assert_as_alone([BY_ID["none"], BY_ID["short"]])


def test_norms_do_not_depend_on_padding() -> None:
    assert_as_alone(SENTENCES[::-1])


def test_all_gold_heads_count_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step trains on one that is drawn as well."""
    drawn: list[int] = []

    def noted(targets: Targets, sentences: int) -> Targets:
        drawn.append(sentences)
        return targets

    monkeypatch.setattr(Targets, "draw_one", noted)
    one, every = fastre(heads_per_step="one"), fastre()
    batch = whole(one, SENTENCES)
    assert torch.equal(one.explain(batch).gradient_norms, every.explain(batch).gradient_norms)
    assert not drawn
    one.train().loss(batch)
    assert drawn == [len(SENTENCES)]


def test_explaining_leaves_no_trace() -> None:
    system = fastre()
    batch = whole(system, SENTENCES)
    before = system.loss(batch).total
    system.explain(batch)
    with pytest.raises(KeyError):
        gradient_norms(system.encoder.words, lambda: {}["no loss"])
    assert not system.encoder.words._forward_hooks
    assert all(parameter.grad is None for parameter in system.parameters())
    assert torch.equal(system.loss(batch).total, before)


def test_frozen_vectors_have_norms_too() -> None:
    trained, frozen = fastre(), fastre()
    frozen.encoder.words.table.requires_grad_(False)
    batch = whole(trained, SENTENCES)
    expected = trained.explain(batch).gradient_norms
    assert torch.equal(frozen.explain(batch).gradient_norms, expected)


@pytest.mark.parametrize("lengths", [[7, 7], [7, 4]])
def test_weights_sum_to_one_and_make_the_output(lengths: list[int]) -> None:
    torch.manual_seed(0)
    layer, x = SelfAttention(24, 4), torch.randn(2, 7, 24)
    mask = word_mask(torch.tensor(lengths), 7)
    weights = layer.weights(x, mask)
    torch.testing.assert_close(weights.sum(3), torch.ones(2, 4, 7))
    for row, words in enumerate(lengths):
        assert bool((weights[row, :, :, :words] > 0).all())
        assert not bool(weights[row, :, :, words:].any())
    value = layer.project(x)[..., 48:].view(2, 7, 4, 6).transpose(1, 2)
    output = (weights @ value).transpose(1, 2).reshape(2, 7, 24)
    torch.testing.assert_close(output, layer(x, mask))


def test_attention_is_that_of_the_taggers() -> None:
    """Each map makes the output of its own layer from its values."""
    system = fastre()
    batch = whole(system, SENTENCES)
    h = system.encoder(batch.text)
    mask = batch.text.words.mask()
    layers = {"head tagger": system.head_attention, "tail tagger": system.tail_attention}
    weights = system.explain(batch).attention
    assert weights.keys() == layers.keys()
    for name, layer in layers.items():
        width = h.shape[2]
        value = layer.project(h)[..., 2 * width :].unflatten(2, (layer.heads, -1)).transpose(1, 2)
        output = (weights[name] @ value).transpose(1, 2).flatten(2)
        torch.testing.assert_close(output, layer(h, mask))


def split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MAYOR = Sentence(
    "mayor",
    split("The young mayor of New York City , Bill Smith , was n't born in -LRB- Oslo -RRB- ."),
    (Triple(Span(8, 10), "leads", Span(4, 7)), Triple(Span(8, 10), BORN, Span(16, 17))),
    (Entity(Span(4, 7), "LOC"), Entity(Span(8, 10), "PER"), Entity(Span(16, 17), "LOC")),
)
"""`mayor` stands between Smith and City, `was born in` between Smith and Oslo."""
MAYOR_HEADS = [2, 2, 13, 6, 6, 6, 2, 2, 9, 2, 2, 13, 13, 13, 16, 16, 13, 16, 13]
MAYOR_TAGS = list(split("DT JJ NN IN NNP NNP NNP , NNP NNP , VBD RB VBN IN -LRB- NNP -RRB- ."))


def test_classes_of_a_sentence_by_hand() -> None:
    predicates = predicate_words(MAYOR, Parsed(MAYOR_HEADS, MAYOR_TAGS))
    assert {MAYOR.words[i] for i in predicates} == {"mayor", "born"}
    classes = word_classes(MAYOR, predicates)
    by_class: dict[str, list[str]] = {}
    for word, kind in zip(MAYOR.words, classes, strict=True):
        by_class.setdefault(kind, []).append(word)
    assert by_class == {
        "function word": ["The", "of", "was", "n't", "in"],
        "other": ["young"],
        "predicate": ["mayor", "born"],
        "entity boundary": ["New", "City", "Bill", "Smith", "Oslo"],
        "entity inside": ["York"],
        "punctuation": [",", ",", "-LRB-", "-RRB-", "."],
    }
    assert "predicate" not in word_classes(MAYOR, frozenset())


def test_entities_function_words_and_brackets_are_no_predicates() -> None:
    classes = word_classes(MAYOR, frozenset(range(len(MAYOR.words))))
    assert [w for w, kind in zip(MAYOR.words, classes, strict=True) if kind == "predicate"] == [
        "young",
        "mayor",
        "born",
    ]


def test_paths_in_a_tree() -> None:
    assert path_between(MAYOR_HEADS, Span(8, 10), Span(4, 7)) == [9, 2, 6]
    assert path_between(MAYOR_HEADS, Span(8, 10), Span(16, 17)) == [9, 2, 13, 16]
    assert path_between(MAYOR_HEADS, Span(4, 5), Span(5, 6)) == [4, 6, 5]
    assert path_between(MAYOR_HEADS, Span(4, 7), Span(5, 6)) == [5], "one lies in the other"
    forest = [0, 0, 2, 2]
    assert path_between(forest, Span(0, 2), Span(2, 4)) == []
    assert path_between(forest, Span(0, 3), Span(3, 4)) == [2, 3]


@pytest.mark.parametrize(
    ("tag", "taken"),
    [("VBZ", True), ("NN", True), ("NNS", True), ("NN_POS", True), ("JJR", True), ("", True),
     ("NNP", False), ("NNPS", False), ("RB", False), ("IN", False), ("CD", False)],
)  # fmt: skip
def test_tags_of_predicates(tag: str, taken: bool) -> None:
    sentence = Sentence("s", ("a", "w", "b"), (Triple(Span(0, 1), LIVES, Span(2, 3)),))
    found = predicate_words(sentence, Parsed([1, 1, 1], ["NNP", tag, "NNP"]))
    assert found == (frozenset({1}) if taken else frozenset())


def test_a_real_pipeline_gives_trees_and_tags(parser_folder: Path) -> None:
    parser = find_tagged_parser(str(parser_folder))
    assert parser is not None
    assert parser.tagged
    assert "verb, an adjective or a common noun" in parser.rule
    assert "en_ewt 1.0.0" in parser.rule
    words = split("Ada wrote the first program in London .")
    triple = Triple(Span(0, 1), BORN, Span(6, 7))
    ada, london = Entity(Span(0, 1), "PER"), Entity(Span(6, 7), "LOC")
    (parsed,) = parser.parse([words])
    assert parsed.tags[1] == "VBD"
    sentence = Sentence("s", words, (triple,), (ada, london))
    classes = word_classes(sentence, predicate_words(sentence, parsed))
    assert [w for w, kind in zip(words, classes, strict=True) if kind == "predicate"] == ["wrote"]


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pipeline with a fresh parser, and a tagger of the given labels."""

    def write(*labels: str) -> Path:
        made = spacy.blank("en")
        made.add_pipe("parser").add_label("LABEL")
        if labels:
            tagger = made.add_pipe("tagger")
            for label in labels:
                tagger.add_label(label)
        made.initialize()
        made.to_disk(tmp_path / "pipeline")
        return tmp_path / "pipeline"

    return write


@pytest.mark.parametrize(
    ("labels", "tagged"),
    [((), False), (("NOM", "VER"), False), (("NN", "NNP", "VB", "JJ", "IN"), True)],
)
def test_only_a_tagger_of_known_tags_is_asked(
    pipeline: Callable[..., Path], labels: tuple[str, ...], tagged: bool
) -> None:
    parser = find_tagged_parser(str(pipeline(*labels)))
    assert parser is not None
    assert parser.tagged == tagged
    assert ("has no tagger" in parser.rule) != tagged
    (parsed,) = parser.parse([["Oslo", " ", "grew"]])
    assert len(parsed.heads) == len(parsed.tags) == 3
    assert all(bool(tag) == tagged for tag in parsed.tags)


def test_no_parser_and_one_that_is_not_there(tmp_path: Path) -> None:
    assert find_tagged_parser("chain") is None
    with pytest.raises(SuiteError, match="neither installed nor a folder"):
        find_tagged_parser(str(tmp_path / "no-pipeline"))


def explained(norms: list[float], entity: int, *, tagger: bool = False) -> ExplainedSentence:
    """A sentence whose word `entity` is an entity; the rest are others."""
    words = tuple(f"w{i}" for i in range(len(norms)))
    sentence = Sentence("s", words, entities=(Entity(Span(entity, entity + 1), "PER"),))
    values = np.asarray(norms, dtype=float)
    received = {"head tagger": values[::-1].copy()} if tagger else {}
    return ExplainedSentence(sentence, word_classes(sentence, frozenset()), values, received, {})


def test_class_means_by_hand() -> None:
    """Means are over words, whatever the scale of a sentence's loss."""
    found = {
        (m.measure, m.word_class): m
        for m in class_means(
            [explained([3, 1], 0, tagger=True), explained([10, 10, 40], 2, tagger=True)]
        )
    }
    boundary = found[GRADIENT_NORM, "entity boundary"]
    assert boundary.mean == pytest.approx((1.5 + 2) / 2)
    assert (boundary.words, boundary.sentences) == (2, 2)
    assert (boundary.low, boundary.high) == (1.5, 2), "both sentences may be drawn twice"
    other = found[GRADIENT_NORM, "other"]
    assert other.mean == pytest.approx((0.5 + 0.5 + 0.5) / 3)
    received = found["attention of the head tagger", "entity boundary"]
    assert received.mean == pytest.approx((0.5 + 0.5) / 2)
    none = found[GRADIENT_NORM, "predicate"]
    assert none == (GRADIENT_NORM, "predicate", None, None, None, 0, 0)


def test_no_interval_from_one_sentence_and_no_mean_of_a_flat_one() -> None:
    flat = explained([0, 0, 0], 1)
    found = {m.word_class: m for m in class_means([flat, explained([3, 1], 0)])}
    boundary = found["entity boundary"]
    assert (boundary.mean, boundary.low, boundary.sentences) == (1.5, None, 1)
    assert class_means([]) == []


def test_the_interval_is_that_of_a_mean_over_sentences() -> None:
    """With one word of the class in each sentence, the bootstrap comes near the normal one."""
    draws = np.random.default_rng(5).uniform(0.2, 1.8, 200)
    sentences = [explained([x, 2 - x], 0) for x in draws]
    (boundary,) = (m for m in class_means(sentences) if m.word_class == "entity boundary")
    half = 1.96 * draws.std() / math.sqrt(len(draws))
    assert boundary.mean == pytest.approx(draws.mean())
    assert boundary.low == pytest.approx(draws.mean() - half, abs=0.1 * half)
    assert boundary.high == pytest.approx(draws.mean() + half, abs=0.1 * half)
    again = class_means(sentences)
    assert boundary in again, "equal seeds give equal results"
