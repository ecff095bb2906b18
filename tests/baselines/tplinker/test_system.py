"""TPLinker against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch

from baselines.tplinker.kernels import HandshakingKernel
from baselines.tplinker.linking import MOST_CANDIDATES, MOST_ENTITIES
from baselines.tplinker.system import TPLinker
from baselines.tplinker.tagging import ENTITY_PRIOR, LINK_PRIOR, Taggers
from suite.errors import SuiteError
from suite.modelling import room
from suite.protocol import Protocol
from suite.systems.contract import predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.schema import Schema
from tests.baselines.checks import vectors_of
from tests.baselines.tplinker import slow
from tests.contract import SystemContract, whole
from tests.corpus import BORN, HARD, INVERSE, LIVES, PART, SCHEMA, SENTENCES
from tests.memory import memory_of_a_step

EXAMPLES = [*SENTENCES, *HARD]
FEW = [s for s in EXAMPLES if len(s.words) < 7]
KERNELS: list[dict[str, Any]] = [
    {"kernel": "cat"},
    {"kernel": "cat", "pair_width": 7, "distances": True},
    {"kernel": "cat_plus", "between": "lstm"},
    {"kernel": "cat_plus", "between": "mean", "pair_width": 5},
    {"kernel": "cat_plus", "between": "max"},
    {"kernel": "cat_plus", "between": "mix"},
    {"kernel": "cln"},
    {"kernel": "cln_plus", "between": "lstm", "distances": True},
    {"kernel": "cln_plus", "between": "mix"},
]


class TestTPLinker(SystemContract):
    system = TPLinker
    pretrained = True
    steps = 50
    lost = INVERSE


class TestOnBiLSTMs(SystemContract):
    system = TPLinker
    settings = {
        "encoder": "bilstm",
        "lstm_widths": (24, 32),
        "lstm_dropout": 0.0,
        "directions": "two tags",
    }
    steps = 150
    learning_rate = 1e-2


def small(**settings: Any) -> Any:
    """A system whose weights are all drawn, so that tags are not all one."""
    wanted = {"lstm_widths": (6, 8), "directions": "one tag", **settings}
    system = TestOnBiLSTMs().build(**wanted).eval()
    for parameter in (*system.kernel.parameters(), *system.taggers.parameters()):
        torch.nn.init.uniform_(parameter, -0.7, 0.7)
    return system


@pytest.mark.parametrize("settings", KERNELS, ids=str)
def test_loss_is_that_of_the_papers_equations(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In blocks of a few pairs, so that sentences are cut."""
    monkeypatch.setattr(room, "NUMBERS_IN_CACHE", 300)
    system = small(**settings)
    with torch.no_grad():
        sums = torch.zeros(3)
        for sentence, h in zip(FEW, vectors_of(system, FEW), strict=True):
            tags = slow.gold_tags(sentence, SCHEMA.relations)
            sums += torch.tensor(slow.losses(slow.tables(system, h), tags, len(h)))
    loss = system.loss(whole(system, FEW))
    expected = (sums / len(FEW)).tolist()
    assert [p.item() for p in loss.parts.values()] == pytest.approx(expected, rel=1e-4)
    assert loss.total.item() == pytest.approx(sum(expected), rel=1e-4)


