"""PRGC against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.prgc.system import PRGC
from suite.errors import SuiteError
from suite.modelling import room
from suite.protocol import Protocol
from suite.systems.contract import predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.schema import Schema
from tests.baselines.checks import ceiling_of, check_losses, train_all
from tests.contract import SystemContract, whole
from tests.corpus import BORN, LIVES, NESTED_HEADS, SCHEMA, SENTENCES, sentence
from tests.memory import memory_of_a_step

ABLATIONS: dict[str, dict[str, Any]] = {
    "PRGC": {},
    "every relation": {"judge_relations": False},
    "start and end": {"tagging": "ends"},
    "nearest neighbour": {"pairing": "nearest"},
    "sum": {"fusion": "sum"},
    "as printed": {"fusion": "sum", "hidden_share": 0.0},
    "maximum": {"pooling": "max", "hidden_share": 0.25},
    "first word": {"pooling": "first", "relation_weight": 2.0, "tag_weight": 0.5},
}
"""Those of Table 7, and the other forms of classifiers."""
LINKED = sentence(
    "linked by another relation",
    "Ada and Kurt know Leeds and Bath .",
    ("Ada", LIVES, "Leeds"),
    ("Ada", BORN, "Bath"),
    ("Kurt", BORN, "Leeds"),
)
"""Ada is a subject of `born in`, Leeds its object, and the two are linked by another relation."""


class TestPRGC(SystemContract):
    system = PRGC
    settings = {"encoder": "lstm", "lstm_width": 64, "lstm_dropout": 0.0, "dropout": 0.0}
    lost = NESTED_HEADS
    steps = 150
    learning_rate = 8e-3


class TestPRGCOnTransformer(SystemContract):
    system = PRGC
    settings = {"dropout": 0.0}
    pretrained = True
    lost = NESTED_HEADS
    steps = 70
    learning_rate = 2e-3


def small(schema: Schema | None = None, **settings: Any) -> Any:
    return TestPRGC().build(schema, **{"lstm_width": 8, **settings}).eval()


def binary(score: float, right: bool) -> float:
    """Cross entropy of a score under a sigmoid."""
    return math.log1p(math.exp(-score if right else score))


def classified(layers: list[nn.Linear], *parts: Tensor) -> list[float]:
    """A classifier's scores of what it reads, concatenated."""
    x = torch.cat(parts)
    *hidden, last = layers
    for layer in hidden:
        x = (layer.weight @ x + layer.bias).relu()
    return (last.weight @ x + last.bias).tolist()


