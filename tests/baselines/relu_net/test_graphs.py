"""Graph convolutions and pooling against loops over nodes, and matchings against all of them."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from baselines.relu_net.graphs import (
    GraphConvolutions,
    GraphKind,
    MinCutPooling,
    best_matching,
    mincut_loss,
    normalise,
    sample_neighbours,
    tree_adjacency,
    without_loops,
)
from suite.modelling.ragged import Ragged

WIDTH = 5
KINDS: tuple[GraphKind, ...] = ("sage", "gcn")
FORESTS = st.lists(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.integers(0, n - 1), min_size=n, max_size=n)),
    min_size=1,
    max_size=4,
)


def graph(nodes: int, seed: int = 0, share: float = 0.5) -> tuple[Tensor, Tensor]:
    """Vectors, and weighted undirected edges between some of the nodes; the last one has none."""
    torch.manual_seed(seed)
    edges = torch.rand(nodes, nodes) * (torch.rand(nodes, nodes) < share)
    edges = (edges + edges.T).fill_diagonal_(0)
    edges[-1] = edges[:, -1] = 0
    return torch.randn(nodes, WIDTH), edges


def padded(nodes: Tensor, edges: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """The graph with rows of zeros below it, and which rows are nodes."""
    more = size - len(nodes)
    present = torch.arange(size) < len(nodes)
    pad = torch.nn.functional.pad
    return pad(nodes, (0, 0, 0, more)), pad(edges, (0, more, 0, more)), present


@given(FORESTS)
def test_trees_have_an_edge_between_each_word_and_its_head(forests: list[list[int]]) -> None:
    found = tree_adjacency(Ragged.from_rows(forests))
    for i, heads in enumerate(forests):
        edges = {frozenset((word, head)) for word, head in enumerate(heads) if word != head}
        for j, k in itertools.product(range(found.shape[1]), repeat=2):
            assert found[i, j, k] == (frozenset((j, k)) in edges)


def test_normalised_edges_are_divided_by_the_roots_of_both_degrees() -> None:
    _, edges = graph(6)
    found = normalise(edges[None])[0]
    degrees = [sum(row) for row in edges.tolist()]
    for i, j in itertools.product(range(6), repeat=2):
        degree = degrees[i] * degrees[j]
        expected = edges[i, j].item() / degree**0.5 if degree else 0.0
        assert found[i, j].item() == pytest.approx(expected, abs=1e-6)


def test_nodes_without_edges_have_a_gradient() -> None:
    edges = torch.zeros(1, 3, 3, requires_grad=True)
    normalise(without_loops(edges)).sum().backward()
    assert edges.grad is not None
    assert torch.isfinite(edges.grad).all()


@settings(max_examples=30)
@given(st.integers(2, 9), st.integers(1, 9), st.integers(0, 99))
def test_sampled_neighbours_are_some_of_all(size: int, most: int, seed: int) -> None:
    _, edges = graph(size, seed)
    kept = sample_neighbours(edges[None], most)[0]
    assert torch.equal(kept[kept > 0], edges[kept > 0])
    counts = (kept > 0).sum(1)
    assert torch.equal(counts, (edges > 0).sum(1).clamp(max=most))


def test_every_neighbour_is_drawn_as_often() -> None:
    torch.manual_seed(0)
    kept = sample_neighbours(without_loops(torch.ones(3000, 6, 6)), most=2)
    shares = (kept > 0).float().mean(0)
    torch.testing.assert_close(
        shares, without_loops(torch.full((1, 6, 6), 0.4))[0], atol=0.04, rtol=0
    )


def convolved(layers: GraphConvolutions, nodes: Tensor, edges: Tensor) -> Tensor:
    """RelU-Net's equation 5, or Kipf and Welling's layer, a node at a time."""
    size = len(nodes)
    for layer in layers.layers:
        seen = []
        for i in range(size):
            weights = edges[i].tolist()
            if layers.kind == "sage":
                mean = torch.zeros(WIDTH)
                for j in range(size):
                    if weights[j]:
                        mean = mean + weights[j] / sum(weights) * nodes[j]
                seen.append(torch.cat([nodes[i], mean]))
            else:
                degree = [1 + sum(edges[j].tolist()) for j in range(size)]
                seen.append(
                    sum(
                        ((weights[j] + (i == j)) / (degree[i] * degree[j]) ** 0.5) * nodes[j]
                        for j in range(size)
                    )
                )
        nodes = torch.stack([(layer.weight @ x).clamp(min=0) for x in seen])
    return nodes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
def test_convolutions_are_those_of_their_papers(kind: GraphKind, layers: int) -> None:
    nodes, edges = graph(7)
    module = GraphConvolutions(WIDTH, layers, kind, neighbours=2).eval()
    found = module(nodes[None], edges[None])[0]
    torch.testing.assert_close(found, convolved(module, nodes, edges))


def test_neighbours_are_drawn_in_training_alone_and_for_each_layer_anew() -> None:
    nodes, edges = graph(9, share=1.0)
    module = GraphConvolutions(WIDTH, 1, "sage", neighbours=2).train()
    torch.manual_seed(0)
    drawn = [module(nodes[None], edges[None]) for _ in range(5)]
    assert any(not torch.equal(drawn[0], other) for other in drawn[1:])
    module.eval()
    assert torch.equal(module(nodes[None], edges[None]), module(nodes[None], edges[None]))
    wide = GraphConvolutions(WIDTH, 1, "sage", neighbours=8)
    seen = wide.train()(nodes[None], edges[None])
    assert torch.equal(seen, wide.eval()(nodes[None], edges[None])), "no more than 8 neighbours"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 2, 6])
def test_pooling_is_that_of_equations_1_to_4(kind: GraphKind, size: int) -> None:
    nodes, edges = graph(size)
    clusters = 3
    module = MinCutPooling(WIDTH, clusters, GraphConvolutions(WIDTH, 2, kind, 10)).eval()
    pooled = module(nodes[None], edges[None], torch.ones(1, size, dtype=torch.bool))
    seen = convolved(module.convolutions, nodes, edges)
    scores = [module.assign(x).exp().tolist() for x in seen]
    s = [[row[c] / sum(r[c] for r in scores) for c in range(clusters)] for row in scores]
    raw = [[0.0] * clusters for _ in range(clusters)]
    for c, d in itertools.permutations(range(clusters), 2):
        for i, j in itertools.product(range(size), repeat=2):
            raw[c][d] += s[i][c] * edges[i, j].item() * s[j][d]
    for c in range(clusters):
        vector = sum((s[i][c] * nodes[i] for i in range(size)), torch.zeros(WIDTH)).clamp(min=0)
        torch.testing.assert_close(pooled.nodes[0, c], vector)
        for d in range(clusters):
            degree = sum(raw[c]) * sum(raw[d])
            expected = raw[c][d] / degree**0.5 if degree else 0.0
            assert pooled.adjacency[0, c, d].item() == pytest.approx(expected, abs=1e-5)
    # Equation 6.
    smaller = torch.randn(clusters, WIDTH)
    for i in range(size):
        shares = module.expand(seen[i]).exp()
        vector = sum(shares[c] / shares.sum() * smaller[c] for c in range(clusters))
        torch.testing.assert_close(pooled.unpool(smaller[None])[0, i], vector)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_has_no_part_in_pooling(kind: GraphKind) -> None:
    module = MinCutPooling(WIDTH, 4, GraphConvolutions(WIDTH, 2, kind, 10)).eval()
    graphs = [graph(size, seed=size) for size in (1, 3, 6)]
    rows = [padded(*one, size=8) for one in graphs]
    together = module(*(torch.stack(parts) for parts in zip(*rows, strict=True)))
    for i, (nodes, edges) in enumerate(graphs):
        size = len(nodes)
        alone = module(nodes[None], edges[None], torch.ones(1, size, dtype=torch.bool))
        for name in ("nodes", "adjacency"):
            torch.testing.assert_close(getattr(together, name)[i], getattr(alone, name)[0])
        for name in ("assignment", "expansion"):
            shares = getattr(together, name)[i]
            torch.testing.assert_close(shares[:size], getattr(alone, name)[0])
            assert not shares[size:].any(), "padded rows are zero"


def test_mincut_losses_are_those_of_bianchi_and_others() -> None:
    _, edges = graph(6)
    s = torch.rand(6, 3)
    within, total = 0.0, 0.0
    for i, j, c in itertools.product(range(6), range(6), range(3)):
        within += (s[i, c] * edges[i, j] * s[j, c]).item()
        total += (s[i, c] * edges[i, j] * s[i, c]).item()
    gram = s.T @ s
    off = gram / gram.square().sum().sqrt() - torch.eye(3) / 3**0.5
    expected = -within / total + off.square().sum().sqrt().item()
    assert mincut_loss(s[None], edges[None]).item() == pytest.approx(expected, abs=1e-5)


def test_mincut_losses_are_least_where_clusters_are_the_components() -> None:
    edges = torch.block_diag(*[torch.ones(3, 3).fill_diagonal_(0)] * 2)[None]
    apart = torch.eye(2).repeat_interleave(3, 0)[None].requires_grad_()
    loss = mincut_loss(apart, edges)
    assert loss.item() == pytest.approx(-1, abs=1e-6)
    (gradient,) = torch.autograd.grad(loss.sum(), apart)
    assert torch.isfinite(gradient).all()
    assert mincut_loss(torch.rand(1, 6, 2), edges).item() > -1
    assert torch.isfinite(mincut_loss(apart, torch.zeros_like(edges))), "a graph without edges"


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(0, 99))
def test_the_best_matching_is_the_best_of_all(nodes: int, seed: int) -> None:
    torch.manual_seed(seed)
    scores = torch.randn(3, nodes, nodes)
    counts = torch.randint(0, nodes + 1, (3,))
    present = torch.arange(nodes) < counts[:, None]
    found = best_matching(scores, present)
    for row, place, count in zip(scores, found.tolist(), counts.tolist(), strict=True):
        every = itertools.permutations(range(nodes), count)
        best = max(every, key=lambda p: sum(row[i, j].item() for j, i in enumerate(p)))
        assert place[:count] == list(best)


def test_scores_that_are_no_numbers_are_matched_somehow() -> None:
    scores = torch.full((1, 3, 2), torch.nan)
    place = best_matching(scores, torch.ones(1, 2, dtype=torch.bool))
    assert len(set(place[0].tolist())) == 2
