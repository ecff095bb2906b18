"""Studies: papers' tables as named lists of variants, with the published figures they answer to.

The files of this suite (`suite/studies/*.yaml`) are the one source of published figures. Reading
them loads no model; `checked` does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from suite.errors import SuiteError, unknown
from suite.files import StrictModel
from suite.studies.figures import (
    MEASURES,
    PER_CENT,
    TIMES,
    Comparison,
    Figure,
    Form,
    Measure,
    Part,
    RowFacts,
    refused,
)
from suite.studies.study_variant import ProtocolFields, StudyVariant
from suite.systems.variants import SUFFIXES, read_fields, stem, wrong_field
from suite.tasks.examples import TaskName

FOLDER = Path(__file__).parent


def _refuse_unknown(field: str, kind: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{field}: {refused(kind, name, known)}")


class Counted(StrictModel):
    """What a paper counts in a dataset.

    Attributes:
        train, dev, test: examples of each split; None where there is none, or not stated.
        seen_in_train: per cent of the test triples that occur in train.
        seen_where: place in the paper that says so.
    """

    train: int | None = None
    dev: int | None = None
    test: int | None = None
    seen_in_train: float | None = Field(None, ge=0, le=100)
    seen_where: str | None = None


class Study(StrictModel):
    """A paper's table: what it compares, and what it found.

    Attributes:
        name: of its file.
        path: of its file.
        title: as a report's heading.
        citation: of the paper, in full.
        source: of the paper, in short, as tables print it.
        table: "Table 4", or another place in the paper.
        datasets: on which the paper reports, by the suite's names, in the order of print.
        measures: that the table reports, in the order of print.
        reference: name of the variant that is the full model; None where there is none.
        question: that the table asks.
        notes: what a reader of its figures must know, as sentences.
        protocol: fields of the protocol that the paper states of its own system, and that differ
            from the defaults. `--settings published` takes them from the system.
        protocol_on: dataset -> fields of the protocol that are the paper's there alone.
        device: on which the paper's times were taken; None where not stated.
        variants: in the order of print.
        rows: name of a printed row -> what is known of it.
        forms: dataset -> how its gold names entities.
        counted: dataset -> what the paper counts in it.
        compared_by: "system": its figures stand beside every measured run of a row's system and
            settings; "variant": beside runs of its own variants alone.
        same_texts: dataset of the suite -> dataset of the study whose texts it annotates anew, so
            that the figures may be shown for orientation and never held against it.
        claims: what is claimed -> the claim, where the text says more than figures do.
        printed: the figures as the paper prints them; `figures` has them apart.
    """

    name: str = Field(pattern=r"^[\w.+-]+$")
    path: Path
    title: str
    citation: str
    source: str
    table: str
    task: TaskName
    datasets: tuple[str, ...] = Field(min_length=1)
    measures: tuple[Measure, ...] = Field(min_length=1)
    reference: str | None = None
    question: str
    notes: tuple[str, ...] = ()
    protocol: ProtocolFields = Field(default_factory=dict)
    protocol_on: dict[str, ProtocolFields] = Field(default_factory=dict)
    device: str | None = None
    variants: tuple[StudyVariant, ...] = Field(min_length=1)
    rows: dict[str, RowFacts] = Field(default_factory=dict)
    forms: dict[str, Form] = Field(default_factory=dict)
    counted: dict[str, Counted] = Field(default_factory=dict)
    compared_by: Comparison = "system"
    same_texts: dict[str, str] = Field(default_factory=dict)
    claims: dict[str, str] = Field(default_factory=dict)
    printed: tuple[Part, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self._check_variants()
        self._check_rows()
        for i, part in enumerate(self.printed):
            self._check_part(f"printed.{i}", part)
        for figure in self.figures:
            for measure, value in figure.numbers.items():
                if MEASURES[measure] == PER_CENT and not 0 <= value <= 100:
                    raise ValueError(
                        f"printed: {measure} of {figure.row!r} on {figure.dataset} is "
                        f"{value:g}, which lies outside 0 to 100 per cent"
                    )
        return self

    def _check_variants(self) -> None:
        names = [variant.name for variant in self.variants]
        for what, found in {
            "are called": names,
            "are printed as": [v.title for v in self.variants if v.title],
        }.items():
            for twice in {name for name in found if found.count(name) > 1}:
                raise ValueError(f"variants: two {what} {twice!r}")
        contents: dict[str, str] = {}
        for variant in self.variants:
            if variant.name != variant.system and variant.title is None:
                raise ValueError(f"variants: {variant.name!r} needs a title of its own")
            for field in ("datasets", "settings_on"):
                _refuse_unknown(
                    f"variants: {field} of {variant.name!r}",
                    "dataset of the study",
                    getattr(variant, field),
                    self.datasets,
                )
            same = contents.setdefault(variant.content, variant.name)
            if same != variant.name:
                raise ValueError(f"variants: {same!r} and {variant.name!r} do not differ")
        full = [self.reference, *(variant.reference for variant in self.variants)]
        _refuse_unknown("reference", "variant", filter(None, full), names)

    def _check_rows(self) -> None:
        names = [variant.name for variant in self.variants]
        lines = {line.row for part in self.printed for line in part.lines}
        for name, facts in self.rows.items():
            _refuse_unknown(f"rows.{name}.variant", "variant", filter(None, [facts.variant]), names)
        _refuse_unknown("rows", "row of `printed`", self.rows, lines)
        by_field: dict[str, Iterable[str]] = {
            "forms": self.forms,
            "counted": self.counted,
            "protocol_on": self.protocol_on,
            "same_texts": self.same_texts.values(),
        }
        for field, named in by_field.items():
            _refuse_unknown(field, "dataset of the study", named, self.datasets)

    def _check_part(self, field: str, part: Part) -> None:
        _refuse_unknown(f"{field}.datasets", "dataset of the study", part.datasets, self.datasets)
        _refuse_unknown(f"{field}.measures", "measure of the study", part.measures, self.measures)
        expected = len(part.datasets or self.datasets) * len(part.measures or self.measures)
        seen = set()
        for line in part.lines:
            if line.row in seen:
                raise ValueError(f"{field}.lines: {line.row!r} stands twice")
            seen.add(line.row)
            if len(line.numbers) != expected:
                raise ValueError(
                    f"{field}.lines: {line.row!r} has {len(line.numbers)} numbers where its "
                    f"datasets and measures ask for {expected}"
                )

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The published figures; within a part, dataset by dataset."""
        return tuple(
            self._figure(part, *found)
            for part in self.printed
            for found in part.numbers(self.datasets, self.measures)
        )

    def _figure(self, part: Part, dataset: str, row: str, numbers: dict[str, float]) -> Figure:
        facts = self.rows.get(row, RowFacts())
        variant = None if facts.variant is None else self.variant(facts.variant)
        return Figure(
            source=part.source or self.source,
            tables=(part.table or self.table,),
            row=row,
            variant=facts.variant,
            system=variant.system if variant else None,
            settings=variant.accepted_on(dataset) if variant else {},
            batch_size=self._batch_size(variant, dataset) if variant and not part.source else None,
            train_share=variant.train_share if variant else 1.0,
            compared_by=part.compared_by or self.compared_by,
            reference=facts.variant is not None and facts.variant == self.reference,
            dataset=dataset,
            split=part.split,
            match=part.match,
            form=part.form or self.forms.get(dataset),
            encoder=facts.encoder,
            kind=facts.kind,
            family=facts.family,
            origin=part.origin if facts.origin is None else facts.origin,
            device=self.device if TIMES & numbers.keys() else None,
            digits=part.digits,
            numbers=numbers,
        )

    def _batch_size(self, variant: StudyVariant, dataset: str) -> int | None:
        """Examples per training step, where the paper states them; a study has one task's field."""
        full = None if self.reference is None else self.variant(self.reference)
        own = full is not None and variant.system == full.system
        full_model = {**self.protocol, **self.protocol_on.get(dataset, {})} if own else {}
        stated = {**full_model, **variant.published, **variant.protocol}
        return next((stated[f] for f in ("document_batch_size", "batch_size") if f in stated), None)

    def variant(self, name: str) -> StudyVariant:
        """The variant of that name.

        Raises:
            SuiteError: there is none.
        """
        known = {variant.name: variant for variant in self.variants}
        if name not in known:
            raise unknown(f"variant of the study {self.name}", name, known)
        return known[name]

    def datasets_of(self, variant: StudyVariant) -> tuple[str, ...]:
        """Those that a variant is for."""
        return variant.datasets or self.datasets

    def reference_of(self, variant: str | None) -> str | None:
        """Name of the full model that a variant is held against; with None, the study's."""
        return (self.variant(variant).reference if variant else None) or self.reference

    def difference(self, figure: Figure, measure: str = "f1") -> float | None:
        """How much more of a measure the figure has than its full model has, in the paper.

        Both on one dataset and split under one rule. None where either is not printed.
        """
        if measure == "f1" and "f1_difference" in figure.numbers:
            return figure.numbers["f1_difference"]
        reference = self.reference_of(figure.variant)
        if reference is None:
            return None
        place = (reference, figure.dataset, figure.split, figure.match)
        for other in self.figures:
            same = (other.variant, other.dataset, other.split, other.match) == place
            if same and measure in figure.numbers and measure in other.numbers:
                return round(figure.numbers[measure] - other.numbers[measure], 6)
        return None


