"""What the reader must know before believing a figure of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports.comparison import shortfalls
from reports.converged import still_rising
from reports.doubts import doubts
from reports.evidenced import EvidencedRun
from reports.load import Group, Results, Row
from reports.run_files import RecordedRun
from reports.sections.convergence import not_final
from reports.sections.outside import brought_in
from reports.sections.overview import listed, ran, where
from reports.times import busiest
from suite.records.run import Resource, RunRecord
from suite.records.suite import Cannot

MINIMUM_SEEDS = 3
STAND_INS: Mapping[Resource, tuple[str, str]] = {
    "vectors": ("Word vectors are", "the papers' 300-d GloVe"),
    "pretrained": ("The pretrained encoder is", "the papers' bert-base-cased"),
    "parser": ("Dependency trees are from", "spaCy's `en_core_web_sm`"),
}
"""Resource -> how a sentence on it begins, and what the papers used."""


def warnings(results: Results) -> str:
    """All that weakens a figure of this report, the worst first."""
    found = [
        *_failures(results),
        *doubts((run.record for run in results.runs), _name),
        *(line for group in results.groups for line in shortfalls(group)),
        *brought_in(results),
        *_evidenced(results),
        *_data(results),
        *_repeats(results),
        *_rising(results),
        *_machines(results),
        *_undetermined(results),
        *_machine_load(results),
        *_not_alone(results),
        *_resources(results),
        *_provenance(results),
    ]
    return "".join(f"- {' '.join(line.split())}\n" for line in found) or "None.\n"


def _name(record: RunRecord) -> str:
    return f"{record.system.title}, {record.dataset.title}, seed {record.seed}"


def _failures(results: Results) -> list[str]:
    lines = [
        f"**{run.record.status}**: {_name(run.record)}: "
        f"{(run.record.failure or 'no reason given').rstrip('.')}. Its scores count in no mean."
        for run in results.runs
        if not run.complete
    ]
    absent: dict[str, list[int]] = {}
    for system, dataset, seed in results.absent:
        absent.setdefault(f"{system} on {dataset}", []).append(seed)
    lines += [
        f"**no record**: {place}, seed {listed(seeds)}: planned, but not started or cut off."
        for place, seeds in absent.items()
    ]
    unmeasured: dict[str, list[int]] = {}
    for run in results.runs:
        record = run.record
        for cost in record.inference:
            if cost.failure:
                place = f"{record.system.title} on {record.dataset.title}"
                what = f"{place}, inference at batch {cost.batch_size}: {cost.failure}"
                unmeasured.setdefault(what, []).append(record.seed)
        if record.operating is not None and record.operating.failure:
            place = f"{record.system.title} on {record.dataset.title}"
            what = f"{place}, operating points: {record.operating.failure}"
            unmeasured.setdefault(what, []).append(record.seed)
        if record.swapped is not None and record.swapped.failure:
            place = f"{record.system.title} on {record.dataset.title}"
            what = f"{place}, test with other names: {record.swapped.failure}"
            unmeasured.setdefault(what, []).append(record.seed)
    lines += [
        f"**not measured**: {what} (seed {listed(seeds)})." for what, seeds in unmeasured.items()
    ]
    return lines + _not_run(results)


def _not_run(results: Results) -> list[str]:
    """What was not run; systems that do not do a dataset's task in one line."""
    barred: dict[tuple[str, str], list[Cannot]] = {}
    for cannot in results.plan.cannot:
        why = cannot.kind if cannot.kind == "other task" else cannot.reason
        barred.setdefault((cannot.dataset, why), []).append(cannot)
    lines = []
    for (dataset, _), several in barred.items():
        reason = several[0].reason
        if len(several) > 1 and several[0].kind == "other task":
            reason = "they do not do its task"
        lines.append(f"**not run**: {listed(c.system for c in several)} on {dataset}: {reason}.")
    return lines


def _evidenced(results: Results) -> list[str]:
    """Runs of which no more than evidence came along."""
    named = [_name(run.record) for run in results.runs if isinstance(run, EvidencedRun)]
    if not named:
        return []
    return [
        f"Told by evidence alone: {len(named)} of {len(results.runs)} runs. Their predictions did "
        "not come along, so that they have no scores by relation or type, nor any under other "
        f"conventions, by what train knew, or by score. {'; '.join(named[:6])}"
        f"{'; ...' if len(named) > 6 else ''}."
    ]


def _data(results: Results) -> list[str]:
    lines = []
    for group in results.groups:
        wrong = [split for split, flag in group.dataset.published.items() if flag is False]
        if wrong:
            lines.append(
                f"{group.title}: {listed(wrong)} not the published split; no figure here "
                "reproduces a published one."
            )
        if group.differences:
            lines.append(
                f"{group.title} stands in a table of its own: {'; '.join(group.differences)}."
            )
        own = set(group.dataset.published.values()) == {None} and not group.dataset.synthetic
        if group.notes and own:
            lines.append(f"{group.title}: {group.notes}")
        several: dict[str, list[Row]] = {}
        for row in group.rows:
            several.setdefault(row.name, []).append(row)
        lines += [
            f"{group.title}: the runs of {rows[0].facts.name} {_why_apart(group, rows)}."
            for rows in several.values()
            if len(rows) > 1
        ]
    return lines


