"""All the runs of one command: what to run on what, in which order, and the report at the end."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import suite
from reports.prices import Prices
from runners.executors.base import Executor, OnEvent, PlannedRun
from runners.executors.replacing import refuse_to_replace
from runners.options.groups import CarriedOutOptions
from runners.runs.environment import environment
from runners.runs.plan import RunPlan
from runners.runs.run import planned_record
from runners.runs.workbench import Shelf, Workbench, dataset_facts, load_part, vocabulary
from runners.tracking.base import Tracked
from runners.tracking.registry import gather, require_tracker, start_tracker
from suite.datasets import Dataset
from suite.datasets.statistics import statistics
from suite.datasets.swapping import check_names
from suite.errors import SuiteError, unknown
from suite.files import remove_leftovers
from suite.modelling.parsers import CHAIN
from suite.modelling.pretrained import UNTRAINED
from suite.modelling.word_vectors import VectorsFile, Vocabulary
from suite.privacy import shown_command
from suite.protocol import Protocol
from suite.records.run import read_record
from suite.records.suite import RUNS, Cannot, PlannedDataset, SuitePlan
from suite.studies.study import Study, checked
from suite.studies.study_variant import StudyVariant
from suite.systems.registry import make_settings
from suite.systems.variants import find_variant

DEFAULT_PRETRAINED = "bert-base-cased"
"""What the papers use; for real datasets where `--pretrained` names none."""
DEFAULT_PARSER = "en_core_web_sm"
"""spaCy's small English pipeline; for real datasets where `--parser` names none."""


@dataclass(frozen=True)
class Request(CarriedOutOptions):
    """What a command asks for, its options resolved.

    Attributes:
        systems: names, and YAML files of variants.
        settings: system or variant -> settings that it has besides.
        published: every system under its own paper's settings in place of `protocol`.
        asked: fields of the protocol that the command line names; they hold against a paper's too.
        only: system -> the datasets that it is run on, of those that are not run on all.
        study: whose variants are run, instead of `systems`.
        options: the command's own, as a configuration file holds them.
        prices: of machines, for the report.
    """

    datasets: tuple[str, ...]
    systems: tuple[str, ...]
    seeds: tuple[int, ...]
    protocol: Protocol
    out: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    published: bool = False
    asked: dict[str, int] = field(default_factory=dict)
    batch_sizes: tuple[int, ...] = (1, 8, 128)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    study: Study | None = None
    options: dict[str, Any] = field(default_factory=dict)
    prices: Prices | None = None


def _find_variants(request: Request) -> list[StudyVariant]:
    """The variants that are asked for, with the settings of the command line on top."""
    if request.study is not None:
        asked = list(checked(request.study).variants)
    else:
        asked = [
            StudyVariant.model_validate(
                {**find_variant(name).model_dump(), "datasets": request.only.get(name, ())}
            )
            for name in request.systems
        ]
    found = {variant.name: variant for variant in asked}
    if len(found) < len(asked):
        raise SuiteError(
            "two of the systems that are asked for have one name",
            remedy="Rename one of the files, or name each system once.",
        )
    for name, changed in request.settings.items():
        if name not in found:
            raise unknown("system in --set, or one that is not run,", name, found)
        found[name] = found[name].with_settings(changed)
        found[name].find()
    return list(found.values())


def _refuse_another_task(study: Study | None, dataset: Dataset) -> None:
    if study is not None and dataset.task != study.task:
        raise SuiteError(
            f"the study {study.name!r} is of the task {study.task!r}, and {dataset.name!r} is for "
            f"{dataset.task!r}",
            remedy=f"Name a dataset of its task with --dataset, as {study.datasets[0]}.",
        )


def _refuse_one_name(asked: Sequence[str], datasets: Sequence[Dataset]) -> None:
    """The runs of two datasets of one name would lie in one folder."""
    places: dict[str, str] = {}
    for place, dataset in zip(asked, datasets, strict=True):
        first = places.setdefault(dataset.name, place)
        if first != place:
            raise SuiteError(
                f"{first} and {place} are both called {dataset.name!r}, and would share a folder "
                "of runs",
                remedy="Rename one of the folders, or run them into two --out.",
            )


def _is_for(variant: StudyVariant, asked: str, dataset: Dataset) -> bool:
    """Whether a variant is run on a dataset, as far as that was said."""
    return not variant.datasets or bool({asked, dataset.name} & set(variant.datasets))


def _by_its_name(study: Study | None) -> Study | None:
    """The study without the folder that its file lies in, which is nobody else's concern."""
    return None if study is None else study.model_copy(update={"path": Path(study.path.name)})


