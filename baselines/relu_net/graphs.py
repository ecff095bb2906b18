"""Convolutions and pooling on batches of small graphs, whose adjacency matrices are dense.

Letters in shapes: B graphs, N nodes, M nodes of a second graph, C clusters, D width of a node's
vector.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from suite.modelling.ragged import Ragged

GraphKind = Literal["sage", "gcn"]
TINY = 1e-6
"""Below it a sum of an edge's weights counts as none: nothing is divided by less."""


def tree_adjacency(governors: Ragged) -> Float[Tensor, "B N N"]:
    """The undirected edges of dependency trees: 1 between a word and its head.

    Args:
        governors: for each sentence the index of each word's head; a root is its own, which is no
            edge.
    """
    sizes = governors.lengths
    words, rows = int(sizes.max()), governors.owners
    dependants = torch.arange(len(rows), device=rows.device) - governors.offsets[rows]
    adjacency = torch.zeros(len(governors), words, words, device=rows.device)
    adjacency[rows, dependants, governors.values] = 1
    adjacency[rows, governors.values, dependants] = 1
    return without_loops(adjacency)


def without_loops(adjacency: Float[Tensor, "B N N"]) -> Float[Tensor, "B N N"]:
    """The graphs without edges from a node to itself."""
    loops = torch.eye(adjacency.shape[1], dtype=torch.bool, device=adjacency.device)
    return adjacency.masked_fill(loops, 0)


def normalise(adjacency: Float[Tensor, "B N N"]) -> Float[Tensor, "B N N"]:
    """D^-1/2 A D^-1/2, where D holds the sums of A's rows; nodes without edges stay so."""
    adjacency = adjacency.float()
    scale = adjacency.sum(2).clamp(min=TINY).rsqrt()
    return adjacency * scale[:, :, None] * scale[:, None, :]


def sample_neighbours(adjacency: Float[Tensor, "B N N"], most: int) -> Float[Tensor, "B N N"]:
    """Keeps `most` edges of each row, drawn uniformly, and all of a row that has no more."""
    if adjacency.shape[1] - 1 <= most:
        return adjacency
    draws = torch.rand_like(adjacency).masked_fill(adjacency == 0, -1)
    bound = draws.topk(most, dim=2).values[:, :, -1:]
    return adjacency.masked_fill(draws < bound, 0)


class GraphConvolutions(nn.Module):
    """Layers of graph convolution, each of which ends in ReLU.

    Args:
        width: D, of input and output.
        layers: how many.
        kind: `sage`: W [g_i; mean of its neighbours], weighted by the edges (GraphSAGE; Hamilton
            et al., 2017); `gcn`: W times the sum over neighbours and the node itself, normalised
            by both degrees (Kipf and Welling, 2017).
        neighbours: of `sage`: how many of a node's are drawn in training, for each layer anew; at
            inference all are seen.
    """

    def __init__(self, width: int, layers: int, kind: GraphKind, neighbours: int) -> None:
        super().__init__()
        self.kind = kind
        self.neighbours = neighbours
        inputs = 2 * width if kind == "sage" else width
        self.layers = nn.ModuleList(_rectified(inputs, width, bias=False) for _ in range(layers))

    def forward(
        self, nodes: Float[Tensor, "B N D"], adjacency: Float[Tensor, "B N N"]
    ) -> Float[Tensor, "B N D"]:
        """The nodes after all layers; zero where a node of zeros has no neighbour."""
        for layer in self.layers:
            nodes = layer(self._seen(nodes, adjacency)).relu()
        return nodes

    def _seen(
        self, nodes: Float[Tensor, "B N D"], adjacency: Float[Tensor, "B N N"]
    ) -> Float[Tensor, "B N inputs"]:
        """What a layer's weights are applied to."""
        if self.kind == "gcn":
            loops = torch.eye(adjacency.shape[1], device=adjacency.device)
            return normalise(adjacency + loops) @ nodes
        if self.training:
            adjacency = sample_neighbours(adjacency, self.neighbours)
        weights = adjacency / adjacency.sum(2, keepdim=True).clamp(min=TINY)
        return torch.cat([nodes, weights @ nodes], 2)