def _why_apart(group: Group, rows: Sequence[Row]) -> str:
    """What tells rows of one system apart: what they are made of, or the folders they are from."""
    apart = group.apart
    named = listed(f"{r.label} ({apart.get(r.label, 'equal settings')})" for r in rows)
    if all(row.label in apart for row in rows):
        return f"have different settings or resources, and stand as {named}"
    return f"were told apart by variant or folder, and stand as {named}"


def _repeats(results: Results) -> list[str]:
    few = [
        f"{row.label} on {group.title} ({row.n})"
        for group in results.groups
        for row in group.rows
        if len(row.complete) < MINIMUM_SEEDS
    ]
    if not few:
        return []
    return [
        f"Fewer than {MINIMUM_SEEDS} complete seeds: {'; '.join(few)}. A difference smaller than "
        "the spread between seeds cannot be told from chance; of one seed that spread is unknown, "
        "and no p-value is given."
    ]


def _rising(results: Results) -> list[str]:
    """Systems whose training ended too early to rank them."""
    return [
        f"**Not converged**: on {group.title}, {not_final(rising)}"
        for group in results.groups
        if (rising := [row.label for row in group.rows if still_rising(row, group.match)])
    ]


def _undetermined(results: Results) -> list[str]:
    """On the processor one seed gives one set of digits; on a GPU it need not."""
    on_gpu = {r.record.environment.device for r in results.runs} - {"cpu"}
    if not on_gpu:
        return []
    return [
        f"Runs on {listed(sorted(on_gpu))}: a GPU adds up the gradients of words that are read "
        "more than once, and the steps of recurrent layers, in an order that is not fixed. A run "
        "that is done again with its seed may differ from the last digits on; on the processor it "
        "gives the same digits."
    ]


def _machines(results: Results) -> list[str]:
    """Tables that join runs of several machines."""
    lines = []
    for group in results.groups:
        if len(group.machines) > 1:
            named = "; ".join(f"{where(p)}: {ran(p)}" for p in group.machines)
            lines.append(
                f"{group.title}: scores of {len(group.machines)} machines stand in one table "
                f"({named}); times stand in a table for each machine, and no ratio is taken "
                "across them."
            )
    return lines


def _not_alone(results: Results) -> list[str]:
    """Runs that trained beside other runs of the suite."""
    named = [
        _name(run.record)
        for run in results.runs
        if run.record.training and run.record.training.alone is False
    ]
    if not named:
        return []
    return [
        f"Trained beside other runs of the suite: {len(named)} of {len(results.runs)} runs: their "
        "times of training are longer than alone, marked *shared* where they stand, and in no "
        f"ratio with those of runs that trained alone. {'; '.join(named[:6])}"
        f"{'; ...' if len(named) > 6 else ''}."
    ]


def busy_runs(runs: Sequence[RecordedRun]) -> list[tuple[RecordedRun, float]]:
    """Those beside which other work ran, with the largest load average that they noted."""
    busy = []
    for run in runs:
        record = run.record
        loads = list(record.training.load_average) if record.training else []
        loads += [max(c.load_average) for c in record.inference if c.load_average]
        if (largest := busiest(record, loads)) is not None:
            busy.append((run, largest))
    return busy


def _machine_load(results: Results) -> list[str]:
    """Runs beside which other work ran."""
    busy = [(load, f"{_name(run.record)} ({load:.1f})") for run, load in busy_runs(results.runs)]
    if not busy:
        return []
    busy.sort(reverse=True)
    named = "; ".join(name for _, name in busy[:6]) + ("; ..." if len(busy) > 6 else "")
    threads = listed(sorted({run.record.protocol.threads for run in results.runs}))
    return [
        f"Other work competed during {len(busy)} of {len(results.runs)} runs (one-minute load "
        f"average above the run's {threads} thread(s)): their times are too long, and a ratio "
        f"of two such times is uncertain. {named}."
    ]


def _resources(results: Results) -> list[str]:
    """What stands in for a resource of the papers, and where."""
    places: dict[tuple[Resource, str], list[str]] = {}
    for resource in STAND_INS:
        for group in results.groups:
            for row in group.rows:
                source = getattr(row.facts, resource)
                if resource in row.facts.stand_ins:
                    place = f"{row.label} on {group.title}"
                    places.setdefault((resource, source), []).append(place)
    return [
        f"{STAND_INS[resource][0]} `{source}`, in place of {STAND_INS[resource][1]}: "
        f"{'; '.join(named)}."
        for (resource, source), named in places.items()
    ]


def _provenance(results: Results) -> list[str]:
    lines = []
    changed = {g.environment.git for g in results.groups if "+changes" in g.environment.git}
    if changed:
        lines.append(
            f"The work tree held changes that were not committed (`{'`, `'.join(sorted(changed))}`)"
            ": the commit alone does not give these figures back."
        )
    resumed = [r for r in results.runs if r.record.training and r.record.training.resumed]
    if resumed:
        names: Sequence[str] = [
            f"{_name(r.record)} ({r.record.training.resumed} time(s))"
            for r in resumed
            if r.record.training
        ]
        lines.append(
            f"Cut off and resumed: {'; '.join(names)}: their times are sums over the parts."
        )
    return lines