def joined(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    """The one layer on a concatenation that two layers stand for."""
    layer = nn.Linear(2 * first.in_features, first.out_features)
    layer.weight.data = torch.cat([first.weight, second.weight], 1)
    layer.bias.data = first.bias
    return layer


def role(layer: nn.Linear, which: int) -> nn.Linear:
    """The subjects' half (0) or the objects' (1) of a layer's outputs."""
    part = nn.Linear(layer.in_features, layer.out_features // 2)
    part.weight.data = layer.weight.chunk(2)[which]
    part.bias.data = layer.bias.chunk(2)[which]
    return part


def slow_tags(system: PRGC, word: Tensor, relation: int, which: int) -> list[float]:
    """Equation 2 of one word under one relation."""
    tagger, u = system.tagger, system.tagger.relations.weight[relation]
    last = [tagger.scores[which]] if len(tagger.scores) else []
    if tagger.kinds is None:
        return classified([role(tagger.words, which), *last], word + u)
    return classified([role(joined(tagger.words, tagger.kinds), which), *last], word, u)


def slow_tag_loss(system: PRGC, s: Sentence, h: Tensor, relation: int, which: int) -> float:
    """A mean over the words of a sentence in one role under one relation."""
    name, total = SCHEMA.relations[relation], 0.0
    spans = [t.head if which == 0 else t.tail for t in s.triples if t.relation == name]
    for i, word in enumerate(h):
        scores = slow_tags(system, word, relation, which)
        if system.settings.tagging == "ends":
            first, last = (i in {a for a, _ in spans}), (i + 1 in {b for _, b in spans})
            total += (binary(scores[0], first) + binary(scores[1], last)) / 2
        else:
            tag = next((1 if i == a else 2 for a, b in spans if a <= i < b), 0)
            total -= math.log(torch.tensor(scores).softmax(0)[tag].item())
    return total / len(h)


def slow_loss(system: PRGC, s: Sentence, h: Tensor) -> dict[str, float]:
    """The losses of one sentence, tag by tag and pair by pair."""
    settings, found = system.settings, {}
    own = {t.relation for t in s.triples}
    held = [i for i, name in enumerate(SCHEMA.relations) if name in own]
    if system.judge is not None:
        pooled = {"mean": h.mean(0), "max": h.amax(0), "first": h[0]}[settings.pooling]
        layers = [*filter(None, [system.judge.hidden]), system.judge.scores]
        scores = classified(layers, pooled)
        relations = [binary(x, i in held) for i, x in enumerate(scores)]
        found["relation"] = settings.relation_weight * sum(relations) / len(relations)
    else:
        absent = [i for i in range(len(SCHEMA.relations)) if i not in held]
        held += absent[: settings.negative_relations]
    rows = [slow_tag_loss(system, s, h, i, which) for i in held for which in (0, 1)]
    found["tags"] = settings.tag_weight * sum(rows) / max(1, len(rows))
    if system.correspondence is not None:
        part = system.correspondence
        linked = {(t.head.start, t.tail.start) for t in s.triples}
        layers = [joined(part.subjects, part.objects), *filter(None, [part.scores])]
        places = list(itertools.product(range(len(h)), repeat=2))
        costs = [binary(classified(layers, h[i], h[j])[0], (i, j) in linked) for i, j in places]
        found["links"] = settings.link_weight * sum(costs) / len(places)
    return found


@pytest.mark.parametrize("name", ABLATIONS)
def test_loss_is_that_of_the_papers_equations(name: str) -> None:
    check_losses(small(**ABLATIONS[name]), SENTENCES, slow_loss)


@pytest.mark.parametrize("name", ABLATIONS)
def test_ablations_train_all_that_they_have(name: str) -> None:
    train_all(small(**ABLATIONS[name]).train(), SENTENCES, 2e-2, to=0.85)


def test_a_linear_correspondence_cannot_tell_two_triples_from_their_swap() -> None:
    """Why the equations as printed are not the default."""
    h = torch.randn(1, 4, 8)
    for share, equal in ((0.0, True), (0.5, False)):
        scores = small(hidden_share=share).correspondence(h)[0]
        (a, b, c, d) = range(4)
        same = torch.isclose(scores[a, b] + scores[c, d], scores[a, d] + scores[c, b], atol=1e-5)
        assert bool(same) == equal


def test_relations_shift_all_words_alike_in_equations_2() -> None:
    h, rows = torch.randn(1, 4, 8), torch.tensor([0, 0])
    for share, equal in ((0.0, True), (0.5, False)):
        tagger = small(fusion="sum", hidden_share=share).tagger
        scores = tagger.score(*tagger.project(h), rows, torch.tensor([0, 1]))
        shift = scores[1] - scores[0]
        assert torch.allclose(shift, shift[:1].expand_as(shift), atol=1e-5) == equal


def ceiling(*sentences: Sentence, **settings: Any) -> list[set[Any]]:
    return ceiling_of(small(**settings), *sentences)


def test_words_linked_by_another_relation_are_a_spurious_triple() -> None:
    """The correspondence knows no relation."""
    (found,) = ceiling(LINKED)
    gold = set(LINKED.triples)
    ada, leeds = gold.intersection({t for t in gold if t.relation == LIVES}).pop()[::2]
    assert found == gold | {Triple(ada, BORN, leeds)}


def test_of_a_relations_subjects_that_overlap_the_longer_is_found() -> None:
    words = ("New", "York", "City", "beats", "New", "Jersey", "today")
    outer, inner, other, tail = Span(0, 3), Span(1, 2), Span(4, 6), Span(6, 7)
    gold = tuple(Triple(s, LIVES, tail) for s in (inner, outer, other))
    assert ceiling(Sentence("x", words, gold)) == [{gold[1], gold[2]}]
    # In another relation, or as an object, it is no loss.
    apart = (gold[1], Triple(inner, BORN, tail), Triple(other, LIVES, inner))
    assert ceiling(Sentence("x", words, apart)) == [set(apart)]


ODD = [
    Sentence("one word", ("Ada",), (Triple(Span(0, 1), LIVES, Span(0, 1)),)),
    Sentence("head is tail", ("Ada", "is", "Ada"), (Triple(Span(0, 1), BORN, Span(0, 1)),)),
    sentence("first and last", "Kurt left Vienna", ("Kurt", BORN, "Vienna")),
    sentence("tail first", "London saw Ada Lovelace", ("Ada Lovelace", BORN, "London")),
    sentence("inverse", "Ada , Kurt", ("Ada", LIVES, "Kurt"), ("Kurt", LIVES, "Ada")),
    sentence(
        "adjacent",
        "Ada Emmy Noether in Bath",
        ("Ada", LIVES, "Bath"),
        ("Emmy Noether", LIVES, "Bath"),
    ),
]


@pytest.mark.parametrize("tagging", ["bio", "ends"])
def test_odd_sentences_are_no_loss(tagging: str) -> None:
    assert ceiling(*ODD, tagging=tagging) == [set(s.triples) for s in ODD]


def test_one_relation_and_one_word() -> None:
    schema = Schema("triples", (LIVES,), ("PER",), {LIVES: frozenset({"PER"})})
    system = small(schema).train()
    loss = system.loss(whole(system, ODD[:1])).total
    loss.backward()
    assert torch.isfinite(loss)
    assert len(predict(system.eval(), whole(system, ODD[:1]))) == 1


def test_the_best_relation_is_tagged_where_none_is_potential() -> None:
    system = small()
    nn.init.zeros_(system.judge.scores.weight)
    system.judge.scores.bias.data = torch.tensor([-9.0, -8.0, -7.0, -8.0])
    tagged = system(whole(system, SENTENCES))
    assert tagged.relations.tolist() == [2] * len(SENTENCES)
    assert tagged.rows.tolist() == list(range(len(SENTENCES)))
    # 0.1 itself is not above 0.1.
    system.judge.scores.bias.data = torch.tensor([-9.0, 0.0, 0.1, 0.1])
    system.settings = replace(system.settings, relation_threshold=0.5)
    assert set(system(whole(system, SENTENCES)).relations.tolist()) == {2, 3}


def test_relations_that_a_sentence_does_not_hold_are_drawn_in_training() -> None:
    system = small(judge_relations=False, negative_relations=2).train()
    batch = whole(system, SENTENCES)
    gold = [{SCHEMA.relation_ids[t.relation] for t in s.triples} for s in SENTENCES]
    torch.manual_seed(0)
    seen = set()
    for _ in range(8):
        rows = system._rows_to_train(batch)
        found: list[list[int]] = [[] for _ in SENTENCES]
        for row, relation, tags in zip(*rows, strict=True):
            found[row].append(int(relation))
            assert bool(tags.any()) == (int(relation) in gold[row])
        for own, held in zip(found, gold, strict=True):
            assert held <= set(own)
            assert len(own) == len(set(own)) == min(4, len(held) + 2)
        seen.add(tuple(map(tuple, found)))
    assert len(seen) > 1
    assert set(system(batch).relations.tolist()) == set(range(4))


def test_blocks_of_relations_find_what_all_at_once_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    system = TestPRGC().fitted()
    expected = predict(system, whole(system, SENTENCES))
    monkeypatch.setattr(room, "NUMBERS_IN_MEMORY", 1)
    assert predict(system, whole(system, SENTENCES)) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"relation_threshold": 0.0},
        {"link_threshold": 1.0},
        {"dropout": 1.0},
        {"hidden_share": -0.5},
        {"negative_relations": -1},
        {"link_weight": 0.0},
        {"tagging": "bioes"},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=next(iter(settings))):
        make_settings(PRGC, settings)


def test_the_papers_protocol_is_one() -> None:
    protocol = Protocol(**PRGC.published.protocol)
    assert (protocol.batch_size, protocol.epochs, protocol.max_gradient_norm) == (64, 100, 2)
    assert {on["batch_size"] for on in PRGC.published.on.values()} == {6}


def test_the_longest_sentences_and_all_relations_need_half_a_gigabyte() -> None:
    """A step on 32 sentences of 100 words, whose N x N x H numbers are 0.4 GB by themselves."""
    settings = {"encoder": "lstm", "relation_threshold": 1e-6}
    then = "assert len(system.eval()(batch.select(torch.arange(2))).rows) == 2 * 216"
    _, after = memory_of_a_step(PRGC, settings, relations=216, then=then)
    assert after < 512
