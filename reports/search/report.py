"""Makes the report of a structure search: its text, figures and tables, and `trials.csv`.

Reads `search.json` and the records of the finals alone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from reports.cells import (
    Pictures,
    add_row,
    cell,
    image,
    markdown,
    megabytes,
    number,
    per_cent,
    seeds_cell,
    values,
)
from reports.differences import compare
from reports.forms.write import ComposedReport, write_forms
from reports.load import Group, Results, Row, load_results
from reports.readings import f1_of
from reports.search import curves, order, order_figure
from reports.search import figures as search_figures
from reports.search.pruning import write_pruning
from reports.sections.differences import against
from reports.sections.overview import listed, machine, on_each_machine, plural
from reports.sheets import csv
from reports.times import SHARED, latency, mark_of, shared_note, time_cell, training_time
from suite.quoting import quoted
from suite.records.search import SearchRecord, TrialRecord, best_first, front, read_search

SHOWN = 15
"""How many trials the table of the best shows; `trials.csv` holds all."""


def quickest_first(record: SearchRecord) -> list[TrialRecord]:
    """Complete structures that no other one beats in dev F1 and latency at once, by latency.

    Those that break a limit are not among them.
    """
    size = record.limits.latency_batch
    kept = [t for t in best_first(record.trials) if not t.broken and size in t.latency_ms]
    found = front(kept, lambda t: t.latency_ms[size])
    return sorted(found, key=lambda t: t.latency_ms[size])


def _heading(record: SearchRecord) -> str:
    p = record.protocol
    sources = filter(None, (record.system.vectors, record.system.pretrained))
    synthetic = (
        "\n**The data are synthetic**, made by this suite: their figures say nothing about real "
        "text.\n"
        if record.dataset.synthetic
        else ""
    )
    return (
        f"# Structure search of {record.system.title} on {record.dataset.title}\n\n"
        f"Search `{record.name}`, reported {record.created}, on {machine(record.environment)}, "
        f"{plural(p.threads, 'thread')} per training run, {p.precision}; at most "
        f"{plural(p.epochs, 'epoch')} per training run. Resources: {listed(sources) or 'none'}.\n\n"
        f"```\n{' '.join(record.command)}\n```\n{synthetic}"
    )


def _what_to_know(record: SearchRecord) -> str:
    trials = record.trials
    own = [t for t in trials if t.duplicate_of is None]
    states = {s: sum(t.state == s for t in own) for s in ("complete", "pruned", "failed")}
    counted = listed(f"{count} {state}" for state, count in states.items() if count)
    lines = [
        f"{plural(len(own), 'structure')} tried ({counted}); {len(trials) - len(own)} more were "
        "proposed again and not trained again.",
        f"A trial is **one seed**, scored on dev ({record.protocol.match} match where the task "
        "has match rules). The best of many trials looks better on dev than it is: what counts is "
        "the table of the finals, trained anew over seeds and scored on test once.",
        "Latency is of dev, words to predictions, in a process of its own. A pruned structure was "
        "timed with the weights that it had when it was pruned.",
        _limits(record),
        _time(record),
        SHARED if any(t.alone is False or t.measured_alone is False for t in own) else "",
        _nodes(own),
        _warm_start(own),
        *(f"Not taken from {what}" for what in record.not_taken),
        *(f"**{t.name} was given up**: {t.failure}." for t in own if t.given_up),
    ]
    notes = [note.rstrip(".") + "." for note in record.dataset.notes]
    return "".join(f"- {line}\n" for line in [*lines, *notes] if line)


def _nodes(trials: Sequence[TrialRecord]) -> str:
    """How many trials each node of a cluster trained; empty where none is named."""
    counts = Counter(t.node for t in trials if t.node is not None)
    named = listed(f"{quoted(node)} ({plural(n, 'structure')})" for node, n in counts.items())
    return f"Trained on nodes of a cluster: {named}." if counts else ""


def _warm_start(trials: Sequence[TrialRecord]) -> str:
    """How many structures are those of another search; empty where none is."""
    count = sum(t.warm_start is not None for t in trials)
    if not count:
        return ""
    return f"{plural(count, 'structure')} of another search tried early, without its scores."


def _limits(record: SearchRecord) -> str:
    limits = record.limits
    said = []
    if limits.latency_ms is not None:
        said.append(f"{limits.latency_ms:g} ms per sentence at batch {limits.latency_batch}")
    if limits.memory_mb is not None:
        said.append(f"{limits.memory_mb:g} MiB while training")
    if not said:
        return "No limit was set on latency or memory."
    complete = best_first(record.trials)
    kept = [t for t in complete if not t.broken]
    text = f"Limits: {listed(said)}; {len(kept)} of {len(complete)} complete structures keep them."
    if kept:
        return text
    size = limits.latency_batch
    near = sorted(t.latency_ms[size] for t in complete if size in t.latency_ms)
    return f"{text} **No structure does**" + (
        f"; the quickest takes {number(near[0])} ms." if near else "."
    )


def _time(record: SearchRecord) -> str:
    alive = sum(w.alive for w in record.workers)
    if not alive:
        return "No worker finished: what the search cost besides its trials is not known."
    spent = sum(w.spent for w in record.workers)
    waiting = sum(w.waiting for w in record.workers)
    share = (alive - spent - waiting) / alive
    return (
        f"{plural(len(record.workers), 'worker')} took {alive / 60:.1f} min together: "
        f"{spent / 60:.1f} min training, evaluating and measuring, {waiting / 60:.1f} min waiting "
        f"for one another, and {per_cent(share)} % all else (start, sampling, storage, tracking)."
    )


def _finals(record: SearchRecord, results: Results | None) -> str:
    if results is None:
        return "No finalist was trained again.\n"
    parts = [_finals_of(record, group) for group in results.groups]
    return (
        "Chosen on dev; trained from scratch, once per seed; scored on test by the epoch "
        "with the best dev F1. Differences are to the first row: a bootstrap over "
        "test sentences and seeds. The whole report of these runs: "
        "[finals](finals/report.md).\n\n" + "\n".join(parts)
    )


def _finals_of(record: SearchRecord, group: Group) -> str:
    finalists = {f.variant: f for f in record.finalists}
    structures = {t.key: t.structure for t in record.trials}
    default = record.finalists[0].variant
    found, refused = compare(group.systems, group.match)
    joined, sizes = len(group.machines) > 1, batch_sizes(record)
    table: dict[str, list[str]] = {}
    for row in group.systems:
        if row.facts.key in finalists:
            finalist = finalists[row.facts.key]
            cells = {
                "Structure": row.label,
                "Seeds": seeds_cell(row),
                **structures.get(finalist.key, {}),
                **_measured(group, row),
                **({} if joined else finalist_times(row, sizes)),
                **against(found, row.facts.key, default),
                "Chosen for": finalist.reason,
            }
            add_row(table, cells)
    text = markdown(table) if table else ""
    if joined:
        text += "\n" + on_each_machine(group, partial(_times_table, sizes=sizes)) + "\n"
    text += shared_note(group.runs)
    return text + "".join(f"- {reason}.\n" for reason in refused)


def _times_table(part: Group, sizes: Sequence[int]) -> str:
    """What finalists took on one machine."""
    table: dict[str, list[str]] = {}
    for row in part.systems:
        cells = {"Structure": row.label, "Seeds": seeds_cell(row)}
        add_row(table, cells | finalist_times(row, sizes))
    return markdown(table) if table else ""


def finalist_times(row: Row, sizes: Sequence[int]) -> dict[str, str]:
    """Training time and latency of a finalist."""
    return {
        "Training (min)": time_cell(row, training_time("training_seconds", factor=1 / 60)),
        **{f"Latency, batch {size} (ms)": time_cell(row, latency(size)) for size in sizes},
    }


def batch_sizes(record: SearchRecord) -> list[int]:
    """At which latency was measured in trials."""
    return sorted({size for t in record.trials for size in t.latency_ms})


def _measured(group: Group, row: Row) -> dict[str, str]:
    """Size and scores of a finalist."""
    dev = values(row, lambda r: f1_of(r, group.match, "dev"))
    return {
        "Parameters (thousands)": _parameters(row),
        "dev F1 (%)": cell(dev, 1),
        "test F1 (%)": cell(values(row, lambda r: f1_of(r, group.match)), 1),
    }


def _parameters(row: Row) -> str:
    sizes = {r.record.parameters.total for r in row.complete if r.record.parameters}
    return f"{sizes.pop() / 1000:,.0f}" if len(sizes) == 1 else "-"


def trial_table(sizes: Sequence[int], trials: Sequence[TrialRecord]) -> str:
    """Trials in the columns of FastRE's Table 4, with what else was varied."""
    table: dict[str, list[str]] = {}
    for t in trials:
        cells = {"Trial": t.name + (f" ({t.label})" if t.label else ""), **t.structure}
        cells |= {
            "Parameters (thousands)": (
                "-" if t.parameters is None else f"{t.parameters / 1000:,.0f}"
            ),
            "Training (min)": number(t.spent.training / 60) + mark_of([t.alone is False]),
            **{f"Latency, batch {size} (ms)": _latency(t, size) for size in sizes},
            "Memory (MiB)": (
                "-" if t.peak_memory_bytes is None else number(megabytes(t.peak_memory_bytes), 0)
            ),
            "dev F1 (%), one seed": "-" if t.dev_f1 is None else per_cent(t.dev_f1),
        }
        over = listed(f"{name} by {number(by)}" for name, by in t.broken.items())
        add_row(table, {**cells, "State": t.state + (f"; over {over}" if over else "")})
    return markdown(table) if table else "None.\n"


