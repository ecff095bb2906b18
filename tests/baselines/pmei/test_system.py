"""PMEI against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from baselines.pmei.pair_classifier import PairClassifier
from baselines.pmei.system import (
    PMEI,
    VARIANCE_FLOOR,
    GRUCell,
    NoisyWords,
    StochasticMap,
    divergence,
)
from suite.errors import SuiteError
from suite.modelling.batch import Text
from suite.modelling.bioes import TAGS
from suite.modelling.ragged import Ragged
from suite.modelling.word_vectors import WordVectors
from suite.protocol import Protocol
from suite.systems.contract import predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Entity, Sentence, Span, Triple
from tests.baselines.checks import ceiling_of, check_losses, train_all
from tests.contract import SystemContract, whole
from tests.corpus import (
    HEAD_IS_TAIL,
    LIVES,
    NESTED_HEADS,
    SCHEMA,
    SENTENCES,
)
from tests.memory import memory_of_a_step

ABLATIONS: dict[str, dict[str, Any]] = {
    "PMEI": {},
    "w/o SM": {"stochastic": False},
    "w/o interaction": {"interaction": False},
    "w/o GRU": {"cell": "mlp"},
    "MTL_SM": {"early": False},
    "MTL": {"early": False, "stochastic": False},
}
"""The rows of Table 6."""
PARTS = {
    "MTL_SM": {"information", "entity", "relation"},
    "MTL": {"entity", "relation"},
    "w/o SM": {"early", "entity", "relation"},
}


class TestPMEI(SystemContract):
    system = PMEI
    settings = {"lstm_width": 64, "pair_width": 64, "dropout": 0.0, "word_dropout": 0.0}
    steps = 90
    learning_rate = 1e-2
    lost = NESTED_HEADS | HEAD_IS_TAIL


class TestPMEIOnTransformer(SystemContract):
    system = PMEI
    settings = {"encoder": "pretrained", "pair_width": 64}
    pretrained = True
    steps = 70
    learning_rate = 2e-3
    lost = NESTED_HEADS | HEAD_IS_TAIL


def small(**settings: Any) -> Any:
    return TestPMEI().build(**{"lstm_width": 8, "pair_width": 6, **settings}).eval()


def slow_pairs(pairs: PairClassifier, x: Tensor) -> dict[tuple[int, int], Tensor]:
    """Equation 11: the probability of each relation for every two words of a sentence."""
    w_m = torch.cat(pairs.project.weight.chunk(2), 1)
    words = range(len(x))
    return {
        (i, j): pairs.scores((w_m @ torch.cat([x[i], x[j]])).relu()).sigmoid()
        for i in words
        for j in words
        if i != j
    }


def slow_supervision(
    sentence: Sentence, tags: Tensor, pairs: dict[tuple[int, int], Tensor]
) -> tuple[float, float]:
    """Equations 12 and 13: cross entropy of words and of pairs, gold looked up one by one."""
    spelt = ["O"] * len(sentence.words)
    for start, end in {entity.span for entity in sentence.entities}:
        letters = "S" if end - start == 1 else "B" + "I" * (end - start - 2) + "E"
        spelt[start:end] = letters
    entity = -sum(math.log(tags[i, TAGS.index(tag)].item()) for i, tag in enumerate(spelt))
    gold = {(t.head.start, t.tail.start, t.relation) for t in sentence.triples}
    relation = 0.0
    for (i, j), p in pairs.items():
        for name, probability in zip(SCHEMA.relations, p.tolist(), strict=True):
            relation -= math.log(probability if (i, j, name) in gold else 1 - probability)
    return entity, relation


def slow_map(module: StochasticMap, h: Tensor, early: Tensor) -> tuple[Tensor, float]:
    """Equations 5 to 7 and 14 for one word: the mean, and the divergence from the prior."""
    mean = module.mean(h[None], early[None])[0]
    assert module.deviation is not None
    assert module.prior_mean is not None
    assert module.prior_deviation is not None
    spread = [f[0].square().add(VARIANCE_FLOOR).sqrt() for f in (
        module.deviation(h[None], early[None]), module.prior_deviation(early[None])
    )]  # fmt: skip
    prior = Normal(module.prior_mean(early[None])[0], spread[1])
    return mean, kl_divergence(Normal(mean, spread[0]), prior).sum().item()


def slow_loss(system: PMEI, sentence: Sentence, h: Tensor) -> dict[str, float]:
    """Equation 15 for one sentence."""
    s = system.settings
    assert system.early is not None
    assert system.entity_map is not None
    assert system.pair_map is not None
    tags = torch.stack([system.early.tags(word).softmax(0) for word in h])
    pairs = slow_pairs(system.early.pairs, h)
    early = sum(slow_supervision(sentence, tags, pairs))
    information, for_entities, for_pairs = 0.0, [], []
    for i, word in enumerate(h):
        pooled = torch.stack([p for (head, _), p in pairs.items() if head == i]).amax(0)
        seen = [torch.cat([tags[i], pooled])] * 2 if s.interaction else [tags[i], pooled]
        t_e, flow_e = slow_map(system.entity_map, word, seen[0])
        t_r, flow_r = slow_map(system.pair_map, word, seen[1])
        information += flow_e + flow_r
        for_entities.append(t_e)
        for_pairs.append(t_r)
    tags = torch.stack([system.final.tags(t).softmax(0) for t in for_entities])
    pairs = slow_pairs(system.final.pairs, torch.stack(for_pairs))
    entity, relation = slow_supervision(sentence, tags, pairs)
    weighted = {"early": s.alpha * early, "information": s.beta * information}
    return {**weighted, "entity": entity, "relation": relation}


@pytest.mark.parametrize("interaction", [True, False])
def test_loss_is_that_of_the_papers_equations(interaction: bool) -> None:
    check_losses(small(interaction=interaction), SENTENCES, slow_loss)


def test_gru_cell_is_that_of_equation_7() -> None:
    torch.manual_seed(0)
    cell = GRUCell(3, 2)
    h, early = torch.randn(1, 3), torch.rand(1, 2)
    state, given = h[0].tolist(), early[0].tolist()

    def row(layer: torch.nn.Linear, i: int, inputs: list[float]) -> float:
        weights = layer.weight[i].tolist()
        return sum(map(math.prod, zip(weights, inputs, strict=True))) + layer.bias[i].item()

    def gate(i: int) -> float:
        return 1 / (1 + math.exp(-row(cell.gates, i, state + given)))

    z, u = [gate(i) for i in range(3)], [gate(i) for i in range(3, 6)]
    held = [a * b for a, b in zip(u, state, strict=True)]
    new = [math.tanh(row(cell.candidate, i, held + given)) for i in range(3)]
    mean = [(1 - z[i]) * state[i] + z[i] * new[i] for i in range(3)]
    assert cell(h, early)[0].tolist() == pytest.approx(mean, rel=1e-5)


def test_divergence_is_that_of_torch() -> None:
    torch.manual_seed(0)
    means, priors = torch.randn(2, 5, 3)
    variances, spreads = torch.rand(2, 5, 3) * 3 + 0.01
    expected = kl_divergence(Normal(means, variances.sqrt()), Normal(priors, spreads.sqrt()))
    torch.testing.assert_close(divergence(means, variances, priors, spreads), expected)
    standard = kl_divergence(Normal(means, variances.sqrt()), Normal(0.0, 1.0))
    zero, one = torch.zeros(()), torch.ones(())
    torch.testing.assert_close(divergence(means, variances, zero, one), standard)


def test_representations_are_drawn_in_training_and_the_mean_at_inference() -> None:
    torch.manual_seed(0)
    module = StochasticMap(3, 2, "gru", stochastic=True)
    h, early = torch.randn(1, 3).expand(40_000, 3), torch.rand(1, 2).expand(40_000, 2)
    assert module.deviation is not None
    with torch.no_grad():
        mean = module.mean(h, early)
        spread = (module.deviation(h, early)[0].square() + VARIANCE_FLOOR).sqrt()
        drawn, _ = module.train()(h, early)
        rested, _ = module.eval()(h, early)
    assert torch.equal(rested, mean)
    torch.testing.assert_close(drawn.mean(0), mean[0], atol=0.02, rtol=0)
    torch.testing.assert_close(drawn.std(0), spread, atol=0.0, rtol=0.03)


def test_the_prior_learns_from_what_is_drawn() -> None:
    """Reparametrised: the loss of a draw has a gradient for mean and deviation."""
    module = StochasticMap(3, 2, "gru", stochastic=True).train()
    drawn, _ = module(torch.randn(4, 3), torch.rand(4, 2))
    drawn.square().sum().backward()
    for part in (module.mean, module.deviation):
        assert all(p.grad is not None and p.grad.any() for p in part.parameters())  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ABLATIONS)
def test_ablations_train_all_that_they_have(name: str) -> None:
    loss = train_all(small(lstm_width=24, **ABLATIONS[name]).train(), SENTENCES, 3e-2, to=0.8)
    assert set(loss.parts) == PARTS.get(name, {"early", "information", "entity", "relation"})


def test_ablations_differ() -> None:
    forms = set()
    for settings in ABLATIONS.values():
        weights = small(**settings).state_dict()
        forms.add(tuple((name, *weight.shape) for name, weight in weights.items()))
    assert len(forms) == len(ABLATIONS)
    for name in ("MTL", "MTL_SM"):
        assert not any(n.startswith("early") for n in small(**ABLATIONS[name]).state_dict())


@pytest.mark.parametrize("interaction", [True, False])
def test_what_a_task_sees_of_the_others_early_prediction(interaction: bool) -> None:
    def parts(early: str, shift: float) -> dict[str, float]:
        system = small(interaction=interaction)
        with torch.no_grad():
            system.early.get_submodule(early).bias[0] += shift
            return {k: v.item() for k, v in system.loss(whole(system, SENTENCES)).parts.items()}

    for early, other, own in (
        ("pairs.scores", "entity", "relation"),
        ("tags", "relation", "entity"),
    ):
        before, after = parts(early, 0), parts(early, 5)
        assert before[own] != after[own]
        assert (before[other] != after[other]) == interaction


def test_loss_is_drawn_in_training_alone() -> None:
    system = small()
    batch = whole(system, SENTENCES)
    assert system.loss(batch).total.item() == system.loss(batch).total.item()
    system.train()
    assert system.loss(batch).total.item() != system.loss(batch).total.item()


def ceiling(*sentences: Sentence) -> list[set[Any]]:
    return ceiling_of(small(), *sentences)


def test_a_word_that_begins_no_tagged_span_stands_for_itself() -> None:
    """Of entities that overlap the longer is tagged; the other's triples keep its first word."""
    words = ("Ada", "left", "New", "York", "City", "Hall")
    ada, inner, outer = Span(0, 1), Span(3, 5), Span(2, 6)
    entities = tuple(Entity(span, "PER") for span in (ada, inner, outer))
    gold = (Triple(ada, LIVES, inner), Triple(ada, LIVES, outer))
    (found,) = ceiling(Sentence("x", words, gold, entities))
    assert found == {Triple(ada, LIVES, Span(3, 4)), gold[1]}


