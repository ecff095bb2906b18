"""FastNER against its contract and slow re-statements of its loss and its exits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from baselines.fastner.system import GRID, Bypass, FastNER
from suite.datasets.make_schema import make_schema
from suite.errors import SuiteError
from suite.systems.capabilities import OperatingPoint
from suite.systems.contract import predict
from suite.systems.registry import make_settings
from suite.tasks.examples import Entity, Example, Sentence, Span
from tests.contract import SystemContract, predictions, whole
from tests.corpus import FLAT, NESTED, SPAN_SCHEMA

SMALL = {"dropout": 0.0, "width": 32, "bypass_width": 16}
FULL = OperatingPoint("", 0.0)
TYPES = SPAN_SCHEMA.entity_types


class TestFastNER(SystemContract):
    system = FastNER
    task = "ner"
    pretrained = True
    steps = 40
    settings = {**SMALL, "decoding": "nested"}


class TestFlat(SystemContract):
    system = FastNER
    task = "ner"
    pretrained = True
    steps = 40
    settings = {**SMALL, "bypass": False, "exit_weights": "depth"}

    @property
    def examples(self) -> Sequence[Example]:
        """Flat decoding, which `auto` is under this schema, gives no nested entity back."""
        return FLAT


Cells = dict[tuple[int, int, int], float]
"""First word, last word and type of each span, with its probability."""


@pytest.fixture(scope="module")
def learning() -> FastNER:
    """A system that has begun to find entities, so that its layers differ in what they say."""
    contract = TestFastNER()
    system = contract.build()
    batch = whole(system, NESTED)
    optimiser = torch.optim.AdamW(system.parameters(), lr=3e-3)
    for _ in range(2):
        optimiser.zero_grad()
        system.loss(batch).total.backward()
        optimiser.step()
    assert isinstance(system, FastNER)
    return system.eval()


@torch.no_grad()
def read_alone(system: FastNER, sentence: Example) -> list[Cells]:
    """What each layer says of a sentence by itself."""
    midway = system.encoder.start(whole(system, [sentence]).text)
    words, found = len(sentence.words), []
    for layer, reader in enumerate(system.exits):
        midway = system.encoder.step(midway, layer)
        h = system.encoder.words(midway)
        if reader.bypass is not None:
            h = reader.bypass(h, torch.ones(1, words, dtype=torch.bool))
        probability = reader.classifier(h)[0].double().sigmoid()
        spans = [(i, j) for i in range(words) for j in range(i, words)]
        kinds = range(len(TYPES))
        found.append({(i, j, t): probability[i, j, t].item() for i, j in spans for t in kinds})
    return found


@pytest.fixture(scope="module")
def layers(learning: FastNER) -> dict[str, list[Cells]]:
    """What each layer says of every sentence by itself."""
    return {s.id: read_alone(learning, s) for s in NESTED}


def entropy(cells: Cells) -> float:
    """The largest entropy of a span's set of types, in bits."""
    total: Counter[tuple[int, int]] = Counter()
    for (i, j, _), p in cells.items():
        total[i, j] -= sum(q * math.log2(q) for q in (p, 1 - p) if q)
    return max(total.values())


def confidence(cells: Cells) -> float:
    """The least probability of a span's likeliest set of types."""
    spans = {(i, j) for i, j, _ in cells}
    kinds = range(len(TYPES))
    return min(math.prod(max(cells[i, j, t], 1 - cells[i, j, t]) for t in kinds) for i, j in spans)


def slow_exit(point: OperatingPoint, layers: list[Cells]) -> int:
    """The layer, from 1, behind which the sentence leaves."""
    above = [{cell for cell, p in cells.items() if p > 0.5} for cells in layers]
    for layer, cells in enumerate(layers[:-1], start=1):
        recent = above[max(0, layer - int(point.value)) : layer]
        leaves = {
            "entropy": entropy(cells) < point.value,
            "confidence": confidence(cells) > point.value,
            "patience": recent == [above[layer - 1]] * int(point.value),
        }
        if leaves[point.rule]:
            return layer
    return len(layers)


