"""The report of a study of cost by size, from its records alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from reports.cells import Pictures, add_row, image, markdown, megabytes, number
from reports.forms.write import ComposedReport, write_forms
from reports.sections.overview import machine, plural
from reports.sheets import csv
from reports.sizes.exponents import AXES, LARGEST, SLACK, Axis, Cost, Grown, along, grown, numbers
from reports.sizes.figure import FIGURE, draw
from suite.errors import SuiteError
from suite.records.sizes import (
    KINDS,
    PLAN,
    RECORD,
    Kind,
    Measurement,
    SizePlan,
    SizeRecord,
    SizeSystem,
    folder_of,
    read_size_plan,
    read_size_record,
)
from suite.studies.sizes import Complexity, SizeStudy

TITLES: dict[Kind, str] = {"training": "training step", "inference": "inference"}
COSTS_OF_INFERENCE: tuple[Cost, Cost] = ("decoding_seconds", "seconds")
LETTERS: dict[Axis, str] = {"words": "n", "relations": "k"}


def is_by_size(out: Path) -> bool:
    """Whether the folder is that of a study of cost by size."""
    return (out / PLAN).exists()


def write_size_report(out: Path) -> Path:
    """Writes the report of an output folder, with `sizes.csv`.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there is nothing to report, a file is broken, or the folder cannot be written.
    """
    plan = read_size_plan(out / PLAN)
    paths = [folder_of(out, s, size) / RECORD for s in plan.systems for size in plan.study.sizes]
    found = (read_size_record(path) for path in paths if path.exists())
    records = [record for record in found if plan.holds(record)]
    if not records:
        raise SuiteError("holds no measurement", where=out, remedy="Run the study.")
    pictures = {FIGURE: draw(plan, records)}
    text = compose(plan, records, planned=len(paths), pictures=pictures)
    return write_forms(
        out,
        ComposedReport(
            name="report",
            text=text,
            pictures=pictures,
            ours=re.compile(rf"{FIGURE}|(stated|exponents|measurements)(-\d+)?"),
            tables={
                "stated": _stated(plan, records),
                "exponents": _exponents(plan, records),
                "measurements": _all(plan, records),
            },
            sheets={"sizes.csv": csv(frame(records))},
        ),
    )


def frame(records: Sequence[SizeRecord]) -> pd.DataFrame:
    """A line for each measurement."""
    return pd.DataFrame(
        {
            "system": record.point.system.variant,
            "words": record.point.size.words,
            "relations": record.point.size.relations,
            "sentences": record.point.study.sentences,
            "parameters": record.parameters,
            **found.model_dump(),
        }
        for record in records
        for found in record.measured
    )


def compose(
    plan: SizePlan,
    records: Sequence[SizeRecord],
    *,
    planned: int,
    pictures: Pictures,
) -> str:
    """The report's text."""
    study = plan.study
    sections = {
        "What was measured": _what(plan, records, planned),
        "Complexity, stated and measured": _stated(plan, records),
        "Exponents": _exponents(plan, records),
        "Time and memory": image(pictures, FIGURE, f"{study.title}: time and memory by size"),
        "All measurements": _all(plan, records),
        "Systems": _systems(plan, records),
    }
    body = "\n".join(
        f"## {i}. {title}\n\n{text.strip()}\n"
        for i, (title, text) in enumerate(sections.items(), 1)
    )
    return f"# {study.title}\n\n**{study.question}**\n\n{body}"


def _what(plan: SizePlan, records: Sequence[SizeRecord], planned: int) -> str:
    study = plan.study
    text = _how(study)
    text += f"Measured on {machine(plan.environment)}, {plural(plan.threads, 'thread')}, "
    text += f"{plan.precision}.\n\n"
    if any(not found.fitted for record in records for found in record.measured):
        text += (
            f"Where {study.fit_seconds:g} s of further steps did not fit a system so far, or a "
            "step gave no figure, inference is by what finds more triples or fewer, or none to "
            "decode: such figures are marked *unfitted*, and stand in the table of all "
            "measurements alone.\n\n"
        )
    if len(records) < planned:
        text += f"**{planned - len(records)} of {planned} sizes are not measured yet.**\n\n"
    lines = [line for record in records for line in _failures(record)]
    if lines:
        text += "Where there are no figures:\n\n" + "".join(f"- {line}\n" for line in lines) + "\n"
    return text + "".join(f"- {note.rstrip('.')}.\n" for note in study.notes)


def _how(study: SizeStudy) -> str:
    sentences = plural(study.sentences, "sentence")
    triples = (
        "as many triples as they have room for"
        if study.triples is None
        else f"{plural(study.triples, 'triple')} in each"
    )
    return (
        f"A batch of {sentences} made by the suite, all of one length, {triples}: words at "
        f"{plural(study.where.relations, 'relation')}, relations at "
        f"{plural(study.where.words, 'word')} a sentence. Each figure comes from a process of its "
        "own, in which nothing else was measured. A *training step* is encoding, loss, gradient "
        "and update; the median of the steps but the first. *Inference* is from words to triples, "
        "by a system that steps of training have fitted to the batch: it finds half to twice as "
        "many triples as there are. *Memory* is the most that the process held besides what it "
        "held with the system built, before the first batch. Nothing was trained to be accurate, "
        "and the figures say nothing about scores.\n\n"
    )


def _failures(record: SizeRecord) -> list[str]:
    size = record.point.size
    where = f"{size.words} words, {plural(size.relations, 'relation')}"
    title = record.point.system.title
    return [
        f"{title}, {TITLES[found.kind]}, {where}: {found.failure}"
        for found in record.measured
        if found.failure and found.reason != "not tried"
    ]