def study_paths() -> tuple[Path, ...]:
    """The study files of this suite: all that lie in its folder."""
    return tuple(sorted(FOLDER.glob("*.yaml")))


def study_names() -> list[str]:
    """The studies of this suite."""
    return [path.stem for path in study_paths()]


def find_study(name: str) -> Study:
    """A study of this suite by its name, or the one that a YAML file holds.

    Its variants' settings are not checked: see `checked`.

    Raises:
        SuiteError: nothing answers to the name, or the file does not hold a study.
    """
    if name.endswith(SUFFIXES):
        return read_study(Path(name))
    if name not in study_names():
        raise unknown("study", name, study_names())
    return _read_once(FOLDER / f"{name}.yaml")


def all_studies() -> tuple[Study, ...]:
    """Every study of this suite, by name.

    Raises:
        SuiteError: a file does not hold a study.
    """
    return tuple(map(find_study, study_names()))


@cache
def _read_once(path: Path) -> Study:
    return read_study(path)


def read_study(path: Path) -> Study:
    """Reads a study from YAML: the fields of `Study` but `name` and `path`.

    Raises:
        SuiteError: the file cannot be read, is not YAML, or holds something else.
    """
    content = read_fields(path, "--study", _FORM)
    for field in ("name", "path"):
        if field in content:
            raise SuiteError(f"{field}: the file's name says it", where=path, remedy="Remove it.")
    try:
        return Study.model_validate({**content, "name": stem(path), "path": path})
    except ValidationError as error:
        raise wrong_field(error, path, _FORM) from error