def _latency(trial: TrialRecord, size: int) -> str:
    if size not in trial.latency_ms:
        return "-"
    return number(trial.latency_ms[size]) + mark_of([trial.measured_alone is False])


def _published(record: SearchRecord) -> list[TrialRecord]:
    """A trial of each published structure: the first that is complete, else the first."""
    found: dict[str, TrialRecord] = {}
    for trial in record.trials:
        if trial.label is None:
            continue
        known = found.setdefault(trial.label, trial)
        if known.state != "complete" and trial.state == "complete":
            found[trial.label] = trial
    return list(found.values())


def _compose(record: SearchRecord, finals: str, pictures: Pictures) -> str:
    labelled = _published(record)
    importances = sorted(record.importances.items(), key=lambda named: -named[1])
    size, sizes = record.limits.latency_batch, batch_sizes(record)
    sections = {
        "What to know first": _what_to_know(record),
        "The finals": finals,
        "The published structures": (
            "Structures of the paper's table, tried before all others and never pruned.\n\n"
            + trial_table(sizes, labelled)
            if labelled
            else ""
        ),
        "The best trials": (
            f"The {SHOWN} best on dev; `trials.csv` has all.\n\n"
            + trial_table(sizes, best_first(record.trials)[:SHOWN])
        ),
        "Accuracy against latency": (
            f"No other structure has a better dev F1 at the same or a lower latency (batch {size}) "
            "than these:\n\n"
            + trial_table(sizes, quickest_first(record))
            + image(pictures, "front", "dev F1 against latency of all structures")
        ),
        "What mattered": (
            "How far good trials differ from all in each choice (PED-ANOVA, Watanabe et al., IJCAI "
            "2023), of the choices that every trial makes; from one seed per trial.\n\n"
            + markdown(
                {
                    "Choice": [name for name, _ in importances],
                    "Importance": [f"{value:.2f}" for _, value in importances],
                }
            )
            if importances
            else "Too few complete trials to say.\n"
        ),
        "Short trials and long ones": order.write_order(record, pictures),
        "Pruning": write_pruning(record),
        "The course of the search": (
            image(pictures, "history", "dev F1 of each trial and the best so far")
            + image(pictures, "epochs", "dev F1 after each epoch, pruned trials marked")
        ),
    }
    present = [(title, text) for title, text in sections.items() if text]
    body = "\n".join(f"## {i}. {title}\n\n{text}" for i, (title, text) in enumerate(present, 1))
    return f"{_heading(record)}\n{body}"