def _of(
    plan: SizePlan, records: Sequence[SizeRecord], system: SizeSystem, axis: Axis, kind: Kind,
    cost: Cost,
) -> Grown | None:  # fmt: skip
    return grown(numbers(along(records, plan, system.variant, axis, kind), cost))


def _stated(plan: SizePlan, records: Sequence[SizeRecord]) -> str:
    table: dict[str, list[str]] = {}
    verdicts = {}
    for system in plan.systems:
        stated = plan.study.stated.get(system.name)
        decoding, whole = (
            {axis: _of(plan, records, system, axis, "inference", cost) for axis in AXES}
            for cost in COSTS_OF_INFERENCE
        )
        verdict = _verdict(stated, decoding)
        if stated is not None:
            verdicts[system.title] = verdict
        add_row(
            table,
            {
                "System": system.title,
                f"Stated ({plan.study.table})": stated.text if stated else "-",
                "Measured, decoding": _power(plan, decoding),
                "Measured, all of inference": _power(plan, whole),
                "Decoding within what is stated": verdict,
            },
        )
    return (
        f"{_finding(verdicts)}\n\n"
        f"{plan.study.table} of {plan.study.source} states how decoding grows with n words and k "
        "relations. *Decoding* is measured from the encoder's vectors to triples; *all of "
        f"inference* begins with words. Each is a power of n and of k, over the {LARGEST} largest "
        "sizes at which the system was fitted (the largest is named where it is not the study's); "
        f"it counts as within what is stated up to {SLACK} above it. A smaller power is no "
        "contradiction: what does not grow, or grows less, still takes most of the time.\n\n"
        + markdown(table)
    )


def _finding(verdicts: Mapping[str, str]) -> str:
    held = [title for title, verdict in verdicts.items() if verdict == "yes"]
    if not verdicts:
        return "**Nothing is stated of the systems that were measured.**"
    others = [title for title in verdicts if title not in held]
    text = f"Decoding grows within what is stated in {len(held)} of {len(verdicts)} systems"
    return f"**{text}{'; not in ' + ', '.join(others) if others else ''}.**"


def _power(plan: SizePlan, measured: Mapping[Axis, Grown | None]) -> str:
    powers = []
    for axis, found in measured.items():
        if found is not None:
            to = "" if found.largest == getattr(plan.study, axis)[-1] else f" (to {found.largest})"
            powers.append(f"{LETTERS[axis]}^{found.last:.2f}{to}")
    return " ".join(powers) or "-"


def _verdict(stated: Complexity | None, measured: Mapping[Axis, Grown | None]) -> str:
    if stated is None:
        return "-"
    missing = [axis for axis, found in measured.items() if found is None]
    above = [
        axis
        for axis, found in measured.items()
        if found is not None and found.last > getattr(stated, axis) + SLACK
    ]
    if above:
        return f"no: above it in {' and '.join(above)}"
    return f"not known in {' and '.join(missing)}" if missing else "yes"


def _exponents(plan: SizePlan, records: Sequence[SizeRecord]) -> str:
    text = (
        "The exponent of each cost over all sizes (a straight line, both axes logarithmic), and "
        f"after the stroke over the {LARGEST} largest.\n"
    )
    costs: tuple[tuple[Cost, str], ...] = (("seconds", "Time"), ("memory_bytes", "Memory"))
    for cost, heading in costs:
        table: dict[str, list[str]] = {}
        for system in plan.systems:
            cells = {"System": system.title}
            for kind in KINDS:
                for axis in AXES:
                    found = _of(plan, records, system, axis, kind, cost)
                    cells[f"{TITLES[kind]}, {axis}"] = (
                        f"{found.overall:.2f} / {found.last:.2f}" if found else "-"
                    )
            add_row(table, cells)
        text += f"\n**{heading}**\n\n{markdown(table)}"
    return text


def _all(plan: SizePlan, records: Sequence[SizeRecord]) -> str:
    text = "Milliseconds of a batch, and MiB of memory in brackets.\n"
    for axis in AXES:
        other: Axis = "relations" if axis == "words" else "words"
        text += f"\n**By {axis}**, at {getattr(plan.study.where, other)} {other}\n\n"
        table: dict[str, list[str]] = {}
        for system in plan.systems:
            for kind in KINDS:
                found = dict(along(records, plan, system.variant, axis, kind))
                cells = {"System": system.title, "What": TITLES[kind]}
                for size in getattr(plan.study, axis):
                    cells[f"{size:,}"] = _cell(found.get(size))
                add_row(table, cells)
        text += markdown(table)
    return text


def _cell(found: Measurement | None) -> str:
    if found is None:
        return "not measured yet"
    if found.seconds is None:
        return {"memory": "out of memory", "time": "out of time", "not tried": "not tried"}.get(
            found.reason or "", "failed"
        )
    memory = "" if found.memory_bytes is None else f" ({number(megabytes(found.memory_bytes), 0)})"
    return f"{number(1000 * found.seconds)}{memory}{'' if found.fitted else ' unfitted'}"


def _systems(plan: SizePlan, records: Sequence[SizeRecord]) -> str:
    table: dict[str, list[str]] = {}
    for system in plan.systems:
        own = [r for r in records if r.point.system.variant == system.variant]
        counts = [r.parameters for r in own if r.parameters is not None]
        fitted = [m for m in (r.of("inference") for r in own) if m.fitted]
        found = sum(m.predicted or 0 for m in fitted)
        gold = sum(m.gold or 0 for m in fitted)
        add_row(
            table,
            {
                "System": system.title,
                "Encoder": system.encoder,
                "Settings": ", ".join(f"{k}={v}" for k, v in system.settings.items()) or "-",
                "Parameters": f"{min(counts):,} to {max(counts):,}" if counts else "-",
                "Triples predicted, of gold": f"{found:,} of {gold:,}",
            },
        )
    return markdown(table)
