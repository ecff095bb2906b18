"""Published figures as typed data, each with all that a comparison must know about it.

None of them was measured by this suite; tables name their source.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from suite.protocol import Match

Form = Literal["whole names", "last words", "not stated"]
"""How gold names its entities: by all their words, by the last word alone (the star form of NYT24
and WebNLG), or the paper does not say."""

FASTRE = "Li et al., FastRE, IJCAI 2022"
CASREL = "Wei et al., CasRel, ACL 2020"


@dataclass(frozen=True)
class PublishedScore:
    """One row of a published table of scores, in per cent.

    Attributes:
        source, table: where it is printed.
        row: the name of the row there.
        system: the suite's name of that system; None where the suite has none.
        dataset: the suite's name of the dataset.
        encoder: what reads the words, with its word vectors; "not stated" where it is not.
        pretrained: whether that encoder is a pretrained transformer; None where not stated.
        origin: who ran it, where that is not the authors of the source.
        device: None where it is not stated.
        train_minutes: total training.
        inference_seconds: the whole test set, at a batch size that the paper does not state.
    """

    source: str
    table: str
    row: str
    system: str | None
    dataset: str
    form: Form
    match: Match
    encoder: str
    pretrained: bool | None
    precision: float
    recall: float
    f1: float
    origin: str = ""
    device: str | None = None
    train_minutes: float | None = None
    inference_seconds: float | None = None


@dataclass(frozen=True)
class PublishedEfficiency:
    """One row of FastRE's Table 3.

    Attributes:
        parameters: thousands, of the official implementation.
        milliseconds: batch size -> time per instance.
    """

    row: str
    system: str | None
    dataset: str
    parameters: int
    milliseconds: dict[int, float]


FASTRE_DEVICE = "NVIDIA RTX 2080 Ti"
SPLIT_SIZES: dict[str, dict[str, int]] = {
    "nyt10": {"train": 70_339, "test": 4_006},
    "nyt11": {"train": 62_648, "test": 369},
    "nyt24": {"train": 56_196, "dev": 5_000, "test": 5_000},
}
"""Sentences of each split (FastRE, Table 1)."""

SEEN_IN_TRAIN = {"nyt10": 72.64, "nyt11": 41.62, "nyt24": 90.49}
"""Per cent of the test triples that occur in train (FastRE, section 3.7)."""

CLAIMS = {
    "training": "3-10 times the training speed",
    "inference": "7-15 times the inference speed",
    "parameters": "1/100 of the parameters",
}
"""What FastRE's abstract claims against the state of the art of its time, all of it on BERT."""

_FASTRE_ENCODER = "dilated convolutions, 300-d GloVe"
_RERUN = "run by FastRE's authors with the original code"
_QUOTED = "quoted by FastRE's authors from the original paper"

# fmt: off
# Row, dataset, precision, recall, F1, training minutes, inference seconds.
_TABLE_2: tuple[tuple[str, str, float, float, float, float | None, float | None], ...] = (
    ("NovelTagging", "nyt10", 59.3, 38.1, 46.4, None, None),
    ("CasRel",       "nyt10", 78.0, 69.0, 73.2,  521,  266),
    ("TPLinker",     "nyt10", 80.1, 66.4, 72.6,  984,  191),
    ("PRGC",         "nyt10", 80.2, 66.5, 72.7,  290,  134),
    ("CopyRE",       "nyt10", 56.9, 45.2, 50.4, None, None),
    ("WDec",         "nyt10", 84.6, 62.1, 71.6, None, None),
    ("SPN",          "nyt10", 79.5, 67.1, 72.8,  516,  202),
    ("HRL",          "nyt10", 71.4, 58.6, 64.4, None, None),
    ("GRTE",         "nyt10", 79.8, 67.6, 73.2,  890,  176),
    ("FastRE",       "nyt10", 78.0, 70.1, 73.8,  100, 18.4),
    ("NovelTagging", "nyt11", 46.9, 48.9, 47.9, None, None),
    ("CasRel",       "nyt11", 50.3, 58.1, 53.9,  448,   24),
    ("TPLinker",     "nyt11", 56.2, 55.1, 55.7,  973,   16),
    ("PRGC",         "nyt11", 54.4, 56.3, 55.3,  267,   12),
    ("CopyRE",       "nyt11", 34.7, 53.4, 42.1, None, None),
    ("SPN",          "nyt11", 52.7, 55.4, 54.0,  380,   19),
    ("HRL",          "nyt11", 53.8, 53.8, 53.8, None, None),
    ("GRTE",         "nyt11", 53.6, 58.2, 55.8,  843,   17),
    ("FastRE",       "nyt11", 54.1, 58.7, 56.3,   87,  1.6),
    ("NovelTagging", "nyt24", 62.4, 31.7, 42.0, None, None),
    ("CasRel",       "nyt24", 89.9, 89.1, 89.5,  420,  327),
    ("TPLinker",     "nyt24", 91.0, 91.8, 91.4,  885,  235),
    ("PRGC",         "nyt24", 89.9, 90.9, 90.4,  272,  161),
    ("CopyRE",       "nyt24", 61.0, 56.6, 58.7, None, None),
    ("WDec",         "nyt24", 94.5, 76.2, 84.4, None, None),
    ("SPN",          "nyt24", 93.3, 91.8, 92.5,  473,  254),
    ("GRTE",         "nyt24", 92.5, 92.7, 92.6,  795,  221),
    ("FastRE",       "nyt24", 89.6, 86.3, 87.9,   96, 23.0),
)

