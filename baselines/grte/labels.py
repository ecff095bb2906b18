"""GRTE's labels of pairs of words: from triples to labelled cells of a table, and back.

A cell is a pair of words, the row's a subject's and the column's an object's, in a relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from suite.modelling.groups import pair_up, strongest
from suite.tasks.examples import Triple

LABELS = ("N/A", "SS", "MMH", "MMT", "MSH", "MST", "SMH", "SMT")
"""Subject and object are each of a single word (S) or of many (M); H is the cell of their first
words, T that of their last ones; both are the same cell where both are single (SS)."""
NOTHING, SINGLES = 0, 1
_KINDS = {(False, False): 0, (True, True): 1, (True, False): 2, (False, True): 3}
"""Whether subject and object have many words -> half of the number of their label H."""
MOST_CELLS = 1_000
"""Cells of a sentence that are decoded, the most probable ones: seven eighths of all that an
untrained table holds are labelled, which is millions, and decoding compares them in pairs."""
_FAR = torch.iinfo(torch.int64).max


def label_cells(
    triples: Iterable[Triple], relations: Mapping[str, int]
) -> list[tuple[int, int, int, int]]:
    """The cells that mark the triples: subject's word, object's word, relation and label.

    A cell has one label in each relation. Of triples that want several, the first one is marked;
    another one is marked by both of its cells or by none, for half of it would be read as a half of
    others.

    Args:
        triples: of a sentence.
        relations: name -> number; triples of others are left out.
    """
    table: dict[tuple[int, int, int], int] = {}
    for head, name, tail in triples:
        if name not in relations:
            continue
        relation = relations[name]
        kind = _KINDS[head.end - head.start > 1, tail.end - tail.start > 1]
        wanted = {(head.start, tail.start, relation): 2 * kind if kind else SINGLES}
        if kind:
            wanted[head.end - 1, tail.end - 1, relation] = 2 * kind + 1
        if all(table.get(cell, label) == label for cell, label in wanted.items()):
            table.update(wanted)
    return [(*cell, label) for cell, label in table.items()]


class Cells(NamedTuple):
    """Labelled cells of a batch.

    Attributes:
        sentences: of each cell.
        subjects, objects: its words, by any numbers that rise within a sentence by one.
        relations: its relation.
        labels: its label, never `NOTHING`.
        scores: the label's probability.
    """

    sentences: Int[Tensor, " cells"]
    subjects: Int[Tensor, " cells"]
    objects: Int[Tensor, " cells"]
    relations: Int[Tensor, " cells"]
    labels: Int[Tensor, " cells"]
    scores: Float[Tensor, " cells"]

    def select(self, which: Int[Tensor, " some"]) -> Cells:
        """Some of the cells."""
        return Cells(*(column[which] for column in self))

    @classmethod
    def joined(cls, parts: Iterable[Cells]) -> Cells:
        """Those of all parts."""
        return cls(*map(torch.cat, zip(*parts, strict=True)))

    def most_probable(self, most: int = MOST_CELLS) -> Cells:
        """At most so many cells of each sentence; of equal ones, the earlier ones."""
        return self.select(strongest(self.sentences, self.scores, most))


class FoundTriples(NamedTuple):
    """Triples of a batch; words as `Cells` numbers them, the last ones included in their spans."""

    sentences: Int[Tensor, " found"]
    subject_first: Int[Tensor, " found"]
    subject_last: Int[Tensor, " found"]
    relations: Int[Tensor, " found"]
    object_first: Int[Tensor, " found"]
    object_last: Int[Tensor, " found"]
    scores: Float[Tensor, " found"]


def find_triples(cells: Cells, *, reverse: bool) -> FoundTriples:
    """Reads triples off labelled cells (Algorithm 1).

    A cell H goes with the closest cell T of the same letters, relation and sentence that is in the
    same row or below, and in the same column or to the right, according to the letters. Closest is
    what is fewest rows and columns away together, and of those the fewest rows. A triple's score is
    that of its less probable cell.

    Args:
        cells: in any order, each once.
        reverse: whether each T also goes with the closest H; both searches' triples are kept.
    """
    single = (cells.labels == SINGLES).nonzero().squeeze(1)
    paired = _pair(cells, reverse=reverse)
    first = torch.cat([single, paired[0]])
    last = torch.cat([single, paired[1]])
    return FoundTriples(
        cells.sentences[first],
        cells.subjects[first],
        cells.subjects[last],
        cells.relations[first],
        cells.objects[first],
        cells.objects[last],
        torch.minimum(cells.scores[first], cells.scores[last]),
    )


def _pair(cells: Cells, *, reverse: bool) -> Int[Tensor, "2 pairs"]:
    """The cells H and T of each triple that has two; each pair once, which is each triple once."""
    if not len(cells.labels):
        return cells.labels.new_empty((2, 0))
    groups = cells.sentences * (cells.relations.max() + 1) + cells.relations
    groups = groups * len(_KINDS) + cells.labels // 2
    many = cells.labels != SINGLES
    heads, tails = (_in_groups(many & (cells.labels % 2 == odd), groups) for odd in (0, 1))
    begin = torch.searchsorted(groups[tails], groups[heads])
    counts = torch.searchsorted(groups[tails], groups[heads], right=True) - begin
    best_tail, best_head = (torch.full_like(which, _FAR) for which in (heads, tails))
    for every_head, every_tail in pair_up(begin, counts):
        distance = _distances(cells, heads[every_head], tails[every_tail])
        near = (distance < _FAR).nonzero().squeeze(1)
        head, tail, distance = every_head[near], every_tail[near], distance[near]
        best_tail.scatter_reduce_(0, head, distance * len(tails) + tail, "amin")
        best_head.scatter_reduce_(0, tail, distance * len(heads) + head, "amin")
    pairs = [_chosen(best_tail, len(tails))]
    if reverse:
        pairs.append(_chosen(best_head, len(heads)).flip(0))
    head, tail = torch.cat(pairs, 1).unique(dim=1)
    return torch.stack([heads[head], tails[tail]])


def _in_groups(which: Bool[Tensor, " cells"], groups: Tensor) -> Int[Tensor, " some"]:
    """The cells that are marked, those of a group next to each other."""
    some = which.nonzero().squeeze(1)
    return some[groups[some].argsort(stable=True)]


def _distances(
    cells: Cells, heads: Int[Tensor, " pairs"], tails: Int[Tensor, " pairs"]
) -> Int[Tensor, " pairs"]:
    """How far each T is from its H, to be compared; `_FAR` where it is not where it has to be."""
    kinds = cells.labels[heads] // 2
    rows = cells.subjects[tails] - cells.subjects[heads]
    columns = cells.objects[tails] - cells.objects[heads]
    fits = torch.where(kinds != _KINDS[False, True], rows > 0, rows == 0)
    fits &= torch.where(kinds != _KINDS[True, False], columns > 0, columns == 0)
    return torch.where(fits, (rows + columns) * (cells.subjects.max() + 1) + rows, _FAR)


def _chosen(best: Int[Tensor, " own"], size: int) -> Int[Tensor, "2 pairs"]:
    """Each cell that found another, with that one."""
    own = (best < _FAR).nonzero().squeeze(1)
    return torch.stack([own, best[own] % max(1, size)])