def trials_frame(record: SearchRecord) -> pd.DataFrame:
    """One row per trial, long trainings of the check after all others."""
    rows = []
    for t in (*record.trials, *(record.check.trials if record.check else ())):
        held = t.model_dump(mode="json", exclude={"structure", "settings", "latency_ms", "spent"})
        rows.append(
            {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in held.items()}
            | {f"latency_ms_{size}": value for size, value in t.latency_ms.items()}
            | {f"seconds_{name}": value for name, value in t.spent.model_dump().items()}
            | {"settings": json.dumps(t.settings)}
        )
    return pd.DataFrame(rows).convert_dtypes()


def write_search_report(out: Path) -> Path:
    """Writes the report of an output folder of `search-structure`.

    Returns:
        The path of `report.md`.

    Raises:
        SuiteError: there is no `search.json`, or a record is broken.
    """
    record = read_search(out / "search.json")
    folder = out / "finals"
    there = (folder / "suite.json").is_file() and any(folder.glob("runs/*/*/*/record.json"))
    results = load_results(folder) if there else None
    pictures = {
        **search_figures.draw(record, quickest_first(record)),
        **curves.draw(record),
        **order_figure.draw(record),
    }
    sizes, finals = batch_sizes(record), _finals(record, results)
    return write_forms(
        out,
        ComposedReport(
            name="report",
            text=_compose(record, finals, pictures),
            pictures=pictures,
            ours=re.compile(r"history|epochs|order|front|best|published|finals(-\d+)?"),
            tables={
                "finals": finals,
                "published": trial_table(sizes, _published(record)),
                "best": trial_table(sizes, best_first(record.trials)[:SHOWN]),
                "front": trial_table(sizes, quickest_first(record)),
            },
            sheets={"trials.csv": csv(trials_frame(record))},
        ),
    )
