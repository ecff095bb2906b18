"""RelU-Net against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertModel

from baselines.relu_net.system import RelUNet
from suite.errors import SuiteError
from suite.modelling.cascade import batch_targets
from suite.modelling.parsers import Chain, DependencyParser
from suite.modelling.pretrained import find_pretrained
from suite.systems.contract import given, predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Sentence, Span, Triple
from tests.contract import SystemContract, predictions, whole
from tests.corpus import INVERSE, LIVES, NESTED_HEADS, PART, SCHEMA, SENTENCES, resources

SMALL = {"encoder": "lstm", "lstm_width": 12, "lstm_dropout": 0.0}
"""Settings of the equations' tests."""
LOOP = replace(SENTENCES[0], id="loop", triples=(Triple(Span(0, 2), PART, Span(0, 2)),))
"""A triple whose head is its tail: an edge from a node to itself, of which there are none."""
ONE_WORD = Sentence("one word", ("Oslo",), (Triple(Span(0, 1), LIVES, Span(0, 1)),))
EXAMPLES = [*SENTENCES, LOOP, ONE_WORD]


class Forest(DependencyParser):
    """A root at every fourth word, on which the three words after it depend in two steps."""

    source = "a forest"

    def heads(self, sentences: Sequence[Sequence[str]]) -> list[list[int]]:
        return [[i - (0, 1, 2, 1)[i % 4] for i in range(len(words))] for words in sentences]


class TestRelUNet(SystemContract):
    system = RelUNet
    pretrained = True
    steps = 90
    learning_rate = 2e-3
    beyond, lost = INVERSE, NESTED_HEADS


class TestFullTreeOfAnLSTM(SystemContract):
    system = RelUNet
    settings = {**SMALL, "lstm_width": 64, "pooling": False, "graph": "gcn"}
    steps = 250
    learning_rate = 5e-3
    beyond, lost = INVERSE, NESTED_HEADS


def small(**settings: Any) -> RelUNet:
    torch.manual_seed(1)
    made = make_settings(RelUNet, {**SMALL, **settings})
    system = RelUNet.build(made, SCHEMA, replace(resources(pretrained=False), parser=Forest()))
    # Fresh clusters are all alike, and one matching is as good as another: here they differ.
    for pooling in system.graph.poolings:
        for perceptron in (pooling.assign, pooling.expand):
            torch.nn.init.normal_(perceptron[2].weight, std=20.0)
    if system.matching is not None:
        torch.nn.init.normal_(system.matching.bilinear.weight, std=3.0)
    return system.eval()


def tree_of(sentence: Sentence) -> Tensor:
    size = len(sentence.words)
    edges = torch.zeros(size, size)
    for word, head in enumerate(Forest().heads([sentence.words])[0]):
        if word != head:
            edges[word, head] = edges[head, word] = 1
    return edges


def sage(module: Any, nodes: list[Tensor], edges: Tensor) -> list[Tensor]:
    """Equation 5 with all neighbours, a node at a time."""
    for layer in module.layers:
        new = []
        for i, own in enumerate(nodes):
            weights = edges[i].tolist()
            mean = torch.zeros_like(own)
            if sum(weights):
                mean = sum(
                    (w / sum(weights) * n for w, n in zip(weights, nodes, strict=True)), mean
                )
            new.append((layer.weight @ torch.cat([own, mean])).clamp(min=0))
        nodes = new
    return nodes