class Pooled(NamedTuple):
    """A graph after pooling, and the two assignments that lead there and back.

    Attributes:
        nodes, adjacency: of the smaller graph.
        assignment: share of each node in each cluster; a cluster's shares sum to 1.
        expansion: share of each cluster in each node; a node's shares sum to 1. Padding has none.
    """

    nodes: Float[Tensor, "B C D"]
    adjacency: Float[Tensor, "B C C"]
    assignment: Float[Tensor, "B N C"]
    expansion: Float[Tensor, "B N C"]

    def unpool(self, clusters: Float[Tensor, "B C D"]) -> Float[Tensor, "B N D"]:
        """Gives every node its clusters' vectors (RelU-Net, equation 6)."""
        return self.expansion @ clusters


class MinCutPooling(nn.Module):
    """MinCut pooling (Bianchi et al., 2020) as RelU-Net takes it (section 3.1.1).

    Args:
        width: D.
        clusters: C.
        convolutions: whose output the assignments are read from.
    """

    def __init__(self, width: int, clusters: int, convolutions: GraphConvolutions) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.assign = _perceptron(width, clusters)
        self.expand = _perceptron(width, clusters)

    def forward(
        self,
        nodes: Float[Tensor, "B N D"],
        adjacency: Float[Tensor, "B N N"],
        present: Bool[Tensor, "B N"],
    ) -> Pooled:
        """Equations 1 to 4.

        Args:
            nodes: vectors.
            adjacency: symmetric, zero at padding.
            present: True at nodes, False at padding.
        """
        seen = self.convolutions(nodes, adjacency)
        absent = ~present[:, :, None]
        assignment = self.assign(seen).float().masked_fill(absent, -torch.inf).softmax(1)
        expansion = self.expand(seen).float().softmax(2).masked_fill(absent, 0)
        pooled = assignment.mT @ nodes
        edges = assignment.mT @ adjacency @ assignment
        return Pooled(pooled.relu(), normalise(without_loops(edges)), assignment, expansion)


def _perceptron(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(_rectified(width, width), nn.ReLU(), nn.Linear(width, outputs))


def _rectified(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A layer before a ReLU, whose output is as large as its input (He et al., 2015).

    torch's own initialisation halves it in each layer, and clusters then stay alike for long.
    """
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    return layer


def mincut_loss(
    assignment: Float[Tensor, "B N C"], adjacency: Float[Tensor, "B N N"]
) -> Float[Tensor, " B"]:
    """Bianchi et al.'s own losses of a pooling, the cut's and that of orthogonality, summed.

    The first is minus the share of the edges' weight that lies within clusters, the second the
    distance of S^T S from the identity, both scaled to norm 1: from -1 to the root of 2.
    """
    s = assignment.float()
    adjacency = adjacency.float()
    within = (s * (adjacency @ s)).sum((1, 2))
    total = (s.square() * adjacency.sum(2, keepdim=True)).sum((1, 2))
    gram = s.mT @ s
    clusters = gram.shape[1]
    gram = gram / torch.linalg.matrix_norm(gram).clamp(min=TINY)[:, None, None]
    identity = torch.eye(clusters, device=s.device) / clusters**0.5
    return torch.linalg.matrix_norm(gram - identity) - within / total.clamp(min=TINY)


def best_matching(
    scores: Float[Tensor, "B N M"], present: Bool[Tensor, "B M"]
) -> Int[Tensor, "B M"]:
    """The node of the first graph that each of the second is matched with, no two with the same.

    Args:
        scores: whose sum over the matched pairs is made the largest (Hungarian algorithm).
        present: True at nodes of the second graph, which stand before the padding and are no more
            than those of the first; padding is matched with node 0.
    """
    # Numbers that are not finite would end the run here, and not as one that diverged.
    held = scores.detach().nan_to_num().cpu().numpy()
    place = torch.zeros(present.shape, dtype=torch.long)
    for i, count in enumerate(present.sum(1).tolist()):
        nodes, matched = linear_sum_assignment(held[i, :, :count], maximize=True)
        place[i, torch.from_numpy(matched)] = torch.from_numpy(nodes)
    return place.to(scores.device)
