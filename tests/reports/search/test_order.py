"""What a report says of short trials and of pruning, from records alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reports.search import curves, order, order_figure
from reports.search.pruning import write_pruning
from suite.records.search import Check, Finalist, Limits, SearchRecord, Spent, TrialRecord
from suite.uncertainty.correlation import Correlation
from tests.reports.folder import ENVIRONMENT, PROTOCOL, SYSTEMS, dataset_facts

SHORT, LONG = 4, 8


def trial(number: int, curve: Sequence[float], **changes: object) -> TrialRecord:
    fields = {"phase": "accuracy", "number": number, "key": f"key {number}", "label": None}
    rest = {"state": "complete", "choices": {}, "structure": {"L": "6"}, "dev_f1": max(curve)}
    known = {"epochs": tuple(curve), "settings": {"number": number}}
    return TrialRecord.model_validate({**fields, **rest, **known, **changes})


def search(trials: Sequence[TrialRecord], longs: Sequence[TrialRecord], **more: object) -> object:
    return SearchRecord(
        name="pretended", version="0", created="2026-01-01T00:00:00+00:00", command=("search",),
        system=SYSTEMS["fastre"], dataset=dataset_facts("nyt11"),
        protocol=PROTOCOL.model_copy(update={"epochs": SHORT}), environment=ENVIRONMENT,
        limits=Limits(), default_key="key 0", trials=tuple(trials),
        finalists=(Finalist(variant="fastre", title="FastRE", key="key 0", reason="default"),),
        importances={}, workers=(), **{"check": Check(epochs=LONG, trials=tuple(longs)), **more},
    )  # fmt: skip


def checked(ends: Sequence[float], **more: object) -> SearchRecord:
    """Trials whose short scores rise with their number, and whose long ones are given."""
    shorts = [trial(i, [0.1 + i / 100] * SHORT) for i in range(len(ends))]
    longs = [
        trial(i, [0.1 + i / 100] * SHORT + [end] * (LONG - SHORT), phase="check", key=f"long {i}")
        for i, end in enumerate(ends)
    ]
    found = search(shorts, longs, **more)
    assert isinstance(found, SearchRecord)
    return found


ALIKE = checked([0.5 + i / 50 for i in range(12)], rungs=(2, 4), pruner="halving")
REVERSED = checked([0.9 - i / 50 for i in range(12)], rungs=(2,), pruner="halving")
MIXED = checked([0.5 + (7 * i % 12) / 50 for i in range(12)], rungs=(2,))


def test_trials_that_stand_as_long_ones_do_are_said_to() -> None:
    text = order.write_order(ALIKE, {})
    assert "**Here trials of 4 epochs order structures as long trainings do.**" in text
    assert "Kendall's tau is 1.00 (95 % interval 1.00 to 1.00" in text
    assert "in 100.0 % of pairs" in text
    assert "The best of them in the short trials, accuracy 11, is the best in the end." in text
    assert "structures stand as long trainings have them" in write_pruning(ALIKE)


def test_an_order_that_turns_round_is_said() -> None:
    text = order.write_order(REVERSED, {})
    assert "**Here trials of 4 epochs order structures against what long trainings say.**" in text
    assert "accuracy 11, ends 22.0 points of dev F1 under accuracy 0" in text
    assert "| 2 | -1.00 | -1.00 to -1.00 | **no** |" in text
    said = write_pruning(REVERSED)
    assert "**Pruning by halving is not to be trusted here**: at epoch 2 (tau -1.00)" in said


def test_no_order_is_no_proof() -> None:
    text = order.write_order(MIXED, {})
    assert "is not shown here**: the interval holds 0" in text
    assert "Pruning by the median rule is not to be trusted here" in write_pruning(MIXED)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.5, 0.9, "order structures as long trainings do.**"),
        (0.49, 0.9, "better than chance, and not as long trainings do"),
        (-0.1, 0.9, "is not shown here"),
        (-0.9, -0.1, "against what long trainings say"),
    ],
)
def test_the_verdict_is_that_of_the_interval(low: float, high: float, said: str) -> None:
    assert said in order.verdict(Correlation((low + high) / 2, low, high), 6)


def test_too_few_or_equal_scores_have_no_order() -> None:
    for record in (checked([0.5, 0.6, 0.7]), checked([0.5] * 6)):
        assert "Too few long trainings" in order.write_order(record, {})
        assert order_figure.draw(record) == {}
        assert "was not checked" in write_pruning(
            record.model_copy(update={"rungs": (2,), "check": None})
        )


def test_a_search_without_a_check_says_nothing() -> None:
    record = ALIKE.model_copy(update={"check": None})
    assert order.write_order(record, {}) == ""
    assert order_figure.draw(record) == {}
    assert "(`--check`)" in write_pruning(record)


def test_a_long_training_that_failed_is_counted_and_not_ranked() -> None:
    assert ALIKE.check is not None
    first, *rest = ALIKE.check.trials
    failed = first.model_copy(update={"state": "failed", "dev_f1": None, "epochs": ()})
    check = ALIKE.check.model_copy(update={"trials": (failed, *rest)})
    text = order.write_order(ALIKE.model_copy(update={"check": check}), {})
    assert text.startswith("11 structures, ")
    assert "; 1 more have no score." in text


def test_pruning_says_what_it_saved() -> None:
    spent = Spent(training=60.0)
    own = [trial(i, [0.1] * SHORT, spent=spent) for i in range(3)]
    cut = trial(3, [0.1, 0.1], state="pruned", spent=Spent(training=30.0))
    record = search([*own, cut], [], rungs=(2,), pruner="halving", check=None)
    assert isinstance(record, SearchRecord)
    said = write_pruning(record)
    assert "1 of 4 trials were pruned, 2 epochs before their last ones: about 0.5 min" in said
    assert f"{100 * 30 / 240:.1f} % of what all of them would have taken" in said
    assert "None of 3 trials was pruned" in write_pruning(
        record.model_copy(update={"trials": tuple(own)})
    )
    assert "No trial is ended" in write_pruning(record.model_copy(update={"pruner": "none"}))


def test_figures_are_drawn_and_curves_can_be_told_apart() -> None:
    assert order_figure.draw(ALIKE).keys() == {"order"}
    labelled = [t.model_copy(update={"label": f"row {t.number}"}) for t in ALIKE.trials[:5]]
    record = ALIKE.model_copy(update={"trials": (*labelled, *ALIKE.trials[5:])})
    named = curves.told_apart(list(record.trials))
    assert [t.number for t in named] == [0, 1, 2, 3, 4, 11, 10, 9]
    assert curves.draw(record).keys() == {"epochs"}
    assert curves.draw(record.model_copy(update={"trials": ()})) == {}
