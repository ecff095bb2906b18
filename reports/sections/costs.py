"""What systems cost: money at the price of a machine, when the dearer one pays off, and energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from reports.cells import ReadScore, add_row, cell, markdown, mean, number, seeds_cell, values
from reports.costs import (
    PARTS,
    BreakEven,
    batch_sizes,
    break_evens,
    energies,
    parts_counted,
    running_energy,
    running_money,
    training_energy,
    training_money,
)
from reports.load import Group, Row
from reports.prices import MachinePrice, Prices
from reports.readings import f1_of, labelled
from reports.sections.overview import caption, on_each_machine
from reports.times import Timed, mark, shared_note, time_cell, why_no_ratio
from suite.quoting import quoted
from suite.tasks.metric import ScoredSplit

METHOD = (
    "Money is time by the price of an hour of the whole machine, used to the full: an hour in "
    "which it waits costs as much and is not in it. A training is that of one seed with its dev "
    "evaluation, without the reading and encoding of the data and without any search for settings. "
    "Running is told at the pace of whole passes over the test set."
)
PAYS_OFF = (
    "The system that is dearer to train pays off where it is cheaper to run, from the volume at "
    "which both have cost the same (*never*: it is no cheaper to run). Both have the machine's "
    "price, so that the volume is the same at any price:"
)
COUNTED = (
    "Energy is what the machine's own counters tell: RAPL of all the processor's packages, without "
    "the memory beside them, and NVML of the GPU. They count all work of the part, whoever gave "
    "it, and what the part draws when idle; which share is the system's is not known. Figures "
    "marked *(shared)* hold the energy of other runs of the suite as well, and *What to know "
    "first* names the runs beside which other work ran."
)


def section(groups: Sequence[Group], prices: Prices | None) -> str:
    """Costs of each dataset; empty where neither a price is given nor energy was counted."""
    if prices is None and not any(parts_counted(group) for group in groups):
        return ""
    found = [clause for g in groups for part in g.machines if (clause := _finding(part, prices))]
    where = "while energy was counted" if prices is None else "on a machine whose price is given"
    finding = "; ".join(found) or f"no inference was measured {where}"
    text = f"{finding[:1].upper()}{finding[1:]}.\n"
    if prices is not None:
        text += f"\n{METHOD}\n\n{_given(groups, prices)}"
    text += f"\n{COUNTED}\n" if any(parts_counted(group) for group in groups) else ""
    text += "" if prices is None else why_no_energy(groups)
    for group in groups:
        text += (
            f"\n### {group.title}\n\n{caption(group)}\n"
            + on_each_machine(group, partial(_costs, prices=prices))
            + shared_note(group.runs)
        )
    return text


def why_no_energy(groups: Sequence[Group]) -> str:
    """A line on why no record tells energy; empty where one does, or none says why."""
    told = [energy for g in groups for run in g.runs for energy in energies(run.record)]
    reasons = dict.fromkeys(energy.failure for energy in told if energy.failure)
    if any(energy.counted for energy in told) or not reasons:
        return ""
    return f"\nEnergy was not counted: {quoted('; '.join(map(str, reasons)))}.\n"


def _given(groups: Sequence[Group], prices: Prices) -> str:
    """The prices, the machines without one, and the prices without a machine."""
    places = list(dict.fromkeys(p.environment.place for g in groups for p in g.machines))
    lines = []
    for place in places:
        price = prices.of(place)
        lines.append(
            f"no price is given for {quoted(place.processor)} ({place.cores} cores), device "
            f"{quoted(place.device)}: its runs have no cost here"
            if price is None
            else f"{_price(price, prices)} ({quoted(price.source)}, {price.date})"
        )
    lines += [
        f"not used, since nothing here ran on such a machine: {_price(price, prices)}"
        for price in prices.unused(places)
    ]
    return "".join(f"- {line[:1].upper()}{line[1:]}.\n" for line in lines)


def _price(price: MachinePrice, prices: Prices) -> str:
    amount = f"{price.price_per_hour:,g} {quoted(prices.currency)} an hour"
    return f"{quoted(price.title)}: {amount}"


def _costs(part: Group, prices: Prices | None) -> str:
    """The tables of one machine."""
    price = None if prices is None else prices.of(part.environment.place)
    texts = []
    if prices is not None and price is not None:
        currency = quoted(prices.currency)
        texts += [_money_table(part, price, currency), _pairs(part, price, currency)]
    elif prices is not None:
        texts.append("No price is given for this machine.\n")
    texts.append(_energy_table(part))
    return "\n".join(filter(None, texts))


def _f1(group: Group) -> tuple[ScoredSplit, ReadScore]:
    """The split whose F1 stands beside costs, dev where test is not labelled, and its reader."""
    split: ScoredSplit = "test" if labelled(group) else "dev"
    return split, partial(f1_of, match=group.match, split=split)


def _money_table(part: Group, price: MachinePrice, currency: str) -> str:
    split, read_f1 = _f1(part)
    f1_heading = f"{split} F1{part.rule} (%)"
    table: dict[str, list[str]] = {}
    for row in part.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        cells[f1_heading] = cell(values(row, read_f1), 1)
        cells[f"One training ({currency})"] = time_cell(row, training_money(price.price_per_hour))
        for size in batch_sizes(part):
            heading = f"A million {part.unit}s at batch {size} ({currency})"
            cells[heading] = time_cell(row, running_money(size, price.price_per_hour))
        add_row(table, cells)
    return markdown(table)


def _pairs(part: Group, price: MachinePrice, currency: str) -> str:
    """When one of two systems pays off, for every two."""
    found, refused = break_evens(part, price.price_per_hour)
    if not found and not refused:
        return ""
    table: dict[str, dict[str, str]] = {}
    for one in found:
        difference = f"{number(one.difference)}{mark(one.trained)}"
        cells = table.setdefault(
            f"{one.dearer.label}\n{one.cheaper.label}",
            {
                "Dearer to train": one.dearer.label,
                "Cheaper to train": one.cheaper.label,
                f"By, for one training ({currency})": difference,
            },
        )
        heading = f"Pays off after, at batch {one.batch_size} (million {part.unit}s)"
        cells[heading] = _volume(one)
    columns: dict[str, list[str]] = {}
    for cells in table.values():
        add_row(columns, cells)
    lines = "".join(f"- {line}.\n" for line in refused)
    return f"{PAYS_OFF}\n\n{markdown(columns) if columns else ''}" + (
        f"\nNot compared:\n\n{lines}" if lines else ""
    )


def _volume(one: BreakEven) -> str:
    if isinstance(one.millions, str):
        return one.millions
    return f"{number(one.millions)}{mark([*one.trained, *one.ran])}"


def _energy_table(part: Group) -> str:
    counted = parts_counted(part)
    if not counted:
        return ""
    table: dict[str, list[str]] = {}
    for row in part.rows:
        cells = {"System": row.label, "Seeds": seeds_cell(row)}
        for kind in counted:
            name = PARTS[kind]
            cells[f"One training, {name} (Wh)"] = time_cell(row, training_energy(kind))
            for size in batch_sizes(part):
                heading = f"1,000 {part.unit}s at batch {size}, {name} (J)"
                cells[heading] = time_cell(row, running_energy(kind, size))
        add_row(table, cells)
    return markdown(table)


def _finding(part: Group, prices: Prices | None) -> str | None:
    """What a machine's runs say of running at its largest batch; None where they say nothing."""
    sizes = batch_sizes(part)
    if not sizes:
        return None
    examples = f"{part.unit}s at batch {sizes[-1]}"
    if prices is not None:
        price = prices.of(part.environment.place)
        if price is None:
            return None
        unit = f"{quoted(prices.currency)} for a million {examples}"
        return _ranked(part, running_money(sizes[-1], price.price_per_hour), unit)
    kinds = parts_counted(part)[-1:]  # the GPU, where one computed
    unit = f"J for 1,000 {examples}"
    found = (_ranked(part, running_energy(k, sizes[-1]), f"{unit} ({PARTS[k]})") for k in kinds)
    return next(found, None)


