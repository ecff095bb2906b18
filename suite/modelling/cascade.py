"""What cascade taggers share: packed targets of heads and tails, and decoding tags to triples.

A cascade tagger (CasRel; FastRE, section 2.3) first tags the start and the end of every head
entity, then, for each head and relation, the start and the end of every tail entity.

Letters in shapes: B sentences, N words, C classes of a tagger, T head entities of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from suite.modelling.batch import Batch, Columns
from suite.modelling.groups import group_starts
from suite.modelling.ragged import Ragged
from suite.modelling.room import held_at_once
from suite.modelling.triples import predicted_triples
from suite.tasks.examples import Sentence
from suite.tasks.items import Prediction
from suite.tasks.schema import Schema

HeadsPerStep = Literal["all", "one"]
SpanRule = Literal["nearest", "until next start"]
TailRule = Literal["nearest", "public code"]
MAX_SPAN_WORDS = 20
"""Longest head under the rule `until next start` (public FastRE code: an end under 20 words after
its start)."""
MAX_TAIL_WORDS = 21
"""Longest tail under the rule `public code` (an end at most 20 words after its start)."""


@dataclass(frozen=True)
class PackedTriples(Columns):
    """The gold triples of sentences.

    Attributes:
        heads: for each distinct head of a sentence (first word, last word, entity type).
        tails: for each triple (index of its head in the sentence, first word, last word, relation).
    """

    heads: Ragged
    tails: Ragged


@dataclass(frozen=True)
class CascadeBatch(Batch):
    """What a cascade tagger trains on.

    Attributes:
        gold: the triples.
    """

    gold: PackedTriples


def encode_targets(sentences: Sequence[Sentence], schema: Schema) -> PackedTriples:
    """Packs gold triples; those of relations that the schema lacks are left out."""
    heads: list[list[tuple[int, ...]]] = []
    tails: list[list[tuple[int, ...]]] = []
    for sentence in sentences:
        index: dict[tuple[int, ...], int] = {}
        row: list[tuple[int, ...]] = []
        for triple in sentence.triples:
            relation = schema.relation_ids.get(triple.relation)
            if relation is None:
                continue
            kind = schema.type_ids[schema.head_type(sentence, triple)]
            head = (triple.head.start, triple.head.end - 1, kind)
            which = index.setdefault(head, len(index))
            row.append((which, triple.tail.start, triple.tail.end - 1, relation))
        heads.append(list(index))
        tails.append(row)
    return PackedTriples(Ragged.from_rows(heads, 3), Ragged.from_rows(tails, 4))


@dataclass(frozen=True)
class Targets:
    """The targets of a batch.

    Attributes:
        head_rows: sentence of each head.
        heads: first word, last word and type of each head.
        tails: head (index into `heads`), first word, last word and relation of each tail.
    """

    head_rows: Int[Tensor, " T"]
    heads: Int[Tensor, "T 3"]
    tails: Int[Tensor, "tails 4"]

    def draw_one(self, sentences: int) -> Targets:
        """One head of each sentence at random, with its tails; heads of none stay none.

        So trains published code of CasRel and FastRE: the tail tagger sees one head a step.
        """
        counts = torch.bincount(self.head_rows, minlength=sentences)
        first = group_starts(counts)
        drawn = first + (torch.rand(len(counts), device=counts.device) * counts).long()
        drawn = drawn[counts > 0]
        renumber = torch.full_like(self.head_rows, -1)
        renumber[drawn] = torch.arange(len(drawn), device=drawn.device)
        tails = self.tails[renumber[self.tails[:, 0]] >= 0].clone()
        tails[:, 0] = renumber[tails[:, 0]]
        return Targets(self.head_rows[drawn], self.heads[drawn], tails)


def batch_targets(batch: CascadeBatch) -> Targets:
    """The packed targets of a batch, heads numbered through."""
    heads, tails = batch.gold.heads, batch.gold.tails
    numbered = tails.values.clone()
    numbered[:, 0] += heads.offsets[tails.owners]
    return Targets(heads.owners, heads.values, numbered)


def dense_tags(
    rows: Int[Tensor, " items"],
    words: Int[Tensor, " items"],
    classes: Int[Tensor, " items"],
    shape: tuple[int, int, int],
) -> Bool[Tensor, "rows N C"]:
    """A binary tag for every row, word and class."""
    tags = torch.zeros(shape, dtype=torch.bool, device=rows.device)
    tags[rows, words, classes] = True
    return tags


@dataclass(frozen=True)
class Spans:
    """Decoded spans: the row (a sentence or a head), class, first and last word of each."""

    rows: Int[Tensor, " spans"]
    classes: Int[Tensor, " spans"]
    first: Int[Tensor, " spans"]
    last: Int[Tensor, " spans"]

    def select(self, which: Int[Tensor, " selected"]) -> Spans:
        """Some of the spans."""
        return Spans(self.rows[which], self.classes[which], self.first[which], self.last[which])

    def confidence(
        self, start: Float[Tensor, "rows N C"], end: Float[Tensor, "rows N C"]
    ) -> Float[Tensor, " spans"]:
        """The smaller of the scores of a span's two tags."""
        return torch.minimum(
            start[self.rows, self.first, self.classes], end[self.rows, self.last, self.classes]
        )


