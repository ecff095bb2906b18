"""A search that begins with structures of another one; scores are never taken over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

from runners.search.attributes import WARM_START, result_of
from runners.search.storage import IDENTITY, JOURNAL, open_storage
from suite.errors import SuiteError
from suite.records.search import TrialRecord, best_first, read_search

if TYPE_CHECKING:
    from runners.search.search import Search

BEST, DIVERSE = 4, 4
"""How many structures are taken for their dev F1, and how many for how much they differ."""
NOT_TAKEN = "not_taken"
"""Attribute of the study of dev F1: what of the structures this search's space does not have."""


def begin_from(search: Search, study: optuna.Study, folder: Path) -> None:
    """Puts the best structures of another search into the queue, and some that differ from them.

    Once: a search that goes on asks the other one for nothing more, which may have gone on too.

    Args:
        search: that begins.
        study: of dev F1.
        folder: of the other search.

    Raises:
        SuiteError: the folder holds no search of this system, or one in which nothing is complete.
    """
    if NOT_TAKEN in study.user_attrs:
        return
    own = search.space.tried_first()
    found = read_trials(folder, search.system.name)
    trials = [t for t in best_first(found) if t.label not in own]
    if not trials:
        raise SuiteError(
            "holds no complete structure to start from",
            where=folder,
            remedy="Leave --warm-start out, or name a search that has come further.",
        )
    published = next(iter(own.values()), {})
    # A command that was killed in between has put some of them there.
    there = {t.user_attrs.get(WARM_START) for t in study.get_trials(deepcopy=False)}
    not_taken: list[str] = []
    name = folder.resolve().name
    for trial in chosen(trials):
        origin = f"{trial.name} of {name} ({trial.key})"
        fit = Fit(trial.choices, published)
        search.space.vary(search.settings, fit)
        if origin not in there:
            study.enqueue_trial(fit.taken, {WARM_START: origin})
        not_taken += [f"{origin}: {what}" for what in fit.left_out()]
    study.set_user_attr(NOT_TAKEN, not_taken)


def read_trials(folder: Path, system: str) -> list[TrialRecord]:
    """The trials of a search, from its journal or, where they lie in a database, from its record.

    Args:
        folder: of the search.
        system: which it has to be of.

    Raises:
        SuiteError: the folder holds no search, or one of another system.
    """
    if (folder / JOURNAL).is_file():
        storage = open_storage(None, folder, dry=True)
        names = optuna.get_all_study_names(storage)
        studies = [optuna.load_study(study_name=name, storage=storage) for name in names]
        systems = {s.user_attrs.get(IDENTITY, {}).get("system") for s in studies}
        results = [result_of(t) for s in studies for t in s.get_trials(deepcopy=False)]
        trials = [r for r in results if r is not None and r.phase != "check"]
    elif (folder / "search.json").is_file():
        record = read_search(folder / "search.json")
        systems, trials = {record.system.name}, list(record.trials)
    else:
        raise SuiteError(
            f"holds no search: neither {JOURNAL} nor search.json",
            where=folder,
            remedy="Name the output folder of a search-structure command.",
        )
    if systems != {system}:
        other = ", ".join(sorted(map(str, systems))) or "no system"
        raise SuiteError(
            f"is a search of {other}, not of {system}",
            where=folder,
            remedy="A search starts from one of the same system.",
        )
    return list({t.key: t for t in trials if t.duplicate_of is None}.values())


def chosen(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """The best, and then, of the better half, each time the one that differs most from all taken.

    Args:
        trials: complete, the best one first.
    """
    taken = list(trials[:BEST])
    left = list(trials[BEST : max(BEST, -(-len(trials) // 2))])
    while left and len(taken) < BEST + DIVERSE:
        furthest = max(left, key=lambda t: min(distance(t.choices, o.choices) for o in taken))
        taken.append(furthest)
        left.remove(furthest)
    return taken


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The share of the choices of either that the other makes otherwise or not at all."""
    names = {*one, *other}
    absent = object()
    differ = sum(one.get(n, absent) != other.get(n, absent) for n in names)
    return differ / len(names) if names else 0.0


class Fit:
    """Choices made elsewhere, as far as a space has them.

    What the space asks for and was not asked there is as published; what is not in its range is
    left to the sampler.

    Args:
        made: choices of a trial elsewhere.
        published: choices of the system as published.

    Attributes:
        taken: the choices that are to be made here.
    """

    def __init__(self, made: Mapping[str, Any], published: Mapping[str, Any]) -> None:
        self._made, self._published = made, published
        self._asked: set[str] = set()
        self._odd: list[str] = []
        self.taken: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """The choice that was made, where it is among these."""
        return self._take(name, choices[0], lambda value: value in choices)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """The number that was chosen, where it is in the range."""
        found: int = self._take(name, low, lambda value: _within(value, low, high, step))
        return found

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """The number that was chosen, where it is in the range."""
        found: float = self._take(name, low, lambda value: _within(value, low, high, step))
        return found

    def _take(self, name: str, otherwise: Any, has: Callable[[Any], bool]) -> Any:
        self._asked.add(name)
        value = self._made.get(name, self._published.get(name))
        if value is not None and has(value):
            self.taken[name] = value
            return value
        if name in self._made:
            self._odd.append(f"{name} {self._made[name]!r} is not in this space")
        return otherwise

    def left_out(self) -> list[str]:
        """What was chosen elsewhere and could not be taken."""
        unasked = sorted(set(self._made) - self._asked)
        return [*self._odd, *(f"{name} is not asked for in this space" for name in unasked)]


def _within(value: Any, low: float, high: float, step: float | None) -> bool:
    if not isinstance(value, int | float) or not low <= value <= high:
        return False
    steps = 0.0 if step is None else (value - low) / step
    return abs(steps - round(steps)) < 1e-8