def test_a_word_is_never_linked_to_itself() -> None:
    """Equation 11 asks for two words; a triple of one has no target, and is not predicted."""
    ada = Span(0, 1)
    sentence = Sentence("x", ("Ada", "!"), (Triple(ada, LIVES, ada),), (Entity(ada, "PER"),))
    assert ceiling(sentence) == [set()]
    system = small()
    torch.nn.init.constant_(system.final.pairs.scores.bias, 20)
    (found,) = predict(system, whole(system, [sentence]))
    assert {(p.item.head, p.item.tail) for p in found} == {
        (Span(0, 1), Span(1, 2)),
        (Span(1, 2), Span(0, 1)),
    }


def test_a_frozen_encoder_stays_as_it_is() -> None:
    contract = TestPMEIOnTransformer()
    for frozen in (True, False):
        system: Any = contract.build(freeze_encoder=frozen)
        system.encoder.pretrained = True  # the tests' own is not
        system.loss(whole(system, SENTENCES)).total.backward()
        trained = [p for p in system.encoder.parameters() if p.grad is not None]
        assert bool(trained) != frozen
        assert len(list(system.pretrained_parameters())) == (
            0 if frozen else len(list(system.encoder.parameters()))
        )
        fresh = [p for name, p in system.named_parameters() if not name.startswith("encoder.")]
        assert all(p.grad is not None for p in fresh)