@pytest.fixture(scope="module")
def mixed(layers: dict[str, list[Cells]]) -> list[OperatingPoint]:
    """Patience, and thresholds half-way between what two layers of sentences show."""
    points = [OperatingPoint("patience", 2), OperatingPoint("patience", 3)]
    for measure in (entropy, confidence):
        values = sorted(measure(cells) for row in layers.values() for cells in row[:-1])
        middles = [(values[i - 1] + values[i]) / 2 for i in (len(values) // 4, len(values) // 2)]
        points += [OperatingPoint(measure.__name__, middle) for middle in middles]
    return points


def test_sentences_leave_where_the_rule_says_with_what_that_layer_found(
    learning: FastNER, layers: dict[str, list[Cells]], mixed: list[OperatingPoint]
) -> None:
    for point in mixed:
        left = {name: slow_exit(point, row) for name, row in layers.items()}
        assert len(set(left.values())) > 1, f"{point}: they all leave at once"
        learning.operate_at(point)
        found = predictions(learning, NESTED, size=len(NESTED))
        assert learning.layers_used() == pytest.approx(sum(left.values()) / len(left)), point
        for sentence in NESTED:
            cells = layers[sentence.id][left[sentence.id] - 1]
            above = sorted((c for c in cells if cells[c] > 0.5), key=lambda c: -cells[c])
            taken: list[tuple[int, int, int]] = []
            for i, j, t in above:
                if not any(a < i <= b < j or i < a <= j < b for a, b, _ in taken):
                    taken.append((i, j, t))
            expected = {Entity(Span(i, j + 1), TYPES[t]): cells[i, j, t] for i, j, t in taken}
            assert found[sentence.id] == pytest.approx(expected, abs=1e-4), (point, sentence.id)


def test_batches_do_not_change_when_sentences_leave(
    learning: FastNER, mixed: list[OperatingPoint]
) -> None:
    for point in mixed:
        learning.operate_at(point)
        alone = predictions(learning, NESTED, size=1)
        used = learning.layers_used()
        for size in (2, 4, len(NESTED)):
            learning.operate_at(point)
            together = predictions(learning, NESTED[::-1], size)
            assert learning.layers_used() == used, (point, size)
            for name, row in alone.items():
                assert together[name] == pytest.approx(row, abs=1e-4), (point, size)


@pytest.mark.parametrize(
    ("never", "always"),
    [
        (OperatingPoint("entropy", 1e-12), OperatingPoint("entropy", len(TYPES) + 1)),
        (OperatingPoint("confidence", 1), OperatingPoint("confidence", 1e-12)),
        (OperatingPoint("patience", 99), OperatingPoint("patience", 1)),
    ],
)
def test_rules_that_never_or_always_fire(
    learning: FastNER,
    layers: dict[str, list[Cells]],
    never: OperatingPoint,
    always: OperatingPoint,
) -> None:
    learning.operate_at(FULL)
    full = predictions(learning, NESTED, size=4)
    assert learning.layers_used() == learning.encoder.depth
    learning.operate_at(never)
    assert predictions(learning, NESTED, size=4) == full
    assert learning.layers_used() == learning.encoder.depth
    learning.operate_at(always)
    first = predictions(learning, NESTED, size=4)
    assert learning.layers_used() == 1
    for sentence in NESTED:
        cells = layers[sentence.id][0]
        spans = {(i, j + 1, TYPES[t]) for (i, j, t), p in cells.items() if p > 0.5}
        assert {(*e.span, e.type) for e in first[sentence.id]} <= spans


def test_layers_work_on_fewer_sentences_the_more_leave(
    learning: FastNER, mixed: list[OperatingPoint]
) -> None:
    """What saves time: counted in sentences that go into a layer, of every layer together."""
    rows, calls = [], []
    modules = learning.encoder.architecture.layers(learning.encoder.model)
    hooks = [
        module.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
        for module in modules
    ]
    hooks += [
        reader.register_forward_pre_hook(lambda _, args: calls.append(len(args[0])))
        for reader in learning.exits
    ]
    batch, work = whole(learning, NESTED), {}
    for point in (FULL, *mixed, OperatingPoint("patience", 1)):
        rows.clear()
        calls.clear()
        learning.operate_at(point)
        predict(learning, batch)
        assert sum(rows) == pytest.approx(learning.layers_used() * len(NESTED))
        assert calls == (rows if point.rule else rows[-1:]), "one classifier where no rule asks"
        work[point] = rows.copy()
    for hook in hooks:
        hook.remove()
    assert work.pop(FULL) == [len(NESTED)] * len(modules)
    assert all(sum(each) < len(NESTED) * len(modules) for each in work.values())
    assert work[OperatingPoint("patience", 1)] == [len(NESTED)], "no layer without sentences"


@pytest.mark.parametrize("weights", ["equal", "depth"])
def test_loss_is_the_exits_mean_cross_entropy_span_by_span(weights: str) -> None:
    system = TestFastNER().build(exit_weights=weights).eval()
    assert isinstance(system, FastNER)
    depth, total = system.encoder.depth, 0.0
    shares = [1 / depth] * depth
    if weights == "depth":
        shares = [(i + 1) / sum(range(1, depth + 1)) for i in range(depth)]
    for sentence in NESTED:
        gold = {(*e.span, e.type) for e in sentence.entities}
        for share, cells in zip(shares, read_alone(system, sentence), strict=True):
            for (i, j, t), p in cells.items():
                total -= share * math.log(p if (i, j + 1, TYPES[t]) in gold else 1 - p)
    loss = system.loss(whole(system, NESTED))
    assert loss.total.item() == pytest.approx(total / len(NESTED), rel=1e-4)
    assert list(loss.parts) == [f"layer {i + 1}" for i in range(depth)]


def test_bypass_is_a_convolution_beside_the_words_and_starts_as_none() -> None:
    torch.manual_seed(0)
    bypass = Bypass(inputs=6, width=4, kernel=3)
    x = torch.randn(2, 5, 6)
    present = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    assert torch.equal(bypass(x, present), x)
    torch.nn.init.normal_(bypass.widen.weight)
    torch.nn.init.normal_(bypass.widen.bias)
    y = bypass(x, present)
    weight, bias = bypass.convolution.weight, bypass.convolution.bias
    for row, words in enumerate([5, 3]):
        narrow = [torch.nn.functional.gelu(bypass.narrow(x[row, k])) for k in range(words)]
        for i in range(words):
            seen = [(k, i + k - 1) for k in range(3) if 0 <= i + k - 1 < words]
            made = bias + sum(weight[:, :, k] @ narrow[place] for k, place in seen)
            expected = x[row, i] + bypass.widen(torch.nn.functional.gelu(made))
            torch.testing.assert_close(y[row, i], expected)


def test_every_layer_and_every_exit_learns() -> None:
    """With the last exit alone, the first ones would have no gradient."""
    system = TestFastNER().build()
    system.loss(whole(system, NESTED)).total.backward()
    still = {n for n, p in system.named_parameters() if p.grad is None or not p.grad.any()}
    # What the bypass multiplies by zero before its first step moves from the second step on.
    assert all("bypass" in name and "widen" not in name for name in still), still


def test_decoding_follows_the_training_entities() -> None:
    overlapping = [s for s in NESTED if s.id == "same span"]
    for examples, nested in ((NESTED, True), (FLAT, False), (overlapping, True)):
        schema = make_schema("ner", examples, None, None)
        assert schema.nested == nested
        found = {
            decoding: TestFlat().build(schema, decoding=decoding).nested
            for decoding in ("auto", "flat", "nested")
        }
        assert found == {"auto": nested, "flat": False, "nested": True}


def test_flat_decoding_keeps_one_of_nested_entities() -> None:
    system = TestFlat().build()
    rows = system.ceiling(whole(system, NESTED))
    for sentence, row in zip(NESTED, rows, strict=True):
        found = [p.item for p in row]
        assert set(found) <= set(sentence.entities)
        words = [k for e in found for k in range(*e.span)]
        assert len(words) == len(set(words))
        assert bool(found) == bool(sentence.entities)


def test_operating_points_are_those_that_the_system_can_be_set_to(learning: FastNER) -> None:
    full, *others = FastNER.operating_points(learning.settings)
    assert full == FULL
    assert {p.rule for p in others} == set(GRID)
    for point in others:
        learning.operate_at(point)
        predict(learning, whole(learning, NESTED))
        assert 1 <= learning.layers_used() <= learning.encoder.depth
    with pytest.raises(SuiteError, match=r"unknown exit rule 'entrpy'.*Did you mean 'entropy'"):
        learning.operate_at(OperatingPoint("entrpy", 0.1))
    learning.operate_at(FULL)
    with pytest.raises(ZeroDivisionError):
        learning.layers_used()


def test_settings_name_the_first_operating_point() -> None:
    values = {"exit_rule": "patience", "exit_threshold": 1}
    for chosen, layers_used in (({}, 4), (values, 1)):
        system = TestFastNER().build(**chosen).eval()
        predict(system, whole(system, NESTED))
        assert system.layers_used() == layers_used


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bypass_kernel": 2}, "bypass_kernel 2 is not odd"),
        ({"width": 0}, "widths 0 and 64 must be 1 or more"),
        ({"dropout": 1.0}, r"dropout 1.0 lies outside \[0, 1\)"),
        ({"exit_rule": "patience"}, "exit_threshold 0.0 is not above 0"),
        ({"exit_rule": "luck"}, "exit_rule"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        make_settings(FastNER, values)


def test_an_entity_across_the_whole_sentence_is_found() -> None:
    sentence = Sentence("all", ("Bank", "of", "England"), (), (Entity(Span(0, 3), "ORG"),))
    system = TestFastNER().build()
    (row,) = system.ceiling(whole(system, [sentence]))
    assert [p.item for p in row] == list(sentence.entities)
