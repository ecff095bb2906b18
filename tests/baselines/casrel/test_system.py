"""CasRel against its contract and a slow re-statement of its equations."""

from __future__ import annotations

import math

import pytest
import torch

from baselines.casrel.system import CasRel
from suite.modelling.cascade import batch_targets
from suite.systems.contract import System
from tests.contract import SystemContract, whole
from tests.corpus import HARD, INVERSE, NESTED_HEADS, SCHEMA, SENTENCES

CHAIN = frozenset({"chain"})
"""The sentence that `test_two_subjects_of_one_word_cannot_be_linked` is about."""


class TestCasRel(SystemContract):
    system = CasRel
    pretrained = True
    steps = 150
    learning_rate = 2e-3
    beyond, lost = INVERSE, NESTED_HEADS


class TestCasRelOnLSTM(SystemContract):
    system = CasRel
    settings = {"encoder": "lstm", "lstm_width": 64, "lstm_dropout": 0.0}
    steps = 300
    learning_rate = 5e-3
    beyond, lost = INVERSE, NESTED_HEADS


class TestCasRelOnConvolutions(SystemContract):
    system = CasRel
    settings = {"encoder": "convolution"}
    steps, learning_rate = 200, 1e-3
    beyond, lost = INVERSE, NESTED_HEADS


class TestPlainMean(TestCasRelOnConvolutions):
    settings = {"encoder": "convolution", "end_projection": False}
    beyond = CHAIN | INVERSE


def small(**settings: object) -> System:
    return TestCasRelOnLSTM().build(**settings).eval()


@pytest.mark.parametrize("plain", [True, False])
def test_loss_is_that_of_the_papers_equations(plain: bool) -> None:
    """Equations 1 to 5: every tag's cross entropy, written out word by word."""
    system = small(end_projection=not plain)
    batch = whole(system, SENTENCES)
    h = system.encoder(batch.text)
    total = 0.0
    for i, sentence in enumerate(SENTENCES):
        words = range(len(sentence.words))
        subjects = {(t.head.start, t.head.end - 1) for t in sentence.triples}
        for j in words:
            scores = system.tagger.subject_scores(h[i, j])
            for k, tagged in enumerate(({a for a, _ in subjects}, {b for _, b in subjects})):
                total += cross_entropy(scores[k].item(), j in tagged)
        for a, b in subjects:
            v_sub = (h[i, a] + system.tagger.end_projection(h[i, b])) / 2
            own = [t for t in sentence.triples if (t.head.start, t.head.end - 1) == (a, b)]
            for j in words:
                scores = system.tagger.object_scores(h[i, j] + v_sub).view(2, -1)
                for r, relation in enumerate(SCHEMA.relations):
                    tails = [t.tail for t in own if t.relation == relation]
                    total += cross_entropy(scores[0, r].item(), j in {t.start for t in tails})
                    total += cross_entropy(scores[1, r].item(), j in {t.end - 1 for t in tails})
    assert system.loss(batch).total.item() == pytest.approx(total / len(SENTENCES), rel=1e-4)


def test_two_subjects_of_one_word_cannot_be_linked() -> None:
    """Object scores are linear in H + v_sub, so s(o | s) + s(s | o) = s(s | s) + s(o | o).

    Where both words are subjects, the right side must be negative, and no triple can link them.
    """
    system = small(end_projection=False)
    chain = next(i for i, s in enumerate(SENTENCES) if s.id == "chain")
    h = system.encoder(whole(system, SENTENCES).text)
    alan, wilmslow = torch.tensor([0]), torch.tensor([3])
    rows = torch.tensor([chain])
    of_alan = system.tagger.score_objects(h, rows, alan, alan)[0]
    of_wilmslow = system.tagger.score_objects(h, rows, wilmslow, wilmslow)[0]
    linked = of_alan[3] + of_wilmslow[0]
    torch.testing.assert_close(linked, of_alan[0] + of_wilmslow[3])


def test_no_relation_links_two_words_in_both_directions() -> None:
    """Object scores are a sum of what subject and object bring, with the projection as without.

    So s(o | s) + s(s | o) = s(s | s) + s(o | o) for every relation and two subjects of one word;
    with a relation in both directions, one of the words heads a triple with itself.
    """
    system = small()
    h = system.encoder(whole(system, HARD).text)
    pair = next(i for i, s in enumerate(HARD) if s.id == "inverse")
    words = torch.tensor([0, 2])
    scores = system.tagger.score_objects(h, torch.tensor([pair, pair]), words, words)
    torch.testing.assert_close(scores[0, 2] + scores[1, 0], scores[0, 0] + scores[1, 2])


def test_a_name_within_a_name_loses_the_longer_one() -> None:
    """Of ends after a start, the nearest is taken (section 3.2.1)."""
    system = small()
    (nested,) = (s for s in HARD if s.id in NESTED_HEADS)
    (row,) = system.ceiling(whole(system, [nested]))
    assert [p.item for p in row] == [nested.triples[0]]


def cross_entropy(score: float, tagged: bool) -> float:
    p = 1 / (1 + math.exp(-score))
    return -math.log(p if tagged else 1 - p)


def test_one_subject_a_step_is_drawn_among_all() -> None:
    system = small()
    targets = batch_targets(whole(system, SENTENCES))
    torch.manual_seed(0)
    drawn = [targets.draw_one(len(SENTENCES)) for _ in range(60)]
    for one in drawn:
        assert len(one.head_rows.unique()) == len(one.head_rows) == 5  # two sentences have none
        assert set(one.tails[:, 0].tolist()) == set(range(len(one.heads)))
    of_last = {tuple(one.heads[-1].tolist()) for one in drawn}
    assert of_last == {(0, 0, 0), (2, 3, 0)}, "both of the last sentence's subjects get their turn"


def test_draws_keep_each_subjects_own_objects() -> None:
    system = small()
    targets = batch_targets(whole(system, SENTENCES))
    full = {
        (int(targets.head_rows[h]), *targets.heads[h].tolist(), *rest)
        for h, *rest in targets.tails.tolist()
    }
    torch.manual_seed(3)
    for _ in range(20):
        one = targets.draw_one(len(SENTENCES))
        kept = {
            (int(one.head_rows[h]), *one.heads[h].tolist(), *rest)
            for h, *rest in one.tails.tolist()
        }
        heads = {(int(r), *h.tolist()) for r, h in zip(one.head_rows, one.heads, strict=True)}
        assert kept == {t for t in full if t[:4] in heads}