def read_by_hand(
    system: RelUNet, sentence: Sentence
) -> tuple[list[Tensor], list[Tensor], list[Tensor], Tensor]:
    """E, H, and the core's nodes and edges, by equations 1 to 6, from loops over nodes."""
    words = list(system.encoder(whole(system, [sentence]).text)[0])
    nodes, edges = words, tree_of(sentence)
    on_the_way = []
    for pooling in system.graph.poolings:
        seen = sage(pooling.convolutions, nodes, edges)
        into = torch.stack([pooling.assign(x) for x in seen]).exp()
        into = into / into.sum(0)  # the shares of all nodes in a cluster
        back = torch.stack([pooling.expand(x) for x in seen]).exp()
        back = back / back.sum(1, keepdim=True)  # the shares of all clusters in a node
        on_the_way.append((nodes, back))
        raw = into.T @ edges @ into
        raw = raw - torch.diag(torch.diag(raw))
        degrees = raw.sum(1).tolist()
        nodes = [
            sum((into[i, c] * n for i, n in enumerate(nodes)), torch.zeros_like(words[0])).relu()
            for c in range(into.shape[1])
        ]
        edges = torch.zeros_like(raw)
        for c, d in itertools.product(range(len(nodes)), repeat=2):
            if raw[c, d]:
                edges[c, d] = raw[c, d] / math.sqrt(degrees[c] * degrees[d])
    core, core_edges = nodes, edges
    hidden = sage(system.graph.convolutions, nodes, edges)
    for skipped, back in reversed(on_the_way):
        hidden = [
            sum((back[i, c] * h for c, h in enumerate(hidden)), skip)
            for i, skip in enumerate(skipped)
        ]
    return words, hidden, core, core_edges


def graph_losses_by_hand(system: RelUNet, sentence: Sentence) -> tuple[float, float]:
    """Equations 8 to 10, every matching tried."""
    words, _, core, edges = read_by_hand(system, sentence)
    entities = list(dict.fromkeys(s for t in sentence.triples for s in (t.head, t.tail)))
    entities = entities[: len(core)]
    assert system.matching is not None
    weight = system.matching.bilinear.weight
    cost = {}
    for j, span in enumerate(entities):
        gold = sum(words[span.start : span.end], torch.zeros_like(words[0]))
        gold = gold / (span.end - span.start)
        for i, node in enumerate(core):
            cost[i, j] = -(node @ weight @ gold).item()
    every = itertools.permutations(range(len(core)), len(entities))
    best = min(every, key=lambda p: sum(cost[i, j] for j, i in enumerate(p)))
    bipartite = 0.0
    for j, i in enumerate(best):
        bipartite -= math.log(math.exp(-cost[i, j]) / sum(math.exp(-c) for c in cost.values()))
    linked = set()
    for t in sentence.triples:
        if t.head in entities and t.tail in entities:
            ends = best[entities.index(t.head)], best[entities.index(t.tail)]
            linked |= {ends, ends[::-1]}
    similarity = 0.0
    for i, j in itertools.permutations(range(len(core)), 2):
        share = min(max(edges[i, j].item(), 1e-6), 1 - 1e-6)
        similarity -= math.log(share if (i, j) in linked else 1 - share)
    return bipartite, similarity


