"""Costs as tidy frames: a row per run in `costs.csv`, per pair and batch in `break-even.csv`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from reports.cells import Value
from reports.costs import BreakEven, batch_sizes, break_evens, running_money, training_money
from reports.load import Group, Results
from reports.prices import MachinePrice, Prices


def _priced(results: Results, prices: Prices | None) -> list[tuple[Group, MachinePrice]]:
    """The parts of groups by machine whose price is known."""
    parts = [part for group in results.groups for part in group.machines]
    found = [(part, prices.of(part.environment.place)) for part in parts] if prices else []
    return [(part, price) for part, price in found if price is not None]


def _at(part: Group, price: MachinePrice, prices: Prices) -> dict[str, Any]:
    """Where costs were taken, and at which price."""
    place = part.environment.place
    return {
        "dataset": part.dataset.name,
        "table": part.key,
        "processor": place.processor,
        "cores": place.cores,
        "device": place.device,
        "currency": prices.currency,
        "price_per_hour": price.price_per_hour,
        "price_source": price.source,
        "price_date": price.date.isoformat(),
    }


def costs_frame(results: Results, prices: Prices | None) -> pd.DataFrame:
    """One row per complete run and machine whose price is known; empty without prices."""
    rows = []
    for part, price in _priced(results, prices):
        assert prices is not None
        training = training_money(price.price_per_hour)
        running = {n: running_money(n, price.price_per_hour) for n in batch_sizes(part)}
        read = {"training": training} | {f"million_batch{n}": t for n, t in running.items()}
        for row in part.rows:
            rows += [
                {"system": row.name, "variant": row.facts.variant, "seed": run.record.seed}
                | _at(part, price, prices)
                | {f"cost_{name}": _number(timed.read(run.record)) for name, timed in read.items()}
                for run in row.complete
            ]
    return pd.DataFrame(rows).convert_dtypes()


def _number(value: Value | None) -> float | None:
    return None if isinstance(value, str) else value


def break_even_frame(results: Results, prices: Prices | None) -> pd.DataFrame:
    """One row per two systems, batch size and machine whose price is known; else empty."""
    rows = []
    for part, price in _priced(results, prices):
        assert prices is not None
        found, _ = break_evens(part, price.price_per_hour)
        rows += [_at(part, price, prices) | _break_even(one) for one in found]
    return pd.DataFrame(rows).convert_dtypes()


def _break_even(one: BreakEven) -> dict[str, Any]:
    told = isinstance(one.millions, str)
    return {
        "dearer_to_train": one.dearer.label,
        "cheaper_to_train": one.cheaper.label,
        "batch_size": one.batch_size,
        "training_difference": one.difference,
        "million_examples": None if told else one.millions,
        "reason": one.millions if told else None,
        "shared": any(way.shared for way in (*one.trained, *one.ran)),
    }
