"""SPN against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from baselines.spn.decoder import DecoderLayer
from baselines.spn.heads import Answers, Heads, Said, read_answers
from baselines.spn.system import SPN
from suite.errors import SuiteError
from suite.modelling.encoders import Transformer
from suite.protocol import Protocol
from suite.systems.contract import predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence, Span, Triple
from suite.tasks.schema import Schema
from tests.baselines.checks import ceiling_of, check_losses, train_all
from tests.contract import SystemContract, whole
from tests.corpus import BORN, HARD, LIVES, SCHEMA, SENTENCES, sentence
from tests.memory import memory_of_a_step

ALL = [*SENTENCES, *HARD]
ABLATIONS: dict[str, dict[str, Any]] = {
    "SPN": {},
    "normalised after": {"normalised": "after"},
    "one layer": {"layers": 1},
    "in order": {"matching": False},
    "least": {"matcher": "least", "none_weight": 0.25, "entity_weight": 1.0},
}


class TestSPN(SystemContract):
    system = SPN
    settings = {
        "encoder": "lstm",
        "lstm_width": 64,
        "lstm_dropout": 0.0,
        "dropout": 0.0,
        "queries": 5,
        "layers": 2,
        "heads": 4,
        "feed_forward": 2.0,
    }
    lost = frozenset({"many"})
    steps = 130
    learning_rate = 3e-3


class TestSPNOnTransformer(SystemContract):
    system = SPN
    settings = {"dropout": 0.0, "layers": 1, "queries": 8, "feed_forward": 2.0}
    pretrained = True
    steps = 70
    learning_rate = 2e-3


def small(schema: Schema | None = None, **settings: Any) -> Any:
    return TestSPN().build(schema, **{"lstm_width": 8, "heads": 2, **settings}).eval()


def slow_attention(heads: int, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Of one query over some vectors: a softmax of scaled products, a head at a time."""
    parts = []
    for q, k, v in zip(
        query.chunk(heads), keys.chunk(heads, 1), values.chunk(heads, 1), strict=True
    ):
        weights = (k @ q / math.sqrt(len(q))).softmax(0)
        parts.append(weights @ v)
    return torch.cat(parts)


