"""The report's first page: what was compared, and what the reader must know before believing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reports.load import Group, Results
from suite.records import Environment, RunRecord

MINIMUM_SEEDS = 3
OWN_LOAD = 0.5
"""What a run may add to the load average beyond its threads: evaluation, tracker, the system."""


def listed(names: Iterable[object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = [str(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(count: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def machine(environment: Environment) -> str:
    """A place of work in one phrase."""
    memory = environment.memory_bytes / 2**30
    torch = environment.versions.get("torch")
    return (
        f"{environment.processor} ({environment.cores} cores, {memory:.0f} GiB memory), "
        f"device {environment.device}, Python {environment.python}"
        + (f", torch {torch}" if torch else "")
    )


def heading(results: Results) -> str:
    """Title and one paragraph in plain words."""
    plan, runs = results.plan, results.runs
    systems = dict.fromkeys(row.facts.title for group in results.groups for row in group.rows)
    datasets = dict.fromkeys(group.dataset.title for group in results.groups)
    seeds = sorted({run.record.seed for run in runs})
    environments = list(dict.fromkeys(machine(group.environment) for group in results.groups))
    complete = sum(run.complete for run in runs)
    text = (
        f"# {listed(systems)} on {listed(datasets)}\n\n"
        f"Suite `{plan.name}` of {plan.created}. {plural(len(systems), 'system')} trained and "
        f"measured on {plural(len(datasets), 'dataset')} with {plural(len(seeds), 'seed')} "
        f"({listed(seeds)}): {plural(len(runs), 'run')} left a record, {complete} complete. "
    )
    if len(environments) == 1:
        text += f"All ran on {environments[0]}. "
    else:
        text += f"They ran in {len(environments)} environments, whose figures share no table: "
        text += "; ".join(environments) + ". "
    text += (
        "The test set was scored once a run, by the epoch with the best dev F1. Figures are the "
        "mean over seeds ± the sample standard deviation; where a seed is missing, the values "
        "that are there are listed and no mean is taken. Every figure without a named publication "
        "was measured in these runs; `results.csv` holds them run by run.\n"
    )
    synthetic = dict.fromkeys(g.dataset.title for g in results.groups if g.dataset.synthetic)
    if synthetic:
        text += (
            f"\n**{listed(synthetic)} is synthetic data**, made by this suite: its figures show "
            "that the systems learn and how fast they are, and nothing about real text.\n"
        )
    return text


def caption(group: Group) -> str:
    """What holds for every figure of a table: data, match rule, protocol, and the data's notes."""
    facts, protocol = group.dataset, group.first.protocol
    splits = listed(f"{split} {published_word(flag)}" for split, flag in facts.published.items())
    parts = [
        *(["**synthetic data**"] if facts.synthetic else []),
        f"spans compared by {facts.matching}",
        f"epoch chosen by dev F1 under {protocol.match} match",
        f"{protocol.settings} settings, protocol `{protocol.digest()}`",
        f"{protocol.device}, {plural(protocol.threads, 'thread')}",
        f"splits: {splits}" if splits else "no splits recorded",
    ]
    text = "; ".join(parts)
    notes = group.notes
    different = ""
    if group.differences:
        different = f"\n\nA table of its own, since it differs: {'; '.join(group.differences)}."
    return f"*{text}.*{' ' + notes if notes else ''}{different}\n"


def published_word(flag: bool | None) -> str:
    """How a split stands to the published one."""
    return {True: "published", False: "**not the published one**", None: "(nothing published)"}[
        flag
    ]


def warnings(results: Results) -> str:
    """All that weakens a figure of this report, the worst first."""
    found = [
        *_failures(results),
        *_data(results),
        *_repeats(results),
        *_machine_load(results),
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
    lines += [
        f"**not measured**: {what} (seed {listed(seeds)})." for what, seeds in unmeasured.items()
    ]
    lines += [
        f"**not run**: {cannot.system} on {cannot.dataset}: {cannot.reason}."
        for cannot in results.plan.cannot
    ]
    return lines


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
        several: dict[str, list[str]] = {}
        for row in group.rows:
            several.setdefault(row.facts.title, []).append(row.label)
        lines += [
            f"{group.title}: the runs of {title} have different settings or resources, and stand "
            f"as {listed(labels)}."
            for title, labels in several.items()
            if len(labels) > 1
        ]
    return lines


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
        "the spread between seeds cannot be told from chance."
    ]


def _machine_load(results: Results) -> list[str]:
    """Runs beside which other work ran."""
    busy: list[tuple[float, str]] = []
    for run in results.runs:
        record = run.record
        loads = list(record.training.load_average) if record.training else []
        loads += [max(c.load_average) for c in record.inference if c.load_average]
        if loads and max(loads) > record.protocol.threads + OWN_LOAD:
            busy.append((max(loads), f"{_name(record)} ({max(loads):.1f})"))
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
    lines = []
    vectors: dict[str, list[str]] = {}
    encoders: dict[str, list[str]] = {}
    for group in results.groups:
        for row in group.rows:
            place = f"{row.label} on {group.title}"
            if row.facts.vectors is not None and "glove" not in row.facts.vectors.lower():
                vectors.setdefault(row.facts.vectors, []).append(place)
            encoder = row.facts.pretrained
            if encoder is not None and "bert-base-cased" not in encoder.lower():
                encoders.setdefault(encoder, []).append(place)
    lines += [
        f"Word vectors are `{source}`, in place of the papers' 300-d GloVe: {'; '.join(places)}."
        for source, places in vectors.items()
    ]
    lines += [
        f"The pretrained encoder is `{source}`, in place of the papers' bert-base-cased: "
        f"{'; '.join(places)}."
        for source, places in encoders.items()
    ]
    return lines


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
