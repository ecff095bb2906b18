"""Carries out a study of cost by size: every system, size by size, each alone in its process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import suite
from runners.executors.leavings import collected, ending
from runners.executors.lock import locked
from runners.executors.processes import Processes
from runners.executors.server import served
from runners.runs.environment import environment
from runners.sizes.measure import PARAMETERS, POINT, WEIGHTS, measure, measured_file
from suite.errors import SuiteError, unknown
from suite.files import read_regular, remove_leftovers
from suite.modelling.pretrained import UNTRAINED, find_pretrained
from suite.privacy import shown_command
from suite.protocol import Precision
from suite.records.sizes import (
    KINDS,
    PLAN,
    RECORD,
    Kind,
    Measurement,
    Reason,
    SizePlan,
    SizePoint,
    SizeRecord,
    SizeSystem,
    folder_of,
    read_size_record,
    write_model,
)
from suite.studies.sizes import Size, SizeStudy
from suite.systems.registry import find_system, learning, make_settings
from suite.systems.variants import Variant, find_variant
from suite.tasks.examples import TaskName

TASK: TaskName = "triples"
OnSize = Callable[[SizeRecord], None]


@dataclass(frozen=True)
class SizeRequest:
    """What a command asks for.

    Attributes:
        study: its sizes.
        out: the output folder.
        systems: names and YAML files of variants; empty: every system of triples that is no bound.
        settings: system or variant -> settings that it has besides.
        pretrained: the encoder of those that need one.
        device, threads, precision: of all measurements.
    """

    study: SizeStudy
    out: Path
    systems: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pretrained: str = UNTRAINED
    device: str = "auto"
    threads: int = 1
    precision: Precision = "float32"


class SizeSuite:
    """A request, its systems found and their settings checked.

    Raises:
        SuiteError: a name, a setting, a device or an encoder is not there.
    """

    def __init__(self, request: SizeRequest) -> None:
        self.request = request
        self.environment = environment(request.device)
        self.systems = tuple(self._systems())
        self.points = [
            SizePoint(
                version=suite.__version__,
                study=request.study,
                system=system,
                size=size,
                device=request.device,
                threads=request.threads,
                precision=request.precision,
            )
            for system in self.systems
            for size in request.study.sizes
        ]

    def _systems(self) -> Iterator[SizeSystem]:
        request = self.request
        variants = [find_variant(name) for name in request.systems or learning(TASK)]
        names = [variant.name for variant in variants]
        for name in request.settings:
            if name not in names:
                raise unknown("system in --set, or one that is not run,", name, names)
        for variant in variants:
            yield self._system(variant)

    def _system(self, variant: Variant) -> SizeSystem:
        system = find_system(variant.system)
        if TASK not in system.tasks:
            raise SuiteError(
                f"{system.title} does not do the task {TASK!r}",
                remedy="Name a system of triples; run-suite --list has them.",
            )
        own = {**variant.settings, **self.request.settings.get(variant.name, {})}
        needed = system.resources_needed(make_settings(system, own))
        pretrained = self.request.pretrained if "pretrained" in needed else None
        encoder = "random word vectors"
        if pretrained is not None:
            encoder = find_pretrained(pretrained, []).source
        title = variant.title or system.title
        return SizeSystem(
            name=system.name,
            variant=variant.name,
            title=title,
            settings=own,
            pretrained=pretrained,
            encoder=encoder,
        )

    def recorded(self, point: SizePoint) -> SizeRecord | None:
        """What an earlier command measured of the point, on such a machine; None: nothing."""
        path = folder_of(self.request.out, point.system, point.size) / RECORD
        if not path.exists():
            return None
        record = read_size_record(path)
        mistaken = any(m.reason == "mistake" for m in record.measured)
        same = record.point == point and record.environment.place == self.environment.place
        return record if same and not mistaken else None

    def run(self, on_size: OnSize, processes: Processes | None = None) -> Path:
        """Measures what is left and writes the report.

        Args:
            on_size: hears of every size that is done, now or before.
            processes: to measure in; None: those of servers that have imported torch.

        An interruption stops the study; the report covers what was finished.

        Returns:
            The path of the report.
        """
        from reports.report import write_report  # noqa: PLC0415 - heavy, and needed at the end

        remove_leftovers(self.request.out)
        write_model(self.request.out / PLAN, self._plan())
        processes = processes or served()
        done: dict[tuple[str, int, int], SizeRecord] = {}
        try:
            for point in self.points:
                key = (point.system.variant, point.size.words, point.size.relations)
                done[key] = self.recorded(point) or self._measure(point, done, processes)
                on_size(done[key])
        except BaseException:
            # That there is nothing to report yet is not what stopped the study.
            with suppress(SuiteError):
                write_report(self.request.out)
            raise
        return write_report(self.request.out)

    def _plan(self) -> SizePlan:
        return SizePlan(
            version=suite.__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=shown_command(sys.argv),
            study=self.request.study,
            systems=self.systems,
            environment=self.environment,
            threads=self.request.threads,
            precision=self.request.precision,
        )

    def _measure(
        self,
        point: SizePoint,
        done: Mapping[tuple[str, int, int], SizeRecord],
        processes: Processes,
    ) -> SizeRecord:
        folder = folder_of(self.request.out, point.system, point.size)
        with locked(folder) as lock:
            write_model(folder / POINT, point)
            (folder / WEIGHTS).unlink(missing_ok=True)
            measured = []
            for kind in KINDS:
                smaller = _given_up(point, kind, done.values())
                if smaller is not None:
                    failure = f"not tried: {smaller}"
                    measured.append(Measurement(kind=kind, failure=failure, reason="not tried"))
                else:
                    encoder = point.system.pretrained is not None
                    call = partial(
                        processes.call, measure, folder, kind, lock=lock, encoder=encoder
                    )
                    measured.append(_in_a_process(folder, kind, call))
            counted = folder / PARAMETERS
            record = SizeRecord(
                point=point,
                environment=self.environment,
                parameters=int(read_regular(counted)) if counted.exists() else None,
                measured=tuple(measured),
            )
            write_model(folder / RECORD, record)
            for left in (WEIGHTS, PARAMETERS, POINT):
                (folder / left).unlink(missing_ok=True)
        return record


def _in_a_process(folder: Path, kind: Kind, call: Callable[[], int]) -> Measurement:
    file = measured_file(folder, kind)
    found = collected(file, Measurement, call)
    if isinstance(found, Measurement):
        return found
    status, failure = ending(found, folder)
    reason: Reason = "memory" if status == "out of memory" else "mistake"
    return Measurement(kind=kind, failure=failure, reason=reason)


def _given_up(point: SizePoint, kind: Kind, done: Iterable[SizeRecord]) -> str | None:
    """What stopped a smaller size on the same axis, as a phrase; None where nothing did."""
    for record in done:
        size: Size = record.point.size
        found = record.of(kind)
        if record.point.system.variant != point.system.variant:
            continue
        if found.reason not in {"memory", "time"}:
            continue
        if size.words <= point.size.words and size.relations <= point.size.relations:
            return f"{found.failure} at {size.words} words and {size.relations} relations"
    return None
