"""What PRGC puts on an encoder: which relations, whose words, and which of them belong together.

Letters in shapes: B sentences, N words, D hidden size, H hidden size of a classifier, R relations,
T tagged rows (a sentence under a relation), C classes of a tag.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from suite.modelling.additive import additive_scores
from suite.modelling.layers import Dropout

Pooling = Literal["mean", "max", "first"]
Fusion = Literal["concat", "sum"]
RARE = -7.0
"""Start of the score of two words: a triple among a thousand pairs, not at even odds, which the
first hundreds of steps would go into unlearning."""


class RelationJudge(nn.Module):
    """Scores of the relations that a sentence may hold (equation 1).

    Args:
        width: D.
        relations: R.
        hidden: H; 0: one linear layer, as the equation has it.
        dropout: on the hidden layer.
        pooling: from words to the sentence.
    """

    def __init__(
        self, width: int, relations: int, hidden: int, dropout: float, pooling: Pooling
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.hidden = nn.Linear(width, hidden) if hidden else None
        self.dropout = Dropout(dropout)
        self.scores = nn.Linear(hidden or width, relations)
        # One of them in a sentence.
        nn.init.constant_(self.scores.bias, -math.log(relations))

    def forward(
        self, h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"]
    ) -> Float[Tensor, "B R"]:
        """The score of each relation.

        Args:
            h: the words' vectors, zero at padding.
            present: True at words.
        """
        if self.pooling == "mean":
            sentence = h.sum(1) / present.sum(1, keepdim=True)
        elif self.pooling == "max":
            sentence = h.masked_fill(~present[..., None], -torch.inf).amax(1)
        else:
            sentence = h[:, 0]
        if self.hidden is not None:
            sentence = self.dropout(self.hidden(sentence).relu())
        scores: Tensor = self.scores(sentence)
        return scores.float()


class Tagger(nn.Module):
    """Scores of the tags of subjects and of objects under a relation (equation 2).

    The first layer reads a word's vector and a relation's embedding, concatenated or summed: it is
    a sum of what each brings, which is computed once a word and once a relation.

    Args:
        width: D.
        relations: R.
        hidden: H; 0: one linear layer, as the equation has it.
        dropout: on the hidden layer.
        fusion: of words and relations; `sum`: both go through the same weights.
        classes: C.
    """

    def __init__(
        self,
        width: int,
        relations: int,
        hidden: int,
        dropout: float,
        *,
        fusion: Fusion,
        classes: int,
    ) -> None:
        super().__init__()
        self.relations = nn.Embedding(relations, width)
        first = 2 * (hidden or classes)
        self.words = nn.Linear(width, first)
        self.kinds = nn.Linear(width, first, bias=False) if fusion == "concat" else None
        self.dropout = Dropout(dropout)
        layers = [nn.Linear(hidden, classes) for _ in range(2)] if hidden else []
        self.scores = nn.ModuleList(layers)

    def project(
        self, h: Float[Tensor, "B N D"]
    ) -> tuple[Float[Tensor, "B N H2"], Float[Tensor, "R H2"]]:
        """What words and what relations bring to the first layers of subjects and objects."""
        weight = self.words.weight if self.kinds is None else self.kinds.weight
        return self.words(h), nn.functional.linear(self.relations.weight, weight)

    def score(
        self,
        words: Float[Tensor, "B N H2"],
        kinds: Float[Tensor, "R H2"],
        rows: Int[Tensor, " T"],
        relations: Int[Tensor, " T"],
    ) -> Float[Tensor, "T N 2 C"]:
        """Scores of the tags, as subject and as object.

        Args:
            words: as `project` gives them.
            kinds: likewise.
            rows: sentence of each tagged row.
            relations: its relation.
        """
        both = words.index_select(0, rows) + kinds.index_select(0, relations)[:, None]
        if not len(self.scores):
            return both.unflatten(2, (2, -1))
        hidden = self.dropout(both.relu()).chunk(2, 2)
        return torch.stack([f(x) for f, x in zip(self.scores, hidden, strict=True)], 2)


class Correspondence(nn.Module):
    """Scores of two words as first words of the subject and object of any triple (equation 3).

    Args:
        width: D.
        hidden: H; 0: one linear layer, as the equation has it. A score is then a sum of what each
            word brings, s(a, b) + s(c, d) = s(a, d) + s(c, b), and two triples of words of their
            own cannot be told from those with the objects swapped.
        dropout: on the hidden layer, of which a sentence's pairs lose the same numbers: to draw
            them for each pair would cost more than all else.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        first = hidden or 1
        self.subjects = nn.Linear(width, first)
        self.objects = nn.Linear(width, first, bias=False)
        self.dropout = Dropout(dropout)
        self.scores = nn.Linear(hidden, 1) if hidden else None
        last = self.subjects if self.scores is None else self.scores
        nn.init.constant_(last.bias, RARE)

    def forward(self, h: Float[Tensor, "B N D"]) -> Float[Tensor, "B N N"]:
        """The score of each subject's first word (row) and object's (column)."""
        subjects, objects = self.subjects(h), self.objects(h)
        if self.scores is None:
            return (subjects + objects.mT).float()
        # f(m x) = m f(x) for the ReLU f and a mask m of no negative number.
        kept = self.dropout(subjects.new_ones((len(h), 1, subjects.shape[2])))
        pairs = additive_scores(subjects * kept, objects * kept, self.scores.weight[0], "relu")
        return pairs + self.scores.bias.float()