def checked(study: Study) -> Study:
    """The study, once its systems are known to do its task under its variants' settings.

    Loads torch and the systems.

    Raises:
        SuiteError: naming the study's file, and the variant.
    """
    for i, variant in enumerate(study.variants):
        try:
            _check_system(study, variant)
        except SuiteError as error:
            raise SuiteError(
                f"variants.{i}, {variant.name!r}: {error.cause}",
                where=study.path,
                remedy=error.remedy,
            ) from error
    return study


def _check_system(study: Study, variant: StudyVariant) -> None:
    from suite.systems.registry import make_settings, system_names  # noqa: PLC0415

    system = variant.find()
    if study.task not in system.tasks:
        raise SuiteError(f"{system.title} does not do the task {study.task!r}")
    for name, values in variant.accepts.items():
        for value in values:
            make_settings(system, {**variant.settings, name: value})
    for dataset in variant.settings_on:
        make_settings(system, variant.settings_of(dataset))
    named = variant.name in system_names()
    if named and not (variant.name == variant.system and variant.as_it_is):
        raise SuiteError(
            f"is called as the system {variant.name!r} is, and is not that system as it is",
            remedy="Give it another `name`: tables must tell the two apart.",
        )


_FORM = "Expected the fields of a study; the files in suite/studies/ of the package are examples."