def test_word_dropout_takes_whole_words_of_frozen_vectors_too() -> None:
    matrix = torch.cat([torch.zeros(2, 6), torch.ones(1, 6)])
    vectors = WordVectors({"w": 2}, matrix, 6, "test", 1.0, trained=False)
    words = NoisyWords(vectors, 0.25, 0.5)
    text = Text(Ragged.from_rows([[2] * 4000]))
    torch.manual_seed(0)
    seen = words.train()(text)[0]
    kept = seen.any(1)
    # A word whose six numbers all fall to dropout looks dropped: one in 64.
    assert kept.float().mean().item() == pytest.approx(0.75 * (1 - 0.5**6), abs=0.02)
    assert (seen[kept] > 0).float().mean().item() == pytest.approx(0.5 / (1 - 0.5**6), abs=0.02)
    assert torch.equal(words.eval()(text)[0], torch.ones(4000, 6))


@pytest.mark.parametrize(
    "settings",
    [{"threshold": 1.0}, {"lstm_width": 7}, {"cell": "lstm"}, {"freeze_encoder": True}],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=next(iter(settings))):
        make_settings(PMEI, settings)


def test_the_papers_protocol_is_one() -> None:
    protocol = Protocol(**PMEI.published.protocol)
    assert (protocol.batch_size, protocol.optimiser, protocol.max_gradient_norm) == (50, "adam", 5)


def test_a_step_on_the_longest_sentences_needs_half_a_gigabyte() -> None:
    """32 sentences of 100 words, 24 relations: N x N x 4D numbers alone would be a gigabyte."""
    trained, _ = memory_of_a_step(PMEI, {}, relations=24)
    assert trained < 512
