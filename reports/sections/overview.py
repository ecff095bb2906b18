"""What was compared, in plain words, and the captions of tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reports.load import Group, Results
from suite.quoting import quoted
from suite.records.outside import NOT_TRAINED
from suite.records.run import Environment
from suite.tasks.examples import TaskName
from suite.tasks.registry import find_task


def listed(names: Iterable[object]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = [str(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def findings(groups: Sequence[Group], find: Callable[[Group], str]) -> str:
    """What a section begins with: a line for each dataset of which something was found.

    Args:
        groups: the datasets; of a single one the name is left out.
        find: a sentence, or nothing.
    """
    found = [(group.title, sentence) for group in groups if (sentence := find(group))]
    if not found:
        return ""
    if len(groups) == 1:
        return f"**{found[0][1]}**\n\n"
    return "".join(f"- {title}: **{sentence}**\n" for title, sentence in found) + "\n"


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


def where(group: Group) -> str:
    """The machine of a table of times as a title; empty where the group has but one machine."""
    if not group.place:
        return ""
    environment = group.environment
    return (
        f"Machine {group.place}: {environment.processor} ({environment.cores} cores), device "
        f"{environment.device}, {environment.machine}"
    )


def on_each_machine(group: Group, write: Callable[[Group], str]) -> str:
    """What `write` says of the times of each machine, under the machine's name; empty: nothing."""
    parts = [(part, write(part)) for part in group.machines]
    return "\n".join(f"{_titled(part)}{text}" for part, text in parts if text)


def _titled(part: Group) -> str:
    return f"**{where(part)}** ({ran(part)}):\n\n" if part.place else ""


def ran(part: Group) -> str:
    """How many runs were trained on a machine, or measured there and trained on another."""
    trained = sum(run.trained_here for run in part.runs)
    measured = len(part.runs) - trained
    alone = f"{plural(measured, 'run')} measured there alone" if measured else ""
    return ", ".join(filter(None, (plural(trained, "run") if trained else "", alone)))


def heading(results: Results) -> str:
    """Title and one paragraph in plain words."""
    plan, runs = results.plan, results.runs
    titles = {r.facts.title: r.upper_bound for group in results.groups for r in group.rows}
    bounds = [title for title, bound in titles.items() if bound is not None]
    systems = [title for title in titles if title not in bounds] or bounds
    datasets = dict.fromkeys(group.dataset.title for group in results.groups)
    seeds = sorted({run.record.seed for run in runs})
    parts = [part for group in results.groups for part in group.machines]
    environments = list(dict.fromkeys(machine(part.environment) for part in parts))
    complete = sum(run.complete for run in runs)
    text = (
        f"# {listed(systems)} on {listed(datasets)}\n\n"
        f"Suite `{plan.name}` of {plan.created}. {plural(len(systems), 'system')} trained and "
        f"measured on {plural(len(datasets), 'dataset')} with {plural(len(seeds), 'seed')} "
        f"({listed(seeds)}): {plural(len(runs), 'run')} left a record, {complete} complete. "
    )
    text += _joined(results)
    if bounds and systems != bounds:
        text += (
            f"Beside them: {listed(bounds)}, an upper bound that is given what systems have to "
            "find; it is ranked with none. "
            if len(bounds) == 1
            else f"Beside them: {listed(bounds)}, upper bounds that are given what systems have to "
            "find; they are ranked with none. "
        )
    if len(environments) == 1:
        text += f"All ran on {environments[0]}. "
    else:
        text += f"They ran in {len(environments)} environments, whose times share no table: "
        text += "; ".join(environments) + ". "
    text += _not_trained(results)
    text += (
        "The test set was scored once per run, by the epoch with the best dev F1. Figures are the "
        "mean over seeds ± the sample standard deviation; where a seed is missing, the values "
        "that are there are listed and no mean is taken. Every figure without a named publication "
        "was measured in these runs; `results.csv` holds them run by run.\n"
        f"{_tasks(results)}"
    )
    synthetic = dict.fromkeys(g.dataset.title for g in results.groups if g.dataset.synthetic)
    if synthetic:
        verb, their = ("is", "its") if len(synthetic) == 1 else ("are", "their")
        text += (
            f"\n**{listed(synthetic)} {verb} synthetic data**, made by this suite: {their} figures "
            "show that the systems learn and how fast they are, and nothing about real text.\n"
        )
    return text


def _joined(results: Results) -> str:
    """From how many folders the runs were joined; the commands name them."""
    parts = results.plan.joined
    if not parts:
        return ""
    once = results.plan.kept_once
    kept = f"; {plural(len(once), 'run')} that lay in several kept once" if once else ""
    return f"Joined from {plural(len(parts), 'folder')}, named with their commands{kept}. "


def _not_trained(results: Results) -> str:
    """The systems whose predictions were brought in."""
    labels = dict.fromkeys(row.label for group in results.groups for row in group.outside)
    if not labels:
        return ""
    verb = "was" if len(labels) == 1 else "were"
    return f"{listed(map(quoted, labels))} {verb} {NOT_TRAINED}. "


def _tasks(results: Results) -> str:
    """Which dataset is for which task, where they are for several."""
    found: dict[TaskName, dict[str, None]] = {}
    for group in results.groups:
        found.setdefault(group.dataset.task, {})[group.dataset.title] = None
    if len(found) < 2:
        return ""
    named = ((find_task(task).title, listed(titles)) for task, titles in found.items())
    lines = "".join(f"- {what}: {titles}\n" for what, titles in named)
    return f"\nThe datasets are for {len(found)} tasks, whose figures do not compare:\n\n{lines}"


def caption(group: Group) -> str:
    """What holds for every figure of a table: data, match rule, protocol, and the data's notes."""
    facts, protocol = group.dataset, group.first.protocol
    splits = listed(f"{split} {published_word(flag)}" for split, flag in facts.published.items())
    parts = [
        *(["**synthetic data**"] if facts.synthetic else []),
        group.task.compared.format(matching=facts.matching),
        f"epoch chosen by dev F1{f' under {group.match} match' if group.rule else ''}",
        f"{protocol.settings} settings, protocol `{protocol.digest()}`",
        f"{_devices(group)}, {plural(protocol.threads, 'thread')}",
        f"splits: {splits}" if splits else "no splits recorded",
    ]
    text = "; ".join(parts)
    notes = group.notes
    different = ""
    if group.differences:
        different = f"\n\nA table of its own, since it differs: {'; '.join(group.differences)}."
    return f"*{text}.*{' ' + notes if notes else ''}{different}{_joins(group)}\n"


def _devices(group: Group) -> str:
    return " and ".join(dict.fromkeys(p.environment.device for p in group.machines))


def _joins(group: Group) -> str:
    """That scores of several machines stand in one table, and which they are."""
    if len(group.machines) == 1:
        return ""
    named = listed(f"{where(part)} ({ran(part)})" for part in group.machines)
    return (
        f"\n\nScores of {len(group.machines)} machines stand in one table; times stand in a table "
        f"for each machine. {named}."
    )


def published_word(flag: bool | None) -> str:
    """How a split stands to the published one."""
    return {True: "published", False: "**not the published one**", None: "(nothing published)"}[
        flag
    ]
