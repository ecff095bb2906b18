"""Claims of papers as data: what each says, where, and how records of runs can tell of it.

A claim names variants of a study, whose file alone holds the printed figures. The files of this
suite (`suite/studies/claims/*.yaml`), one a paper, are found by being there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, ValidationError, model_validator

from suite.errors import SuiteError
from suite.files import StrictModel
from suite.studies.figures import Measure
from suite.studies.study import Study, find_study
from suite.systems.variants import read_fields, stem, wrong_field
from suite.tasks.matching import Match

FOLDER = Path(__file__).parent / "claims"
_FORM = (
    "Expected the fields of a paper's claims; the files in suite/studies/claims/ of the package "
    "are examples."
)

Variants: TypeAlias = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names of variants of the claim's study."""


class OfOneVariant(StrictModel):
    """What is said of one variant.

    Attributes:
        variant: the variant.
    """

    variant: str

    @property
    def variants(self) -> tuple[str, ...]:
        """Whose runs tell of it."""
        return (self.variant,)


class OneAboveOthers(StrictModel):
    """What one variant has more of than each of others.

    Attributes:
        higher, than: the variants.
    """

    higher: str
    than: Variants

    @property
    def variants(self) -> tuple[str, ...]:
        """Whose runs tell of it."""
        return (self.higher, *self.than)


class F1Difference(OneAboveOthers):
    """One variant has a higher F1 than each of others.

    Attributes:
        split: of which F1 is.
        match: under which rule; None: the one that chose the epochs.
        part: of test, as `overlap: EPO`, or `seen: not seen`; None: all of it.
        above: points that every difference exceeds where the claim is true; below 0 where it
            allows a loss.
        points: the size that the paper states in words; None: what the study's figures leave.
    """

    form: Literal["F1 difference"]
    split: Literal["dev", "test"] = "test"
    match: Match | None = None
    part: str | None = None
    above: float = 0.0
    points: float | None = None


class F1Alike(StrictModel):
    """Two variants, or more, have nearly the same F1.

    Attributes:
        variant, others: the variants.
        split: of which F1 is.
        within: points by which none of the others differs from the first where the claim is true.
    """

    form: Literal["F1 alike"]
    variant: str
    others: Variants
    split: Literal["dev", "test"] = "test"
    within: float = Field(gt=0)

    @property
    def variants(self) -> tuple[str, ...]:
        """Whose runs tell of it."""
        return (self.variant, *self.others)


class F1Level(OfOneVariant):
    """A variant reaches the F1 that its study prints.

    Attributes:
        split: of which F1 is.
        match: under which rule; None: the one that chose the epochs.
    """

    form: Literal["F1 level"]
    split: Literal["dev", "test"] = "test"
    match: Match | None = None


class Gain(StrictModel):
    """One difference in test F1 is larger than another.

    Attributes:
        larger, than: each a variant, and the one that it is held against.
        match: under which rule; None: the one that chose the epochs.
    """

    form: Literal["gain"]
    larger: tuple[str, str]
    than: tuple[str, str]
    match: Match | None = None

    @property
    def variants(self) -> tuple[str, ...]:
        """Whose runs tell of it."""
        return (*self.larger, *self.than)


class CostRatio(StrictModel):
    """Each of some variants costs more than each of others.

    Attributes:
        cost: a published measure of cost.
        more: the dearer variants.
        than: the cheaper ones.
        above: what every ratio exceeds where the claim is true in its direction.
        times: the size that the paper states in words; None: what the study's figures leave.
    """

    form: Literal["cost ratio"]
    cost: Measure
    more: Variants
    than: Variants
    above: float = Field(1.0, gt=0)
    times: float | None = Field(None, gt=0)

    @property
    def variants(self) -> tuple[str, ...]:
        """Whose runs tell of it."""
        return (*self.more, *self.than)


class ParameterCount(OfOneVariant):
    """A variant has the number of parameters that its study prints, but for one in a hundred."""

    form: Literal["parameters"]
    variant: str


class MeasureDifference(OneAboveOthers):
    """One variant has more of a measure of dev than each of others; seeds alone tell of it.

    Attributes:
        measure: a metric of the task, as `theta`.
    """

    form: Literal["measure difference"]
    measure: Measure
    higher: str
    than: Variants


class EarlyExits(OfOneVariant):
    """At the fastest point that loses no more dev F1 than reports allow, a variant is quicker."""

    form: Literal["early exits"]
    variant: str


class WordClasses(OfOneVariant):
    """A measure of explained words is higher over one class of words than over each of others.

    Attributes:
        measure: of `explain-run`.
        higher, than: classes of words.
    """

    form: Literal["word classes"]
    measure: str
    higher: str
    than: tuple[str, ...] = Field(min_length=1)


Test: TypeAlias = Annotated[
    F1Difference
    | F1Alike
    | F1Level
    | Gain
    | CostRatio
    | ParameterCount
    | MeasureDifference
    | EarlyExits
    | WordClasses,
    Field(discriminator="form"),
]
"""In which form records can tell of a claim."""


class Claim(StrictModel):
    """One claim.

    Attributes:
        name: of the claim among its paper's.
        place: in the paper.
        says: the claim in words of this project, as a sentence.
        study: whose variants tell of it.
        datasets: of which the paper says it; each has a verdict of its own.
        elsewhere: others that can tell of it, listed where there are runs.
        needs: resources of which a stand-in tells nothing of this claim.
        test: the form in which records tell of it.
    """

    name: str = Field(pattern=r"^[\w.+-]+$")
    place: str
    says: str = Field(pattern=r"\.$")
    study: str
    datasets: tuple[str, ...] = Field(min_length=1)
    elsewhere: tuple[str, ...] = ()
    needs: tuple[Literal["vectors", "pretrained", "parser"], ...] = ()
    test: Test

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            study = find_study(self.study)
            for name in self.test.variants:
                study.variant(name)
        except SuiteError as error:
            raise ValueError(str(error).rstrip(".")) from error
        if twice := set(self.datasets) & set(self.elsewhere):
            raise ValueError(f"elsewhere: {min(twice)!r} stands in `datasets` as well")
        return self

    def find_study(self) -> Study:
        """The study whose variants tell of it."""
        return find_study(self.study)


class PaperClaims(StrictModel):
    """The claims of a paper.

    Attributes:
        name: of the file.
        title: as a heading.
        citation: of the paper, in full.
        notes: what a reader must know of them, as sentences.
        resources: options of `run-suite` that give its runs what the paper used.
        claims: in the order of the paper.
    """

    name: str
    title: str
    citation: str
    notes: tuple[str, ...] = ()
    resources: str
    claims: tuple[Claim, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [claim.name for claim in self.claims]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"claims: two are called {name!r}")
        return self


def read_claims(path: Path) -> PaperClaims:
    """Reads the claims of a paper from YAML: the fields of `PaperClaims` but `name`.

    Raises:
        SuiteError: the file cannot be read, is not YAML, holds something else, or names a study or
            a variant that there is not.
    """
    content = read_fields(path, "the claims of a paper", _FORM)
    try:
        return PaperClaims.model_validate({**content, "name": stem(path)})
    except ValidationError as error:
        raise wrong_field(error, path, _FORM) from error


def all_claims() -> Iterator[PaperClaims]:
    """The claims of each paper, by name of its file.

    Raises:
        SuiteError: a file does not hold claims.
    """
    return (read_claims(path) for path in sorted(FOLDER.glob("*.yaml")))