def _ranked(part: Group, cost: Timed, unit: str) -> str | None:
    """Which system takes least to run, and how many times as much the best one takes."""
    means = {row.label: (row, mean(cost.of(row))) for row in part.systems}
    costs = {label: (row, found) for label, (row, found) in means.items() if found is not None}
    if not costs:
        return None
    place = f"on {part.title}{f', machine {part.place}' if part.place else ''}"
    ways = [way for row, _ in costs.values() for way in cost.ways(row)]
    if (why := why_no_ratio(ways)) is not None:
        return f"{place}, systems are not ranked by what they take to run ({why})"
    row, least = min(costs.values(), key=lambda found: found[1])
    amount = f"{number(least)}{mark(ways)} {unit}"
    if len(costs) == 1:
        return f"{place}, {row.label} takes {amount}"
    among = f"of {len(costs)} systems"
    if len(costs) < len(part.systems):
        among = f"of the {len(costs)} of {len(part.systems)} systems that have a figure"
    return f"{place}, {row.label} takes least to run {among}: {amount}" + _beside_the_best(
        part, row.label, costs
    )


def _beside_the_best(part: Group, label: str, costs: Mapping[str, tuple[Row, float]]) -> str:
    """What the system of the highest F1 takes beside the one that takes least, as a clause."""
    split, read = _f1(part)
    means = {name: mean(values(row, read)) for name, (row, _) in costs.items()}
    scores = {name: f1 for name, f1 in means.items() if f1 is not None}
    if label not in scores or not costs[label][1]:  # of nothing, nothing is a multiple
        return ""
    best = max(scores, key=lambda name: (scores[name], -costs[name][1]))
    if best == label:
        return f", and none of them has a higher {split} F1 ({number(scores[label], 1)} %)"
    times = costs[best][1] / costs[label][1]
    return (
        f", and {best}, whose {split} F1 is the highest ({number(scores[best], 1)} % against "
        f"{number(scores[label], 1)} %), takes {number(times)} times as much"
    )