# Row, dataset, thousands of parameters, milliseconds an instance at batch 1, 8 and 128.
_TABLE_3: tuple[tuple[str, str, int, float, float | None, float | None], ...] = (
    ("CasRel",   "nyt10", 107_729,  66.2, None, None),
    ("TPLinker", "nyt10", 109_626, 104.7, 47.5, None),
    ("SPN",      "nyt10", 141_754, 197.4, 50.2, None),
    ("PRGC",     "nyt10", 108_931, 132.6, 33.3, None),
    ("GRTE",     "nyt10", 119_450,  97.5, 43.8, None),
    ("FastRE",   "nyt10",   1_096,  12.9,  5.9,  4.6),
    ("CasRel",   "nyt11", 107_698,  62.9, None, None),
    ("TPLinker", "nyt11", 109_548,  97.5, 42.5, None),
    ("SPN",      "nyt11", 140_648, 199.2, 51.6, None),
    ("PRGC",     "nyt11", 108_891, 127.1, 30.6, None),
    ("GRTE",     "nyt11", 119_166,  98.8, 44.2, None),
    ("FastRE",   "nyt11",   1_092,  11.7,  5.5,  4.4),
    ("CasRel",   "nyt24", 107_720,  65.3, None, None),
    ("TPLinker", "nyt24", 109_603, 103.2, 47.0, None),
    ("SPN",      "nyt24", 141_429, 198.9, 50.7, None),
    ("PRGC",     "nyt24", 108_919, 130.7, 32.1, None),
    ("GRTE",     "nyt24", 119_387,  98.3, 44.1, None),
    ("FastRE",   "nyt24",   1_095,  12.8,  5.8,  4.6),
)

# CasRel's own figures as PMEI quotes them: row, dataset, table there, precision, recall, F1.
_CASREL: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("CasRel",        "nyt24-star",  "Table 3", 89.7, 89.5, 89.6),
    ("CasRel (LSTM)", "nyt24-star",  "Table 3", 84.2, 83.0, 83.6),
    ("CasRel",        "webnlg-star", "Table 3", 93.4, 90.1, 91.8),
    ("CasRel (LSTM)", "webnlg-star", "Table 3", 86.9, 80.6, 83.7),
    ("CasRel",        "nyt10",       "Table 4", 77.7, 68.8, 73.0),
    ("CasRel",        "nyt11",       "Table 4", 50.1, 58.4, 53.9),
)
# fmt: on

_SYSTEMS = {"FastRE": "fastre", "CasRel": "casrel", "CasRel (LSTM)": "casrel"}
_ENCODERS: dict[str, tuple[str, bool]] = {
    "FastRE": (_FASTRE_ENCODER, False),
    "CasRel (LSTM)": ("LSTM, randomly initialised", False),
    "WDec": ("BiLSTM", False),
    **dict.fromkeys(("CasRel", "TPLinker", "PRGC", "SPN", "GRTE"), ("BERT", True)),
}

STAR_DATASETS = frozenset({"nyt24-star", "webnlg-star"})
"""The suite's names of the datasets in which an entity is named by its last word."""


def form_of(dataset: str) -> Form:
    """The form of one of the suite's datasets."""
    return "last words" if dataset in STAR_DATASETS else "whole names"


def _fastre_scores() -> Iterator[PublishedScore]:
    for row, dataset, precision, recall, f1, minutes, seconds in _TABLE_2:
        encoder, pretrained = _ENCODERS.get(row, ("not stated", None))
        yield PublishedScore(
            source=FASTRE,
            table="Table 2",
            row=row,
            system=_SYSTEMS.get(row),
            dataset=dataset,
            # The paper names its NYT24 by Zeng et al. (2018), of which both forms are in use.
            form="not stated" if dataset == "nyt24" else "whole names",
            match="partial",
            encoder=encoder,
            pretrained=pretrained,
            precision=precision,
            recall=recall,
            f1=f1,
            origin="" if row == "FastRE" else _QUOTED if minutes is None else _RERUN,
            device=None if minutes is None else FASTRE_DEVICE,
            train_minutes=minutes,
            inference_seconds=seconds,
        )


def _casrel_scores() -> Iterator[PublishedScore]:
    for row, dataset, table, precision, recall, f1 in _CASREL:
        encoder, pretrained = _ENCODERS[row]
        yield PublishedScore(
            source=CASREL,
            table=f"quoted in PMEI, AAAI 2021, {table}",
            row=row,
            system=_SYSTEMS[row],
            dataset=dataset,
            form=form_of(dataset),
            match="partial",
            encoder="bert-base-cased" if pretrained else encoder,
            pretrained=pretrained,
            precision=precision,
            recall=recall,
            f1=f1,
        )


SCORES: tuple[PublishedScore, ...] = (*_fastre_scores(), *_casrel_scores())

EFFICIENCY: tuple[PublishedEfficiency, ...] = tuple(
    PublishedEfficiency(
        row=row,
        system=_SYSTEMS.get(row),
        dataset=dataset,
        parameters=parameters,
        milliseconds={b: ms for b, ms in zip((1, 8, 128), times, strict=True) if ms is not None},
    )
    for row, dataset, parameters, *times in _TABLE_3
)
