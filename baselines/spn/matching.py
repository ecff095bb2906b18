"""Which of SPN's queries stands for which gold triple.

Letters in shapes: B sentences, m queries, G gold triples of a batch, K of them that have a query.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from baselines.spn.heads import Answers
from suite.modelling.ragged import Ragged

Matcher = Literal["sum", "least"]


class Matched(NamedTuple):
    """Gold triples with a query each, no two of a sentence with the same.

    Attributes:
        triples: places among the batch's, ascending.
        queries: of each.
    """

    triples: Int[Tensor, " K"]
    queries: Int[Tensor, " K"]


def match_best(answers: Answers, triples: Ragged, matcher: Matcher) -> Matched:
    """The assignment under which the gold triples' probabilities are the highest.

    Of a sentence with more triples than queries, as many as there are queries are matched.

    Args:
        answers: of the queries.
        triples: relation and four words of each triple.
        matcher: a triple's probability is the `sum` of the five, or the `least`.
    """
    owners = triples.owners
    with torch.no_grad():
        probability = _gold(answers, triples, owners).exp()
        scores = probability.sum(0) if matcher == "sum" else probability.amin(0)
    # Scores that are not finite would end the run here, and not as one that diverged; scipy knows
    # no bfloat16. The bounds go with them, so that the device is waited for once.
    scores = scores.float().nan_to_num()
    moved = torch.cat([scores.flatten(), triples.offsets.float()]).cpu().numpy()
    held, bounds = np.split(moved, [scores.numel()])
    found = _assign(held.reshape(scores.shape), bounds.astype(int).tolist())
    which, queries = torch.from_numpy(found).to(scores.device)
    return Matched(which, queries)


def _assign(scores: np.ndarray, bounds: list[int]) -> np.ndarray:
    """Triple (first row) and query (second) of each match, a sentence after another."""
    pairs = [np.empty((2, 0), dtype=np.int64)]
    for first, end in pairwise(bounds):
        if end > first:
            rows, columns = linear_sum_assignment(scores[first:end], maximize=True)
            pairs.append(np.stack([rows + first, columns]))
    return np.concatenate(pairs, 1)


def match_in_order(triples: Ragged, queries: int) -> Matched:
    """The first triple of each sentence with the first query, and so on, as far as they reach."""
    within = torch.arange(len(triples.values), device=triples.values.device)
    within = within - triples.offsets[triples.owners]
    which = (within < queries).nonzero().squeeze(1)
    return Matched(which, within[which])


def _gold(answers: Answers, triples: Ragged, owners: Int[Tensor, " G"]) -> Float[Tensor, "5 G m"]:
    """Log-probability of what every gold triple says, by every query of its sentence."""
    relation, *words = triples.values.unbind(1)
    relations = answers.relations[owners, :, relation]
    pointed = [answers.words[owners, i, :, word] for i, word in enumerate(words)]
    return torch.stack([relations, *pointed])
