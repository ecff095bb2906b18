"""Maxima, loss and labelled cells of tables in blocks, and their gradients, against the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from baselines.grte import labels
from baselines.grte.labels import LABELS
from baselines.grte.tables import RARE, Activation, TableFeature
from suite.modelling.batch import Batch, Text
from suite.modelling.ragged import Ragged
from suite.modelling.word_tables import Layout, table_blocks
from tests.cuts import AT_ONCE, LENGTHS

RELATIONS, WIDTH = 3, 6
GOLD = [(14, 12, 0, 2), (2, 4, 0, 1), (15, 12, 0, 3), (2, 4, 1, 7), (4, 2, 1, 4), (11, 15, 2, 5),
        (0, 0, 2, 1)]  # fmt: skip
"""Subject, object, relation and label: in both directions, two of a pair, on the diagonal."""
ACTIVATIONS: tuple[Activation, ...] = ("relu", "elu", "gelu")
EXPECTED = {"relu": functional.relu, "elu": functional.elu, "gelu": functional.gelu}


def make(activation: Activation = "relu") -> tuple[TableFeature, list[Tensor]]:
    """In double precision, with scores of all signs; subjects' and objects' vectors."""
    torch.manual_seed(0)
    table = TableFeature(WIDTH, RELATIONS, activation).double()
    torch.nn.init.normal_(table.scores.bias)
    x = [torch.randn(sum(LENGTHS), WIDTH, dtype=torch.float64) for _ in "so"]
    return table, [v.requires_grad_() for v in x]


def layout() -> Layout:
    return Layout.of(Batch(Text(Ragged.from_rows([range(n) for n in LENGTHS]))))


def slow_scores(table: TableFeature, subjects: Tensor, objects: Tensor) -> list[Tensor]:
    """TF_r(i, j) of each sentence whole: words, words, labels, relations."""
    found = []
    parts = (x.split(LENGTHS) for x in (subjects, objects))
    for s, o in zip(*parts, strict=True):
        product = s[:, None] * o[None]
        found.append(table.scores(EXPECTED[table.activation](product)).unflatten(2, (8, -1)))
    return found


def slow_maxima(table: TableFeature, subjects: Tensor, objects: Tensor) -> tuple[Tensor, Tensor]:
    bias = table.scores.bias.view(8, -1)
    scores = [s - bias for s in slow_scores(table, subjects, objects)]
    rows = torch.cat([s.amax(1).flatten(1) for s in scores])
    return rows, torch.cat([s.amax(0).flatten(1) for s in scores])


def slow_loss(table: TableFeature, subjects: Tensor, objects: Tensor) -> Tensor:
    total, start = subjects.new_zeros(()), 0
    gold = {key[:3]: key[3] for key in GOLD}
    for scores in slow_scores(table, subjects, objects):
        for i in range(len(scores)):
            for j in range(len(scores)):
                for r in range(RELATIONS):
                    label = gold.get((start + i, start + j, r), 0)
                    total = total - scores[i, j, :, r].log_softmax(0)[label]
        start += len(scores)
    return total


def gradients(total: Tensor, table: TableFeature, x: list[Tensor], *, bias: bool) -> list[Tensor]:
    wanted = [*x, table.scores.weight, *([table.scores.bias] if bias else [])]
    return list(torch.autograd.grad(total, wanted))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("at_once", AT_ONCE)
def test_loss_and_its_gradient_are_those_of_the_whole(at_once: int, activation: Activation) -> None:
    table, x = make(activation)
    blocks = table_blocks(LENGTHS, at_once)
    loss, expected = table.loss(*x, blocks, torch.tensor(GOLD)), slow_loss(table, *x)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(
        gradients(0.3 * loss, table, x, bias=True), gradients(0.3 * expected, table, x, bias=True)
    )
    with torch.no_grad():
        torch.testing.assert_close(table.loss(*x, blocks, torch.tensor(GOLD)), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("at_once", AT_ONCE)
def test_maxima_and_their_gradient_are_those_of_the_whole(
    at_once: int, activation: Activation
) -> None:
    table, x = make(activation)
    blocks = table_blocks(LENGTHS, at_once)
    found, expected = table.maxima(*x, blocks), slow_maxima(table, *x)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(2, len(x[0]), 8 * RELATIONS, dtype=torch.float64)
    torch.testing.assert_close(
        gradients((torch.stack(found) * weights).sum(), table, x, bias=False),
        gradients((torch.stack(expected) * weights).sum(), table, x, bias=False),
    )
    with torch.no_grad():
        torch.testing.assert_close(table.maxima(*x, blocks), expected)


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_equal_maxima_give_their_gradient_to_one_cell(at_once: int) -> None:
    """So that the sum of gradients does not depend on how the table is cut."""
    table, x = make()
    same = [torch.ones_like(v).requires_grad_() for v in x]
    rows, columns = table.maxima(*same, table_blocks(LENGTHS, at_once))
    (rows.sum() + columns.sum()).backward()
    assert same[0].grad is not None
    expected = 2 * sum(LENGTHS) * table.scores.weight.sum(0)
    torch.testing.assert_close(same[0].grad.sum(0), expected)


@pytest.mark.parametrize("at_once", AT_ONCE)
def test_labelled_cells_are_those_of_the_whole(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, x = make()
    table, x = table.float(), [v.float() for v in x]
    own, blocks = layout(), table_blocks(LENGTHS, at_once)
    expected, start = {}, 0
    for place, scores in enumerate(slow_scores(table, *x)):
        p = scores.softmax(2)
        for i, j, r in torch.ones_like(p[:, :, 0]).nonzero().tolist():
            label = int(p[i, j, :, r].argmax())
            if label:
                expected[place, start + i, start + j, r, label] = p[i, j, label, r].item()
        start += len(scores)

    def found() -> dict[Any, float]:
        cells = table.find(*x, blocks, own)
        keys = torch.stack(cells[:-1], 1).tolist()
        pairs = zip(keys, cells.scores.tolist(), strict=True)
        return {tuple(key): score for key, score in pairs}

    assert 20 < len(expected) < 3 * sum(n * n for n in LENGTHS)
    assert found() == pytest.approx(expected)
    keep = labels.Cells.most_probable
    monkeypatch.setattr(labels.Cells, "most_probable", lambda cells: keep(cells, 4))
    few = found()
    for place in range(len(LENGTHS)):
        scores = sorted((s for key, s in expected.items() if key[0] == place), reverse=True)
        kept = sorted((s for key, s in few.items() if key[0] == place), reverse=True)
        assert kept == pytest.approx(scores[:4])


def test_no_gold_and_scores_beyond_all_measure_leave_the_loss_exact() -> None:
    """A wrong score of 40 costs 40; one that is right by 40 costs less than single precision."""
    table = TableFeature(WIDTH, 1, "relu")
    nothing = torch.empty(0, 4, dtype=torch.long)
    blocks = table_blocks([3], 9)
    x = torch.randn(2, 3, WIDTH)
    torch.nn.init.zeros_(table.scores.weight)
    for ahead, gold, cost in ((-40.0, nothing, 9 * 40.0), (40.0, torch.tensor([[0, 1, 0, 3]]), 40)):
        torch.nn.init.zeros_(table.scores.bias)
        with torch.no_grad():
            table.scores.bias[0] = ahead
            table.scores.bias[4] = -200.0
            table.scores.bias[5:] = -1e4
        scores = torch.tensor([ahead, 0, 0, 0, -200, -1e4, -1e4, -1e4], dtype=torch.float64)
        right = -scores.log_softmax(0)
        exact = right[0] * (9 - len(gold)) + sum(right[row[3]] for row in gold.tolist())
        assert table.loss(*x, blocks, gold).item() == pytest.approx(exact.item(), rel=1e-6)
        assert exact.item() == pytest.approx(cost, rel=0.06)


def test_a_cell_in_a_thousand_is_labelled_at_the_start() -> None:
    table = TableFeature(WIDTH, RELATIONS, "elu")
    p = table.scores.bias.view(8, RELATIONS).softmax(0)
    torch.testing.assert_close(p[0], torch.full((RELATIONS,), 0.999))
    assert pytest.approx(8.85, abs=0.01) == RARE
    assert len(LABELS) == 8
