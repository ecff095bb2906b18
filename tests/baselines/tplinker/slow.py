"""TPLinker's equations and its algorithm 1, word by word and tag by tag."""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from suite.tasks.examples import Sentence, Span, Triple

Cell = tuple[int, int]


class Tables(NamedTuple):
    """Log probabilities of the tags of each pair of words.

    Attributes:
        entities: no or one.
        heads: for each relation none, forward or backward, of first words.
        tails: likewise of last words.
    """

    entities: dict[Cell, list[float]]
    heads: dict[tuple[Cell, int], list[float]]
    tails: dict[tuple[Cell, int], list[float]]


def pool(kernel: Any, x: Tensor) -> Tensor:
    """One vector of the words from the first to the second."""
    if kernel.between == "lstm":
        lstm = torch.nn.LSTM(kernel.width, kernel.width)
        theirs = (kernel.gates.weight, kernel.recurrent.weight, kernel.gates.bias)
        for name, value in zip(("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"), theirs, strict=True):
            getattr(lstm, name).data.copy_(value)
        lstm.bias_hh_l0.data.zero_()
        return lstm(x[:, None])[0][-1, 0]
    if kernel.between == "mix":
        return kernel.share * x.mean(0) + (1 - kernel.share) * x.amax(0)
    return x.mean(0) if kernel.between == "mean" else x.amax(0)


def normal(h: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(h, h.shape, eps=1e-12)


def vector(kernel: Any, h: Tensor, i: int, j: int) -> Tensor:
    """The vector of a pair."""
    between = None
    if kernel.between:
        between = pool(kernel, h[i : j + 1])
    if kernel.concatenates:
        parts = [h[i], h[j], *([] if between is None else [between])]
        return (kernel.combine.weight @ torch.cat(parts) + kernel.combine.bias).tanh()
    first = kernel.of_first
    y = normal(h[j]) * first.scale(h[i]) + first.shift(h[i])
    if between is not None:
        y = normal(y) * kernel.of_between.scale(between) + kernel.of_between.shift(between)
    return y


def distance(width: int, steps: int) -> Tensor:
    """The sinusoidal vector of a distance."""
    return torch.tensor([
        math.sin(steps / 10000 ** (k / width)) if k % 2 == 0
        else math.cos(steps / 10000 ** ((k - 1) / width))
        for k in range(width)
    ])  # fmt: skip


def log_softmax(scores: list[float]) -> list[float]:
    top = max(scores)
    whole = top + math.log(sum(math.exp(s - top) for s in scores))
    return [s - whole for s in scores]


def tables(system: Any, h: Tensor) -> Tables:
    """All tags' log probabilities for one sentence of one tag a cell."""
    relations = len(system.schema.relations)
    found = Tables({}, {}, {})
    for i, j in itertools.combinations_with_replacement(range(len(h)), 2):
        y = vector(system.kernel, h, i, j)
        if system.settings.distances:
            y = y + distance(len(y), j - i)
        found.entities[i, j] = log_softmax(system.taggers.entity(y).tolist())
        for layer, table in (
            (system.taggers.heads, found.heads),
            (system.taggers.tails, found.tails),
        ):
            scores = layer(y).view(-1, relations).tolist()
            for r in range(relations):
                table[(i, j), r] = log_softmax([tag[r] for tag in scores])
    return found


class Tags(NamedTuple):
    """Which tag each pair of words has; 0 is none."""

    entities: dict[Cell, int]
    heads: dict[tuple[Cell, int], int]
    tails: dict[tuple[Cell, int], int]


def gold_tags(sentence: Sentence, relations: tuple[str, ...]) -> Tags:
    """The paper's three kinds of tags; of two tags of a cell, the later triple's."""
    found = Tags({}, {}, {})
    for subject, relation, other in sentence.triples:
        r = relations.index(relation)
        for span in (subject, other):
            found.entities[span.start, span.end - 1] = 1
        for table, s, o in (
            (found.heads, subject.start, other.start),
            (found.tails, subject.end - 1, other.end - 1),
        ):
            table[(min(s, o), max(s, o)), r] = 1 if s <= o else 2
    return found


def losses(found: Tables, tags: Tags, words: int) -> list[float]:
    """Minus the log probabilities of the right tags, of each kind, by words."""
    return [
        -sum(row[right.get(cell, 0)] for cell, row in table.items()) / words  # type: ignore[call-overload]
        for table, right in zip(found, tags, strict=True)
    ]


def predicted_tags(found: Tables) -> Tags:
    """The most probable tag of every cell."""
    tags = ({c: row.index(max(row)) for c, row in t.items()} for t in found)  # type: ignore[attr-defined]
    return Tags(*tags)


def decode(tags: Tags, relations: tuple[str, ...]) -> dict[Triple, list[tuple[str, Any, int]]]:
    """Algorithm 1: triples, each with the four cells and tags that make it."""
    begin: dict[int, list[Cell]] = {}
    for (i, j), tag in tags.entities.items():
        if tag:
            begin.setdefault(i, []).append((i, j))
    found: dict[Triple, list[tuple[str, Any, int]]] = {}
    for r, name in enumerate(relations):
        ends: dict[Cell, tuple[str, Any, int]] = {}
        for key, tag in tags.tails.items():
            (i, j), relation = key
            if relation == r and tag:
                ends[(i, j) if tag == 1 else (j, i)] = ("tails", key, tag)
        for key, tag in tags.heads.items():
            (i, j), relation = key
            if relation != r or not tag:
                continue
            a, c = (i, j) if tag == 1 else (j, i)
            for s in begin.get(a, []):
                for o in begin.get(c, []):
                    if (s[1], o[1]) in ends:
                        triple = Triple(Span(s[0], s[1] + 1), name, Span(o[0], o[1] + 1))
                        four = [("entities", s, 1), ("entities", o, 1), ("heads", key, tag)]
                        found[triple] = [*four, ends[s[1], o[1]]]
    return found