@pytest.mark.parametrize("settings", KERNELS, ids=str)
def test_gradients_do_not_depend_on_blocks(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small(**settings).double()
    batch = whole(system, FEW)

    def gradients(numbers: int) -> dict[str, torch.Tensor]:
        monkeypatch.setattr(room, "NUMBERS_IN_CACHE", numbers)
        system.zero_grad()
        system.loss(batch).total.backward()
        return {n: p.grad.clone() for n, p in system.named_parameters() if p.grad is not None}

    few, all_at_once = gradients(500), gradients(2**22)
    assert few.keys() == {n for n, _ in system.named_parameters()}
    torch.testing.assert_close(few, all_at_once, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("settings", KERNELS, ids=str)
def test_triples_are_those_of_algorithm_1(
    settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of tags that are as good as drawn: dozens of triples, spurious ones among them."""
    monkeypatch.setattr(room, "NUMBERS_IN_CACHE", 2000)
    system = small(**settings)
    with torch.no_grad():
        for layer in (system.taggers.entity, system.taggers.heads, system.taggers.tails):
            layer.weight *= 3
            layer.bias.zero_()
        system.taggers.entity.bias[1] = 1.0
        count = 0
        found = predict(system, whole(system, FEW))
        for h, row in zip(vectors_of(system, FEW), found, strict=True):
            tables = slow.tables(system, h)
            triples = slow.decode(slow.predicted_tags(tables), SCHEMA.relations)
            expected = {
                triple: math.exp(sum(getattr(tables, kind)[key][tag] for kind, key, tag in cells))
                for triple, cells in triples.items()
            }
            assert {p.item: p.score for p in row} == pytest.approx(expected, rel=1e-3)
            count += len(row)
    assert count > 20


@pytest.mark.parametrize("directions", ["one tag", "two tags"])
def test_targets_are_those_of_the_scheme(directions: str) -> None:
    """With two tags a cell, what one tag would lose is there."""
    system = small(directions=directions)
    for sentence, row in zip(EXAMPLES, system.ceiling(whole(system, EXAMPLES)), strict=True):
        tags = slow.gold_tags(sentence, SCHEMA.relations)
        expected = set(slow.decode(tags, SCHEMA.relations))
        if directions == "two tags":
            expected |= set(sentence.triples)
        assert {p.item for p in row} == expected, sentence.id


def test_two_tags_are_two_classifiers() -> None:
    """Each direction is tagged by itself: a softmax of two classes, which is a sigmoid."""
    system = small(directions="two tags", kernel="cat")
    relations = len(SCHEMA.relations)
    total = 0.0
    for sentence, h in zip(EXAMPLES, vectors_of(system, EXAMPLES), strict=True):
        links = [set(), set()]  # type: ignore[var-annotated]
        for s, name, o in sentence.triples:
            r = SCHEMA.relations.index(name)
            links[0].add((s.start, o.start, r))
            links[1].add((s.end - 1, o.end - 1, r))
        for i in range(len(h)):
            for j in range(i, len(h)):
                y = slow.vector(system.kernel, h, i, j)
                for layer, gold in zip(
                    (system.taggers.heads, system.taggers.tails), links, strict=True
                ):
                    scores = layer(y).view(2, 2, relations).log_softmax(1)
                    for r in range(relations):
                        ahead = int((i, j, r) in gold)
                        # From a word to itself there is one direction.
                        back = int((j, i, r) in gold and i != j)
                        total -= (scores[0, ahead, r] + scores[1, back, r]).item() / len(h)
    parts = system.loss(whole(system, EXAMPLES)).parts
    links_loss = (parts["heads"] + parts["tails"]).item()
    assert links_loss == pytest.approx(total / len(EXAMPLES), rel=1e-4)


def test_mixed_spans_that_are_entities_too_make_a_spurious_triple() -> None:
    """First words of one triple, last words of another, and an entity from one to the other."""
    outer, inner, mixed, tail = Span(0, 3), Span(1, 2), Span(0, 2), Span(4, 5)
    gold = (Triple(outer, PART, tail), Triple(inner, PART, tail), Triple(mixed, BORN, tail))
    sentence = Sentence("mixed", ("New", "York", "City", "in", "America"), gold)
    spurious = Triple(mixed, PART, tail)
    tags = slow.gold_tags(sentence, SCHEMA.relations)
    assert set(slow.decode(tags, SCHEMA.relations)) == {*gold, spurious}
    for directions in ("one tag", "two tags"):
        system = small(directions=directions)
        (row,) = system.ceiling(whole(system, [sentence]))
        assert {p.item for p in row} == {*gold, spurious}


def test_a_relation_in_both_directions_loses_one_triple() -> None:
    """One tag a cell: the later triple's."""
    (inverse,) = (s for s in HARD if s.id in INVERSE)
    system = small()
    (row,) = system.ceiling(whole(system, [inverse]))
    assert [p.item for p in row] == [inverse.triples[1]]


def test_entities_and_links_weigh_as_the_schedule_says() -> None:
    """Public code's weights, by which 2 R + 1 means are summed, times 2 R + 1."""
    system = small(recover_sentences=100).train()
    system.encoder.eval()  # which would drop words
    relations = len(SCHEMA.relations)
    taggers = 2 * relations + 1
    batch = whole(system, SENTENCES)
    plain = small().loss(batch).parts
    seen = 0
    for step in range(20):
        share = seen / 100
        w_ent = max(1 / taggers + 1 - share, 1 / taggers)
        w_rel = min(relations / taggers * share, relations / taggers)
        weights = [w_ent * taggers, *[w_rel * taggers / relations] * 2]
        expected = [w * p.item() for w, p in zip(weights, plain.values(), strict=True)]
        loss = system.loss(batch)
        assert [p.item() for p in loss.parts.values()] == pytest.approx(expected, rel=1e-4), step
        seen += len(SENTENCES)
        assert int(system.seen) == seen
    system.eval()
    system.loss(batch)
    assert int(system.seen) == seen, "training alone moves it"
    other = small(recover_sentences=100)
    other.load_state_dict(copy.deepcopy(system.state_dict()))
    assert int(other.seen) == seen


@pytest.mark.parametrize(
    ("relations", "published"), [(29, 109_626_032), (12, 109_547_594), (24, 109_602_962)]
)
def test_size_is_the_published_one(relations: int, published: int) -> None:
    """FastRE's Table 3, on BERT-base-cased: NYT10, NYT11, NYT24."""
    parts = HandshakingKernel(768, 768, "cat", "lstm"), Taggers(768, relations, "one tag")
    own = sum(p.numel() for part in parts for p in part.parameters())
    assert 108_310_272 + own == published


def test_tags_start_as_rare_as_they_are() -> None:
    system = TestOnBiLSTMs().build(directions="one tag")
    for layer in (system.taggers.entity, system.taggers.heads, system.taggers.tails):
        torch.nn.init.zeros_(layer.weight)
    relations, cells = len(SCHEMA.relations), 6 * 7 / 2
    parts = system.loss(whole(system, [Sentence("x", ("a",) * 6)])).parts
    entities = -math.log(1 - ENTITY_PRIOR) * cells / 6
    # Each of both tags has the odds of the prior.
    links = math.log(1 + 2 * LINK_PRIOR / (1 - LINK_PRIOR)) * cells * relations / 6
    expected = pytest.approx([entities, links, links], rel=1e-3)
    assert [p.item() for p in parts.values()] == expected


def test_what_is_linked_has_a_bound() -> None:
    """Every pair of words is tagged with all that there is: a sentence gives so many triples."""
    system = small(directions="two tags")
    with torch.no_grad():
        system.taggers.entity.bias[1] = 90
        for layer in (system.taggers.heads, system.taggers.tails):
            layer.bias.view(2, 2, -1)[:, 1] = 90
    words = tuple(f"w{i}" for i in range(30))
    rows = predict(system, whole(system, [Sentence("a", words), Sentence("b", words[:2])]))
    assert 1000 < len(rows[0]) <= MOST_CANDIDATES
    spans = {span for p in rows[0] for span in (p.item.head, p.item.tail)}
    assert len(spans) <= MOST_ENTITIES
    assert len(rows[1]) == 3 * 3 * len(SCHEMA.relations)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"lstm_widths": (3, 4)}, "must be even numbers"),
        ({"lstm_widths": ()}, "must be even numbers"),
        ({"kernel": "cln", "pair_width": 8}, "as wide as a word"),
        ({"pair_width": 0}, "is no width"),
        ({"recover_sentences": -1}, "is below 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        make_settings(TPLinker, settings)


def test_published_protocol_is_one() -> None:
    for on in ({}, *TPLinker.published.on.values()):
        Protocol.model_validate({**TPLinker.published.protocol, **on})


@pytest.mark.parametrize("directions", ["one tag", "two tags"])
def test_losses_are_summed_in_full_precision_under_autocast(directions: Any) -> None:
    torch.manual_seed(0)
    taggers = Taggers(4, 3, directions)
    scores, weights = torch.randn(50, 1 + 4 * 3), torch.rand(50)
    gold = torch.tensor([0, 7, 7]), torch.tensor([0, 1, 12])
    expected = taggers.losses(scores, gold, weights)
    with torch.autocast("cpu", torch.bfloat16):
        found = taggers.losses(scores, gold, weights)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


def test_losses_of_scores_beyond_all_measure_are_right() -> None:
    """A wrong score of 200 costs 200, and its gradient is 1."""
    taggers = Taggers(4, 1, "one tag")
    scores = torch.tensor([[-200.0, 200.0, -200.0, -200.0, 150.0]], requires_grad=True)
    gold = torch.tensor([0]), torch.tensor([0])
    losses = taggers.losses(scores, gold, torch.ones(1))
    assert losses.tolist() == [200.0, 200.0, 150.0]
    losses.sum().backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[-1.0, 1.0, 0.0, 0.0, 1.0]]


def test_repeated_triples_are_one_target() -> None:
    triple = Triple(Span(0, 1), LIVES, Span(2, 3))
    once, twice = (Sentence("x", ("Ada", "in", "Rome"), (triple,) * n) for n in (1, 2))
    system = small()
    losses = [system.loss(whole(system, [s])).total.item() for s in (once, twice)]
    assert losses[0] == losses[1]


def test_one_word_and_one_relation() -> None:
    """The least that there is: a word that is head and tail of the only relation."""
    schema = Schema("triples", (LIVES,), ("ANY",), {LIVES: frozenset({"ANY"})})
    oslo = Triple(Span(0, 1), LIVES, Span(0, 1))
    examples = [Sentence("one word", ("Oslo",), (oslo,)), Sentence("none", ("Rome",))]
    for settings in ({}, {"kernel": "cln_plus", "between": "mix"}):
        wanted = {"directions": "one tag", **settings}
        system = TestOnBiLSTMs().build(schema, **wanted)
        batch = whole(system, examples)
        optimiser = torch.optim.AdamW(system.parameters(), lr=3e-2)
        for _ in range(40):
            optimiser.zero_grad()
            system.loss(batch).total.backward()
            optimiser.step()
        rows = predict(system.eval(), batch)
        assert [[p.item for p in row] for row in rows] == [[oslo], []]
        assert [[p.item for p in row] for row in system.ceiling(batch)] == [[oslo], []]


@pytest.mark.slow
def test_a_step_on_long_sentences_with_many_relations_needs_little_memory() -> None:
    """32 sentences of 100 words, 216 relations, vectors of 768: scores alone would be 840 MB."""
    settings = {"encoder": "bilstm", "lstm_widths": [300, 768]}
    drawn = "[torch.nn.init.uniform_(p, -1, 1) for p in system.taggers.parameters()]"
    then = f"{drawn}; predict(system.eval(), batch)"
    trained, after = memory_of_a_step(TPLinker, settings, relations=216, then=then)
    assert trained < 1024
    assert after < 2048