TagTails = Callable[
    [Spans], tuple[Bool[Tensor, "some N 2 relations"], Float[Tensor, "some N 2 relations"]]
]
"""From heads to tags of their tails' starts and ends, and the probability of each."""


def decode_spans(
    start: Bool[Tensor, "rows N C"], end: Bool[Tensor, "rows N C"], rule: SpanRule = "nearest"
) -> Spans:
    """Pairs start tags with end tags of the same row and class.

    Args:
        start: tags of first words; padding must be False.
        end: tags of last words, likewise.
        rule: `nearest`: the nearest end at or after a start (CasRel, section 3.2.1);
            `until next start`: every end from a start up to the next start, in spans of at most 20
            words (public FastRE code).
    """
    words = start.shape[1]
    rows, first, classes = start.nonzero(as_tuple=True)
    if rule == "nearest":
        return _to_nearest_end(Spans(rows, classes, first, first), end)
    positions = torch.arange(words, device=start.device)[None, :, None]
    # The nearest tagged word at or after each word: a running minimum from the right.
    nearest_start = positions.where(start, words).flip(1).cummin(1).values.flip(1)
    beyond = torch.cat([nearest_start[:, 1:], torch.full_like(nearest_start[:, :1], words)], 1)
    limit = torch.minimum(beyond[rows, first, classes], first + MAX_SPAN_WORDS)
    offsets = torch.arange(MAX_SPAN_WORDS, device=start.device)
    last = first[:, None] + offsets
    inside = last < limit[:, None]
    tagged = end[rows[:, None], last.clamp(max=words - 1), classes[:, None]] & inside
    which, offset = tagged.nonzero(as_tuple=True)
    return Spans(rows[which], classes[which], first[which], first[which] + offset)