@pytest.mark.parametrize("clusters", [(5, 4), (4, 2), (6,)])
def test_the_words_vectors_are_those_of_equations_1_to_6(clusters: tuple[int, ...]) -> None:
    system = small(clusters=clusters)
    vectors, h, levels = system._read(whole(system, EXAMPLES))
    for i, sentence in enumerate(EXAMPLES):
        words, hidden, core, edges = read_by_hand(system, sentence)
        size = len(words)
        torch.testing.assert_close(vectors[i, :size], torch.stack(words))
        torch.testing.assert_close(h[i, :size], torch.stack(hidden))
        torch.testing.assert_close(levels[-1].pooled.nodes[i], torch.stack(core))
        torch.testing.assert_close(levels[-1].pooled.adjacency[i], edges, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("clusters", [(6, 4), (6, 3), (6, 1)])
def test_losses_are_those_of_equations_7_to_10(clusters: tuple[int, ...]) -> None:
    """With a core of three nodes or one, a gold graph of four entities does not fit."""
    assert max(len({s for t in e.triples for s in (t.head, t.tail)}) for e in EXAMPLES) == 4
    system = small(clusters=clusters, similarity_weight=0.5, bipartite_weight=2.0)
    batch = whole(system, EXAMPLES)
    loss = system.loss(batch)
    expected = [graph_losses_by_hand(system, sentence) for sentence in EXAMPLES]
    bipartite, similarity = (sum(values) / len(EXAMPLES) for values in zip(*expected, strict=True))
    assert loss.parts["bipartite"].item() == pytest.approx(2 * bipartite, rel=1e-4, abs=1e-6)
    assert loss.parts["similarity"].item() == pytest.approx(0.5 * similarity, rel=1e-4, abs=1e-6)
    _, h, _ = system._read(batch)
    tagged = system.tagger.loss(h, batch)
    assert loss.parts["subject"] == tagged.parts["subject"]
    assert loss.parts["object"] == tagged.parts["object"]
    assert loss.total.item() == pytest.approx(
        tagged.total.item() + 2 * bipartite + 0.5 * similarity, rel=1e-4
    )


def test_the_gold_graph_holds_each_entity_once_and_each_triple() -> None:
    system = small()
    batch = whole(system, SENTENCES)
    row = next(i for i, s in enumerate(SENTENCES) if s.id == "two heads")
    entities, edges = (c.select(torch.tensor([row])) for c in (batch.entities, batch.edges))
    kurt, princeton, noether, vienna = [0, 0], [7, 7], [2, 3], [12, 12]
    assert entities.values.tolist() == [kurt, princeton, noether, vienna]
    assert edges.values.tolist() == [[0, 1], [2, 1], [0, 3]]
    assert len(batch_targets(batch).heads) == 7, "the tagger's targets stand beside it"


def test_without_pooling_the_tree_itself_is_convolved() -> None:
    system = small(pooling=False)
    assert system.matching is None
    batch = whole(system, EXAMPLES)
    _, h, levels = system._read(batch)
    assert not levels
    for i, sentence in enumerate(EXAMPLES):
        words = list(system.encoder(whole(system, [sentence]).text)[0])
        convolved = sage(system.graph.convolutions, words, tree_of(sentence))
        expected = torch.stack(words) + torch.stack(convolved)
        torch.testing.assert_close(h[i, : len(words)], expected)
    assert set(system.loss(batch).parts) == {"subject", "object"}


ALL = {"subject", "object", "bipartite", "similarity"}


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({}, ALL),
        ({"graph": "gcn"}, ALL),
        ({"bipartite_weight": 0.0}, ALL - {"bipartite"}),
        ({"bipartite_weight": 0.0, "similarity_weight": 0.0}, {"subject", "object"}),
        ({"mincut_weight": 0.5}, ALL | {"mincut"}),
        ({"clusters": [12, 8, 4]}, ALL),
        ({"graph_layers": 1, "neighbours": 1}, ALL),
        ({"heads_per_step": "one", "end_projection": False}, ALL),
        ({"pooling": False, "graph": "gcn"}, {"subject", "object"}),
    ],
)
def test_variants_train(settings: dict[str, Any], parts: set[str]) -> None:
    system = small(**settings).train()
    batch = whole(system, EXAMPLES)
    optimiser = torch.optim.SGD(system.parameters(), lr=1e-3)
    torch.manual_seed(0)  # the same neighbours are drawn before and after
    before = system.loss(batch)
    assert set(before.parts) == parts
    before.total.backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in system.parameters())
    unmoved = [n for n, p in system.named_parameters() if p.grad is None]
    expected = ["matching.bilinear.weight"] if parts == ALL - {"bipartite"} else []
    assert unmoved == expected, "only the matching's weights, where nothing but a choice is made"
    optimiser.step()
    torch.manual_seed(0)
    assert system.loss(batch).total < before.total