class Suite:
    """A request, checked as far as it can be before anything is trained.

    Raises:
        SuiteError: a name, a file, a device or an encoder is not there.
    """

    def __init__(self, request: Request) -> None:
        require_tracker(request.tracker, online=request.wandb == "online")
        self.request = request
        self.name = request.out.resolve().name
        self.variants = _find_variants(request)
        self._parts: dict[tuple[str, float], Dataset] = {}
        self.datasets = [self._part(name, request.train_share) for name in request.datasets]
        _refuse_one_name(request.datasets, self.datasets)
        for dataset in self.datasets:
            _refuse_another_task(request.study, dataset)
            if request.swap_entities is not None:
                check_names(dataset, request.swap_entities)
        self.cannot: list[Cannot] = []
        self.protocols = {
            v.name: {
                d.name: self._protocol(v, d) for name, d in self._asked() if _is_for(v, name, d)
            }
            for v in self.variants
        }
        self.shelf = Shelf(fetch=not request.dry_run)
        self._keep_vectors()
        self.runs = list(self._plan_runs())

    def _part(self, name: str, share: float) -> Dataset:
        if (name, share) not in self._parts:
            request = self.request
            self._parts[name, share] = load_part(name, request.data_dir, share, request.words)
        return self._parts[name, share]

    def _asked(self) -> Iterator[tuple[str, Dataset]]:
        """Each dataset with the name or folder by which it was asked for."""
        return zip(self.request.datasets, self.datasets, strict=True)

    def _keep_vectors(self) -> None:
        """Reads the file of word vectors once, for the words of all datasets."""
        if self.request.vectors is None:
            return
        file = VectorsFile(self.request.vectors)
        if self.request.dry_run:
            file.check()
            return
        words: dict[tuple[str, int], Vocabulary] = {}
        for asked, dataset in self._asked():
            for variant in (v for v in self.variants if _is_for(v, asked, dataset)):
                settings = make_settings(variant.find(), self._settings(variant, dataset))
                needed = variant.find().resources_needed(settings)
                if dataset.task in variant.find().tasks and "vectors" in needed:
                    part = self._part(asked, self.request.train_share * variant.train_share)
                    limit = self.protocols[variant.name][dataset.name].max_words
                    key = part.train.fingerprint, limit
                    words[key] = words.get(key) or vocabulary(part, limit)
        file.keep(list(words.values()), first=self.request.keep_vectors == "first")

    def _settings(self, variant: StudyVariant, dataset: Dataset) -> dict[str, Any]:
        """Those that differ from the system's defaults."""
        own = variant.find().published.settings if self.request.published else {}
        return {**own, **variant.settings_of(dataset.name)}

    def _protocol(self, variant: StudyVariant, dataset: Dataset) -> Protocol:
        """The command's; then the paper's, where it is asked for; then what the study varies."""
        fields = self.request.protocol.model_dump()
        if self.request.published:
            paper = variant.find().published
            stated = {**paper.protocol, **paper.on.get(dataset.name, {}), **variant.published}
            floors = {"min_steps": 0, "min_patience_steps": 0}  # which no paper has
            fields |= {"settings": "published", **floors, **stated, **self.request.asked}
        return Protocol.model_validate({**fields, **variant.protocol})

    def _plan_runs(self) -> Iterator[PlannedRun]:
        for asked, dataset in self._asked():
            for variant in (v for v in self.variants if _is_for(v, asked, dataset)):
                system = variant.find()
                if dataset.task not in system.tasks:
                    title = variant.title or system.title
                    reason = f"{title} does not do the task {dataset.task!r}"
                    self.cannot.append(
                        Cannot(
                            system=variant.name,
                            dataset=dataset.name,
                            kind="other task",
                            reason=reason,
                        )
                    )
                    continue
                try:
                    yield from self._seeds(asked, variant)
                except SuiteError as error:
                    if variant.pretrained is None:
                        raise
                    # An encoder that the command did not choose does not stop the other variants.
                    self.cannot.append(
                        Cannot(
                            system=variant.name,
                            dataset=dataset.name,
                            kind="missing resource",
                            reason=error.cause,
                        )
                    )

    def _seeds(self, asked: str, variant: StudyVariant) -> Iterator[PlannedRun]:
        share = self.request.train_share * variant.train_share
        dataset = self._part(asked, share)
        for seed in self.request.seeds:
            plan = self._run_plan(asked, dataset, variant, seed)
            bench = Workbench(plan, dataset, self.shelf)
            if not self.request.dry_run:
                bench.check()
            folder = self.request.out / RUNS / variant.name / dataset.name / str(seed)
            planned = planned_record(bench, started="", elsewhere=self.request.on_ray)
            run = PlannedRun(plan, folder, planned)
            length = plan.protocol.length(self.steps_per_epoch(run))
            yield replace(run, examples=length * len(dataset.train.examples))

    def _run_plan(self, asked: str, dataset: Dataset, variant: StudyVariant, seed: int) -> RunPlan:
        request = self.request
        system = variant.find()
        settings = self._settings(variant, dataset)
        needed = system.resources_needed(make_settings(system, settings))
        pretrained = parser = None
        if "pretrained" in needed:
            default = UNTRAINED if dataset.synthetic else DEFAULT_PRETRAINED
            pretrained = variant.pretrained or request.pretrained or default
        if "parser" in needed:
            parser = request.parser or (CHAIN if dataset.synthetic else DEFAULT_PARSER)
        return RunPlan(
            suite=self.name,
            dataset=asked,
            data_dir=request.data_dir,
            words=request.words,
            system=system.name,
            settings=settings,
            variant=None if variant.name == system.name else variant.name,
            title=variant.title,
            protocol=self.protocols[variant.name][dataset.name],
            seed=seed,
            device=request.device,
            vectors=request.vectors if "vectors" in needed else None,
            train_vectors=request.train_vectors,
            keep_vectors=request.keep_vectors,
            pretrained=pretrained,
            parser=parser,
            tracker=request.tracker,
            wandb=request.wandb,
            batch_sizes=request.batch_sizes,
            train_share=request.train_share * variant.train_share,
            swap_names=request.swap_entities,
        )

    def steps_per_epoch(self, run: PlannedRun) -> int:
        """Training steps of one epoch."""
        train = self._part(run.plan.dataset, run.plan.train_share).train
        size = run.plan.protocol.examples_per_step(run.planned.dataset.task)
        return math.ceil(len(train.examples) / size)

    def plan(self) -> SuitePlan:
        """What `suite.json` says."""
        return SuitePlan(
            name=self.name,
            version=suite.__version__,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=shown_command(sys.argv),
            options=self.request.options,
            protocols=self.protocols,
            environment=environment(self.request.device, elsewhere=self.request.on_ray),
            systems=tuple(v.name for v in self.variants),
            datasets=tuple(self._described(d) for d in self.datasets),
            seeds=self.request.seeds,
            cannot=tuple(self.cannot),
            study=_by_its_name(self.request.study),
        )

    def _described(self, dataset: Dataset) -> PlannedDataset:
        return PlannedDataset(
            facts=dataset_facts(dataset),
            statistics=statistics(dataset, self.request.protocol.max_words).model_dump(mode="json"),
            citation=dataset.citation,
            licence=dataset.licence,
        )

    def left(self) -> list[PlannedRun]:
        """What is to be done: all that is not, or everything where it is to be measured again."""
        return [run for run in self.runs if self.request.remeasure or run.done() is None]

    def run(self, executor: Executor, on_event: OnEvent) -> Path:
        """Does what is left to do and writes the report.

        An interruption stops the suite; the report covers what was finished.

        Args:
            executor: carries out the runs.
            on_event: hears of them.

        Raises:
            SuiteError: a complete run of other settings stands where one is to be done.
        """
        from reports.report import write_report  # noqa: PLC0415 - heavy, and needed at the end

        if not self.request.replace:
            refuse_to_replace(self.runs)
        remove_leftovers(self.request.out)
        self.plan().write(self.request.out)
        try:
            executor.run_all(self.left(), on_event)
        except BaseException:
            # That there is nothing to report yet is not what stopped the suite.
            with suppress(SuiteError):
                write_report(self.request.out, self.request.prices)
            raise
        report = write_report(self.request.out, self.request.prices)
        self._track_report(report)
        return report

    def missing(self) -> list[str]:
        """What was to be done and gave no figures, with the reason, one line each."""
        lines = []
        for run in self.runs:
            record = read_record(run.folder / "record.json")
            if record.status != "complete":
                lines.append(f"{run.title}: {record.status}: {record.failure}")
            lines += [
                f"{run.title}: inference at batch size {cost.batch_size}: {cost.failure}"
                for cost in record.inference
                if cost.failure
            ]
            if record.operating is not None and record.operating.failure:
                lines.append(f"{run.title}: operating points: {record.operating.failure}")
            if record.swapped is not None and record.swapped.failure:
                lines.append(f"{run.title}: other names: {record.swapped.failure}")
        return lines

    def doubts(self) -> list[str]:
        """What makes the scores of complete runs say little, one sentence per kind."""
        from reports.doubts import doubts  # noqa: PLC0415 - as `write_report`

        records = (record for run in self.runs if (record := run.recorded()) is not None)
        return doubts(records, lambda r: f"{r.system.key} on {r.dataset.name}, seed {r.seed}")

    def _track_report(self, report: Path) -> None:
        def warn(said: str) -> None:
            print(said, file=sys.stderr)

        request = self.request
        tracked = Tracked(
            folder=request.out,
            group=self.name,
            name="report",
            config={"suite": self.name},
            job_type="report",
            online=request.wandb == "online",
        )
        gather(request.tracker, request.out, warn)
        tracker = start_tracker(request.tracker, tracked, warn)
        figures = sorted((report.parent / "figures").glob("*.png"))
        tables = sorted(report.parent.glob("*.csv"))
        tracker.keep([report, report.with_suffix(".html"), *tables, *figures])
        tracker.finish(failed=False)
