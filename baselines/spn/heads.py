"""What each of SPN's queries says: a relation or none, and four words that bound two entities.

Letters in shapes: B sentences, N words, m queries, D hidden size, R relations, G triples of a
batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from suite.modelling.additive import additive_scores

POINTERS = 4
"""A subject's first and last word, an object's first and last word."""


class Answers(NamedTuple):
    """Log-probabilities of all that the queries might say.

    Attributes:
        relations: the last one is that of none.
        words: of each of the four pointers; minus infinity at padding.
    """

    relations: Float[Tensor, "B m R1"]
    words: Float[Tensor, "B 4 m N"]


class Heads(nn.Module):
    """Classifies relations and points at words, by additive attention.

    Args:
        width: D.
        relations: R.
    """

    def __init__(self, width: int, relations: int) -> None:
        super().__init__()
        self.relations = nn.Linear(width, relations + 1)
        self.queries = nn.Linear(width, POINTERS * width)
        self.words = nn.Linear(width, POINTERS * width)
        self.scores = nn.Parameter(torch.empty(POINTERS, width))
        # Each pointer's matrices start orthogonal by themselves, as in public code.
        for layer in (self.queries, self.words):
            for part in layer.weight.detach().chunk(POINTERS):
                nn.init.orthogonal_(part)
        nn.init.uniform_(self.scores, -(width**-0.5), width**-0.5)

    def forward(
        self, x: Float[Tensor, "B m D"], h: Float[Tensor, "B N D"], present: Bool[Tensor, "B N"]
    ) -> Answers:
        """The answers.

        Args:
            x: the queries' vectors.
            h: the words'.
            present: True at words.
        """
        asked, read = self.queries(x).chunk(POINTERS, 2), self.words(h).chunk(POINTERS, 2)
        # One pointer after another, so that no more than one's numbers are worked on.
        pointed = [
            additive_scores(query, word, weight, "tanh")
            for query, word, weight in zip(asked, read, self.scores, strict=True)
        ]
        words = torch.stack(pointed, 1).masked_fill(~present[:, None, None], -torch.inf)
        return Answers(self.relations(x).float().log_softmax(2), words.log_softmax(3))


class Said(NamedTuple):
    """What each query says.

    Attributes:
        relations: its relation; R: none.
        words: first and last word of subject and object.
        scores: the least probability of the five.
    """

    relations: Int[Tensor, "B m"]
    words: Int[Tensor, "B m 4"]
    scores: Float[Tensor, "B m"]


def read_answers(answers: Answers, longest: int) -> Said:
    """The most probable relation and start of each query, and its end.

    Args:
        answers: of the queries.
        longest: words of the longest entity: the end is the most probable word of so many from the
            start on.
    """
    relation, relations = answers.relations.max(2)
    found, least = [], [relation]
    for first, last in (answers.words[:, :2].unbind(1), answers.words[:, 2:].unbind(1)):
        start, starts = first.max(2)
        places = torch.arange(last.shape[2], device=last.device)
        within = (places >= starts[..., None]) & (places < starts[..., None] + longest)
        end, ends = last.masked_fill(~within, -torch.inf).max(2)
        found += [starts, ends]
        least += [start, end]
    scores = torch.stack(least).amin(0).exp()
    return Said(relations, torch.stack(found, 2), scores)