def test_gold_pulls_the_cores_edges() -> None:
    """L_sim alone makes linked core nodes more alike to the gold graph."""
    system = small(bipartite_weight=0.0, similarity_weight=1.0, clusters=(6, 4))
    batch = whole(system, EXAMPLES)
    graph = list(system.graph.poolings.parameters())
    optimiser = torch.optim.Adam(graph, lr=1e-2)
    first = system.loss(batch).parts["similarity"]
    for _ in range(30):
        optimiser.zero_grad()
        losses = {n: v for n, _, v in system._graph_losses(batch, *system._read(batch)[::2])}
        losses["similarity"].mean().backward()
        optimiser.step()
    assert system.loss(batch).parts["similarity"] < 0.9 * first


def test_a_sentence_that_the_parser_splits_and_one_word_are_read_as_any() -> None:
    system = small()
    alone = predictions(system, EXAMPLES, size=1)
    together = predictions(system, EXAMPLES, size=len(EXAMPLES))
    for name, row in alone.items():
        assert together[name] == pytest.approx(row, abs=1e-4), name
    forest = tree_of(SENTENCES[-1])
    assert forest[:4, 4:].sum() == 0, "no edge leads from one tree to the next"
    with torch.inference_mode():
        assert len(predict(system, whole(system, [given(system, ONE_WORD)]))) == 1


def test_the_tree_has_a_part_in_what_is_found() -> None:
    system = small()
    _, of_forest, _ = system._read(whole(system, SENTENCES))
    system.parser = Chain()
    _, of_chain, _ = system._read(whole(system, SENTENCES))
    assert not torch.allclose(of_forest, of_chain)


def test_a_run_that_diverged_has_a_loss_that_is_no_number() -> None:
    system = small()
    with torch.no_grad():
        system.encoder.left_to_right[0].weight_ih_l0.fill_(torch.nan)
    assert torch.isnan(system.loss(whole(system, EXAMPLES)).total)


def test_a_random_encoder_has_fresh_weights_and_their_learning_rate() -> None:
    given = resources(pretrained=True)
    pretrained = replace(given, pretrained=replace(given.pretrained, pretrained=True))
    learnt = RelUNet.build(make_settings(RelUNet, {}), SCHEMA, pretrained)
    assert list(learnt.pretrained_parameters())
    fresh = RelUNet.build(make_settings(RelUNet, {"encoder": "random"}), SCHEMA, pretrained)
    assert not list(fresh.pretrained_parameters())
    assert fresh.encoder.width == learnt.encoder.width


def test_fresh_weights_are_of_the_same_architecture(tmp_path: Path) -> None:
    tokenizer = resources(pretrained=True).pretrained.tokenizer
    tokenizer.save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=32,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).half().save_pretrained(tmp_path)
    learnt = find_pretrained(str(tmp_path), [])
    fresh = learnt.with_fresh_weights()
    assert learnt.pretrained
    assert not fresh.pretrained
    before, after = (dict(m.make_model().named_parameters()) for m in (learnt, fresh))
    assert {n: (p.shape, p.dtype) for n, p in before.items()} == {
        n: (p.shape, p.dtype) for n, p in after.items()
    }
    name = "encoder.layer.0.attention.self.query.weight"
    assert not torch.allclose(before[name], after[name])


def test_what_is_missing_is_named() -> None:
    without = replace(resources(pretrained=False), parser=None)
    with pytest.raises(SuiteError, match="--parser chain"):
        RelUNet.build(make_settings(RelUNet, SMALL), SCHEMA, without)


def test_a_parser_is_needed_besides_the_encoder() -> None:
    assert RelUNet.resources_needed(make_settings(RelUNet, {})) == {"parser", "pretrained"}


@pytest.mark.parametrize(
    "settings",
    [{"clusters": []}, {"clusters": [4, 0]}, {"graph_layers": 0}, {"neighbours": 0},
     {"threshold": 1.0}, {"bipartite_weight": -1.0}, {"graph": "gat"}],
)  # fmt: skip
def test_settings_without_a_meaning_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SuiteError, match=next(iter(settings))):
        make_settings(RelUNet, settings)
