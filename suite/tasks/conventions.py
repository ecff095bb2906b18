"""The conventions by which published scores count, each as what it compares and what it leaves out.

The sources are papers and public code; what was read in code names the commit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from suite.tasks.examples import Span
from suite.tasks.matching import Match, Matching
from suite.tasks.shown import ShownEnd, ShownItem

Part: TypeAlias = Literal["first", "last", "whole"]
"""What of a span is compared: a word of it, or all."""
PART_OF: dict[Match, Part] = {"partial": "first", "exact": "whole"}
CUT = 100
"""Words after which published code cuts a sentence; most of it counts subwords, of which there are
more."""


@dataclass(frozen=True)
class Convention:
    """A way of counting.

    Attributes:
        name: as tables print it.
        source: who counts so, as a phrase.
        key: what two items of an example have in common where they count as the same.
        keeps: whether a gold item counts at all.
        keeps_predicted: whether a predicted one does.
        keeps_example: whether an example does, by its gold.
        repeats: whether gold that its file names again counts each time.
        measure: of the evaluation, that is told in place of F1 over counts.
        missing: why nothing can be counted so here; empty where it can.
    """

    name: str
    source: str
    key: Callable[[ShownItem], Hashable]
    keeps: Callable[[ShownItem], bool] = lambda _: True
    keeps_predicted: Callable[[ShownItem], bool] = lambda _: True
    keeps_example: Callable[[list[ShownItem]], bool] = lambda _: True
    repeats: bool = False
    measure: str | None = None
    missing: str = ""


def key_by(part: Part, matching: Matching) -> Callable[[ShownItem], Hashable]:
    """What items are compared by: their label and a part of each end.

    What has no place is compared by its words whatever the matching, and is equal to nothing that
    has one where that is by place.

    Args:
        part: of a span.
        matching: by its place or by its words.
    """

    def key(item: ShownItem) -> Hashable:
        by_words = matching == "surface" or not item.placed
        read = _in_words if by_words else _in_place
        return item.label, *(read(end, part) for end in item.ends)

    return key


def _in_words(end: ShownEnd, part: Part) -> Hashable:
    if part == "first":
        return end.words.split(" ", 1)[0]
    return end.words.rsplit(" ", 1)[-1] if part == "last" else end.words


def _in_place(end: ShownEnd, part: Part) -> Hashable:
    if not isinstance(end.place, Span) or part == "whole":
        return end.place
    return end.place.start if part == "first" else end.place.end


def within_cut(item: ShownItem) -> bool:
    """Whether an item lies within the first `CUT` words; what has no place counts as within."""
    return all(span.end <= CUT for span in item.spans)


def ours(match: Match, matching: Matching, rule: str = "") -> Convention:
    """The rule by which this suite scores.

    Args:
        match: under which epochs are selected.
        matching: what spans are compared by.
        rule: as it is named; empty where there is but one.
    """
    return Convention(f"as here{rule}", "this suite", key_by(PART_OF[match], matching))


CASREL = "CasRel's public code (weizhepei/CasRel 9094107, `utils.py`)"
PRGC = "PRGC's public code (hy-struggle/PRGC 8bbaf34, `dataloader_utils.py`, `evaluate.py`)"
SPERT = "SpERT's public code (lavis-nlp/spert 30a0132, `spert/evaluator.py`)"


def of_triples(match: Match, matching: Matching) -> list[Convention]:
    """Those of triples, ours first."""
    mine = ours(match, matching, f": {match}/{matching}")
    return [mine, *_by_spans(), *_by_what_counts(mine.key)]


def _by_spans() -> list[Convention]:
    """Triples that are compared by other parts of their spans."""
    rules: list[tuple[str, str, Part, Matching]] = [
        (
            "first word, by words",
            f"{CASREL}; FastRE's partial match follows it (section 3.1)",
            "first",
            "surface",
        ),
        (
            "first word, by place",
            "PMEI and RelU-Net, whose papers say the heads of both entities, and not how heads are "
            "compared",
            "first",
            "offsets",
        ),
        (
            "last word, by words",
            "the star form of NYT24 and WebNLG, on which CasRel, PMEI (partial) and RelU-Net "
            "report: its files name an entity by its last word",
            "last",
            "surface",
        ),
        (
            "whole span, by words",
            f"exact match of {PRGC}, and of TPLinker and GRTE on whole names",
            "whole",
            "surface",
        ),
        (
            "whole span, by place",
            f"SPN's public code (DianboWork/SPN4RE 0065652, `utils/metric.py`); {SPERT}, without "
            "entity types",
            "whole",
            "offsets",
        ),
    ]
    return [Convention(name, source, key_by(part, by)) for name, source, part, by in rules]


def _by_what_counts(key: Callable[[ShownItem], Hashable]) -> list[Convention]:
    """Triples that are compared by the given key, and not all of which count, or count once."""
    return [
        Convention(
            "whole span and entity types",
            f"{SPERT}, with entity types",
            key,
            missing="predicted triples have no entity types",
        ),
        Convention(
            "repeated gold counts each time",
            "SPN's public code, which collapses what is predicted and not its gold",
            key,
            repeats=True,
        ),
        Convention(
            f"what lies beyond {CUT} words left out",
            f"{PRGC}, which counts subwords: there more is left out",
            key,
            keeps=within_cut,
            keeps_predicted=within_cut,
        ),
        Convention("gold that is not in the text left out", PRGC, key, keeps=lambda i: i.placed),
        Convention(
            "sentences with gold that is not in the text left out",
            "GRTE's public code (neukg/GRTE f553cd2)",
            key,
            keeps_example=lambda gold: all(item.placed for item in gold),
        ),
    ]


def of_entities(match: Match, matching: Matching) -> list[Convention]:
    """Those of entities, ours first."""
    return [
        ours(match, matching, f": {match}"),
        Convention("whole span and type, by place", SPERT, key_by("whole", "offsets")),
        Convention(
            "first word and type, by place",
            "none that was checked; this suite prints it beside its own",
            key_by("first", "offsets"),
        ),
    ]


def of_facts() -> list[Convention]:
    """Those of facts between given entities, ours first."""
    mine = ours("exact", "offsets")
    return [
        mine,
        Convention(
            "facts of train left out of precision (Ign F1)",
            "DocRED's public code, as BERT DocRED's paper quotes it",
            mine.key,
            measure="ign_f1",
        ),
    ]