def slow_layer(layer: DecoderLayer, x: Tensor, h: Tensor) -> Tensor:
    """One layer for the queries of one sentence without padding, a query at a time."""

    def added(part: int, row: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        norm = layer.norms[part]
        return row + change(norm(row)) if layer.first else norm(row + change(row))

    def asked(row: Tensor) -> Tensor:
        q = layer.own(row).chunk(3)[0]
        return layer.own_output(slow_attention(layer.heads, q, own_k, own_v))

    def read(row: Tensor) -> Tensor:
        return layer.words_output(slow_attention(layer.heads, layer.query(row), k, v))

    def fed(row: Tensor) -> Tensor:
        wide = layer.widen(row)
        return layer.narrow(wide * (1 + torch.erf(wide / math.sqrt(2))) / 2)

    seen = [layer.norms[0](row) if layer.first else row for row in x]
    _, own_k, own_v = torch.stack([layer.own(row) for row in seen]).chunk(3, 1)
    k, v = layer.words(h).chunk(2, 1)
    rows = []
    for first in x:
        row = first
        for part, change in enumerate((asked, read, fed)):
            row = added(part, row, change)
        rows.append(row)
    return torch.stack(rows)


def slow_answers(system: SPN, h: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities of one sentence: of relations, and of the words of each pointer."""
    h = torch.stack([system.norm(word) for word in h])
    x = system.decoder.norm(system.decoder.queries)
    for layer in system.decoder.layers:
        x = slow_layer(layer, x, h)
    x = torch.stack([system.decoder.last(row) for row in x])
    heads, words = system.heads, []
    for i in range(4):
        w, w_b = heads.queries.weight.chunk(4)[i], heads.queries.bias.chunk(4)[i]
        u, u_b = heads.words.weight.chunk(4)[i], heads.words.bias.chunk(4)[i]
        asked, read = ([w @ query + w_b for query in x], [u @ word + u_b for word in h])
        scores = [[heads.scores[i] @ (a + b).tanh() for b in read] for a in asked]
        words.append(torch.tensor(scores).softmax(1))
    return heads.relations(x).softmax(1), torch.stack(words)


def _ends(span: Span) -> tuple[int, int]:
    return span.start, span.end - 1


def gold_of(s: Sentence) -> list[tuple[int, ...]]:
    """Relation and words of each triple, by position."""
    rows = [
        (
            t.head.start,
            t.head.end - 1,
            t.tail.start,
            t.tail.end - 1,
            SCHEMA.relation_ids[t.relation],
        )
        for t in s.triples
    ]
    return [(relation, *words) for *words, relation in sorted(rows)]


def slow_loss(system: SPN, s: Sentence, h: Tensor) -> dict[str, float]:
    """The losses of one sentence."""
    settings = system.settings
    relations, words = slow_answers(system, h)
    gold, queries = gold_of(s), range(settings.queries)

    def five(query: int, triple: tuple[int, ...]) -> list[float]:
        pointed = [words[i, query, word].item() for i, word in enumerate(triple[1:])]
        return [relations[query, triple[0]].item(), *pointed]

    def suits(query: int, triple: tuple[int, ...]) -> float:
        return sum(five(query, triple)) if settings.matcher == "sum" else min(five(query, triple))

    chosen = dict(zip(queries, gold, strict=False))
    if settings.matching and gold:
        best = max(_ways(len(gold), settings.queries), key=lambda way: sum(
            suits(q, gold[t]) for t, q in way
        ))  # fmt: skip
        chosen = {q: gold[t] for t, q in best}
    relation = weights = subject = object_ = 0.0
    for q in queries:
        kind = chosen[q][0] if q in chosen else len(SCHEMA.relations)
        weight = 1.0 if q in chosen else settings.none_weight
        relation -= weight * math.log(relations[q, kind].item())
        weights += weight
        if q in chosen:
            _, *logs = (math.log(p) for p in five(q, chosen[q]))
            subject -= settings.entity_weight * (logs[0] + logs[1]) / 2 / len(chosen)
            object_ -= settings.entity_weight * (logs[2] + logs[3]) / 2 / len(chosen)
    return {"relation": relation / weights, "subject": subject, "object": object_}


def _ways(triples: int, queries: int) -> Any:
    """All ways to give triples queries of their own: pairs of a triple and a query."""
    most = min(triples, queries)
    for which in itertools.combinations(range(triples), most):
        for chosen in itertools.permutations(range(queries), most):
            yield list(zip(which, chosen, strict=True))


@pytest.mark.parametrize("name", ABLATIONS)
def test_loss_is_that_of_the_papers_equations(name: str) -> None:
    """`many` has eight triples, of which four have a query.

    Under the matcher `least` triples that share their least certain word are matched as well one
    way as another, so that sentences have one triple there.
    """
    system = small(**{"queries": 4, **ABLATIONS[name]})
    examples = ALL if name != "least" else [s for s in ALL if len(s.triples) < 2]
    check_losses(system, examples, slow_loss)


@pytest.mark.parametrize("name", ABLATIONS)
def test_ablations_train_all_that_they_have(name: str) -> None:
    train_all(small(**ABLATIONS[name]).train(), ALL, 1e-2, to=0.85)


@pytest.mark.parametrize("matching", [True, False])
def test_the_order_of_triples_does_not_change_the_loss(matching: bool) -> None:
    system = small(matching=matching)
    turned = [replace(s, triples=s.triples[::-1] + s.triples[:1]) for s in ALL]
    one, other = (system.loss(whole(system, some)).total.item() for some in (ALL, turned))
    assert one == other


def test_triples_beyond_the_queries_are_told() -> None:
    for queries, share in ((8, 1.0), (5, 23 / 26), (1, 11 / 26)):
        system = small(queries=queries)
        loss = system.loss(whole(system, ALL))
        assert sum(len(s.triples) for s in ALL) == 26
        assert loss.measures["with_query"].item() == pytest.approx(share)
        found = system.ceiling(whole(system, ALL))
        assert sum(map(len, found)) == round(share * 26)
    nothing = system.loss(whole(system, [s for s in ALL if not s.triples]))
    assert torch.isfinite(nothing.total)


def ceiling(*sentences: Sentence, **settings: Any) -> list[set[Any]]:
    return ceiling_of(small(**settings), *sentences)


def test_longer_entities_are_not_found_whole() -> None:
    """Of a longer one the last word is none of those that are looked at."""
    words = tuple(f"w{i}" for i in range(14))
    gold = (Triple(Span(0, 10), LIVES, Span(12, 13)), Triple(Span(0, 11), BORN, Span(12, 13)))
    (found,) = ceiling(Sentence("x", words, gold))
    assert gold[0] in found
    assert gold[1] not in found
    assert ceiling(Sentence("x", words, gold), longest_entity=11) == [set(gold)]


def test_one_query_one_relation_and_one_word() -> None:
    schema = Schema("triples", (LIVES,), ("PER",), {LIVES: frozenset({"PER"})})
    system = small(schema, queries=1).train()
    ada = Triple(Span(0, 1), LIVES, Span(0, 1))
    batch = whole(system, [Sentence("x", ("Ada",), (ada,))])
    loss = system.loss(batch).total
    loss.backward()
    assert torch.isfinite(loss)
    system.eval().heads.relations.bias.data = torch.tensor([50.0, -50.0])
    assert [p.item for (p,) in predict(system, batch)] == [ada]


def slow_span(first: list[float], last: list[float], longest: int) -> tuple[int, int, float]:
    """Starts by falling probability, ends by falling probability; the first pair that may be."""
    words = range(len(first))
    for start in sorted(words, key=lambda i: -first[i]):
        for end in sorted(words, key=lambda i: -last[i]):
            if start <= end < start + longest:
                return start, end, min(first[start], last[end])
    raise AssertionError


@pytest.mark.parametrize("longest", [1, 2, 9])
def test_a_query_says_the_first_pair_by_falling_probability(longest: int) -> None:
    torch.manual_seed(0)
    words = torch.randn(5, 4, 3, 6)
    words[1, ..., 4:] = -torch.inf  # padding
    answers = Answers(torch.randn(5, 3, 4).log_softmax(2), words.log_softmax(3))
    said = read_answers(answers, longest)
    for b in range(5):
        for q in range(3):
            relations = answers.relations[b, q].exp().tolist()
            pointed = answers.words[b, :, q].exp().tolist()
            a, z, subject = slow_span(*pointed[:2], longest)
            c, d, object_ = slow_span(*pointed[2:], longest)
            assert said.words[b, q].tolist() == [a, z, c, d]
            assert relations[said.relations[b, q]] == max(relations)
            least = min(max(relations), subject, object_)
            assert said.scores[b, q].item() == pytest.approx(least)


def test_a_triple_that_several_queries_say_keeps_its_best_score() -> None:
    system, s = small(), SENTENCES[:1]
    none = len(SCHEMA.relations)
    words = torch.tensor([[[0, 1, 4, 4]] * 4])
    said = Said(torch.tensor([[0, none, 0, 1]]), words, torch.tensor([[0.3, 0.9, 0.6, 0.0]]))
    (found,) = system.decode(whole(system, s), said)
    scores = {p.item.relation: p.score for p in found}
    assert len(found) == 2
    assert scores[LIVES] == pytest.approx(0.6)
    assert 0 < scores[BORN] < 1e-30


def test_pointers_start_orthogonal_and_so_do_queries() -> None:
    system = small(queries=4)
    parts = [*system.heads.queries.weight.chunk(4), *system.heads.words.weight.chunk(4)]
    for matrix in (*parts, system.decoder.queries):
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(len(matrix)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("queries", "layers", "relations", "whole_model"), [
    (15, 3, 24, 141_428_765), (10, 4, 171, 150_989_744),
])  # fmt: skip
def test_parameters_are_those_of_public_code(
    queries: int, layers: int, relations: int, whole_model: int
) -> None:
    """Its BERT-base-cased has 108,310,272, and a layer of 3,076 is never used."""
    width = 768
    with torch.device("meta"):
        layer = DecoderLayer(width, 12, 4 * width, 0.1, "after")
        head = Heads(width, relations)
    own = [sum(p.numel() for p in module.parameters()) for module in (layer, head)]
    assert own[0] == 9_451_776
    decoder = layers * own[0] + queries * width + 2 * width
    assert decoder + own[1] == whole_model - 108_310_272 - 3_076


def test_words_of_an_lstm_are_read_at_one_length_and_those_of_a_transformer_as_they_are() -> None:
    system = small(lstm_width=64)
    h = 3 * torch.randn(5, 64) * torch.tensor([[0.01], [0.1], [1.0], [10.0], [100.0]])
    lengths = system.norm(h).norm(dim=1)
    assert lengths[1:].tolist() == pytest.approx([8.0] * 4, rel=1e-2)
    assert isinstance(TestSPNOnTransformer().build().norm, nn.Identity)


def test_as_many_heads_as_divide_the_width() -> None:
    assert small(lstm_width=64, heads=12).decoder.layers[0].heads == 8
    assert small(lstm_width=14, heads=4).decoder.layers[0].heads == 2


def test_pretrained_embeddings_stay_as_they_are() -> None:
    contract = TestSPNOnTransformer()
    for frozen in (True, False):
        model = replace(contract._resources.pretrained, pretrained=True)
        settings = make_settings(SPN, {"freeze_embeddings": frozen})
        system = SPN.build(settings, SCHEMA, replace(contract._resources, pretrained=model))
        assert isinstance(system.encoder, Transformer)
        tables = [m.weight for m in system.encoder.model.modules() if isinstance(m, nn.Embedding)]
        assert tables
        assert all(t.requires_grad != frozen for t in tables)
        named = {id(p) for p in system.pretrained_parameters()}
        assert all((id(t) in named) != frozen for t in tables)
    fresh = contract.build(freeze_embeddings=True)
    assert all(p.requires_grad for p in fresh.parameters())


@pytest.mark.parametrize(
    "settings",
    [
        {"queries": 0},
        {"layers": 0},
        {"dropout": 1.0},
        {"none_weight": 0.0},
        {"longest_entity": 0},
        {"matcher": "best"},
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=next(iter(settings))):
        make_settings(SPN, settings)


def test_the_papers_protocol_is_one() -> None:
    protocol = Protocol(**SPN.published.protocol)
    assert (protocol.batch_size, protocol.epochs, protocol.max_gradient_norm) == (8, 100, 1)
    assert SPN.published.on["webnlg-star"]["batch_size"] == 4


def test_a_step_on_the_longest_sentences_needs_a_third_of_a_gigabyte() -> None:
    """32 sentences of 100 words: the 4 m N D numbers of the pointers are 0.23 GB each way."""
    trained, _ = memory_of_a_step(SPN, {"encoder": "lstm"}, relations=216)
    assert trained < 340


def test_the_first_word_may_bound_an_entity() -> None:
    s = sentence("x", "Ada knows Kurt", ("Ada", LIVES, "Kurt"))
    assert ceiling(s) == [set(s.triples)]