def _to_nearest_end(starts: Spans, end: Bool[Tensor, "rows N C"]) -> Spans:
    """Spans from the given first words to the nearest end tag; those without one are left out.

    Few words are tagged: they are sorted, instead of a running minimum taken over all words, which
    is a fifth of FastRE's inference on WebNLG's 171 relations.
    """
    words, classes = end.shape[1:]

    def place(rows: Tensor, word: Tensor, kind: Tensor) -> Tensor:
        return (rows * classes + kind) * words + word

    ends = place(*end.nonzero(as_tuple=True)).sort().values
    begun = place(starts.rows, starts.first, starts.classes)
    nearest = torch.searchsorted(ends, begun)
    last = torch.cat([ends, ends.new_full((1,), -1)])[nearest]  # -1: no end after it
    found = (last // words == begun // words).nonzero().squeeze(1)
    return replace(starts.select(found), last=last[found] % words)


@dataclass(frozen=True)
class TaggedTriples:
    """What a cascade tagger found in a batch.

    Attributes:
        heads: the heads of all sentences.
        tails: spans whose rows are indices into `heads` and whose classes are relations, with the
            score of each triple; in as many parts as the tails were tagged in.
    """

    heads: Spans
    tails: Sequence[tuple[Spans, Float[Tensor, " spans"]]]


def find_tails(
    heads: Spans,
    head_scores: Float[Tensor, " T"],
    tag_tails: TagTails,
    numbers_per_head: int,
    longest: int | None = None,
) -> TaggedTriples:
    """Tags the tails of heads, some heads at a time.

    Args:
        heads: the decoded heads, T of them.
        head_scores: the confidence of each; a triple's is that of its least certain tag.
        tag_tails: tags and probabilities of the tails of some of the heads.
        numbers_per_head: how many features and scores tagging the tails of one head holds.
        longest: words of the longest tail; None: any.
    """
    found: list[tuple[Spans, Tensor]] = []
    if not len(heads.rows):
        return TaggedTriples(heads, found)
    every = torch.arange(len(heads.rows), device=heads.rows.device)
    for chunk in every.split(held_at_once(numbers_per_head)):
        tags, probability = tag_tails(heads.select(chunk))
        tails = decode_spans(tags[:, :, 0], tags[:, :, 1])
        if longest is not None:
            tails = tails.select((tails.last - tails.first < longest).nonzero().squeeze(1))
        scores = tails.confidence(probability[:, :, 0], probability[:, :, 1])
        tails = Spans(chunk[tails.rows], tails.classes, tails.first, tails.last)
        found.append((tails, torch.minimum(scores, head_scores[tails.rows])))
    return TaggedTriples(heads, found)


def decode_triples(
    sentences: int, tagged: TaggedTriples, relations: Sequence[str]
) -> list[list[Prediction]]:
    """The triples of each sentence; one that several head types give keeps its best score.

    Args:
        sentences: B.
        tagged: heads and tails.
        relations: names of the tail tagger's classes.
    """
    if not tagged.tails:
        return [[] for _ in range(sentences)]
    heads = tagged.heads
    tables, scores = [], []
    for spans, scores_of_part in tagged.tails:
        row, first, last = (x[spans.rows] for x in (heads.rows, heads.first, heads.last))
        tables.append(torch.stack([row, spans.classes, first, last, spans.first, spans.last], 1))
        scores.append(scores_of_part)
    return predicted_triples(sentences, torch.cat(tables), torch.cat(scores), relations)


def decode_targets(
    batch: CascadeBatch, classes: int, relations: Sequence[str], rule: SpanRule
) -> list[list[Prediction]]:
    """Decodes a batch's own targets: what perfect scoring would give.

    Args:
        batch: with its targets.
        classes: entity types of the head tagger.
        relations: names of the tail tagger's classes.
        rule: how heads are decoded; tails always by the nearest end.
    """
    targets = batch_targets(batch)
    words = int(batch.lengths.max())
    first, last, kind = targets.heads.unbind(1)
    shape = (len(batch), words, classes)
    heads = decode_spans(
        dense_tags(targets.head_rows, first, kind, shape),
        dense_tags(targets.head_rows, last, kind, shape),
        rule,
    )
    # Tails are tagged for gold heads; a head that the tags give wrongly has none.
    keys = {tuple(h): i for i, h in enumerate(_head_keys(targets.head_rows, first, last, kind))}
    decoded = [keys.get(tuple(h), -1) for h in _head_keys(*_columns(heads))]
    back = torch.full((len(targets.heads),), -1)
    for position, gold in enumerate(decoded):
        if gold >= 0:
            back[gold] = position
    which, start, end, relation = targets.tails.unbind(1)
    shape = (len(targets.heads), words, len(relations))
    tails = decode_spans(
        dense_tags(which, start, relation, shape), dense_tags(which, end, relation, shape)
    )
    kept = tails.select((back[tails.rows] >= 0).nonzero().squeeze(1))
    spans = Spans(back[kept.rows], kept.classes, kept.first, kept.last)
    tagged = TaggedTriples(heads, [(spans, torch.ones(len(spans.rows)))])
    return decode_triples(len(batch), tagged, relations)


def _columns(spans: Spans) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return spans.rows, spans.first, spans.last, spans.classes


def _head_keys(*columns: Tensor) -> list[list[int]]:
    return torch.stack(columns, 1).tolist() if len(columns[0]) else []
