"""FastRE's Tables 1 to 3 (Li et al., IJCAI 2022)."""

from __future__ import annotations

from collections.abc import Iterator

from reports.published.types import (
    EncoderKind,
    PublishedEfficiency,
    PublishedScore,
    Settings,
)

FASTRE = "Li et al., FastRE, IJCAI 2022"
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
# fmt: on

_SYSTEMS = {"FastRE": "fastre", "CasRel": "casrel"}
_ENCODERS: dict[str, tuple[str, EncoderKind]] = {
    "FastRE": ("dilated convolutions, 300-d GloVe", "word vectors"),
    "WDec": ("BiLSTM", "word vectors"),
    **dict.fromkeys(
        ("CasRel", "TPLinker", "PRGC", "SPN", "GRTE"), ("BERT", "pretrained transformer")
    ),
}
_SETTINGS: dict[str, Settings] = {
    "FastRE": {
        "dilations": ([1, 2, 4, 1, 1, 1],),
        "gate": ("gated linear unit", "highway"),  # the paper's and its public code's
        "residual": (True,),
        "mapping": (True,),
        "thresholds": ("adaptive",),
    },
    "CasRel": {"encoder": ("pretrained",)},
}


def _scores() -> Iterator[PublishedScore]:
    for row, dataset, precision, recall, f1, minutes, seconds in _TABLE_2:
        encoder, kind = _ENCODERS.get(row, ("not stated", None))
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
            kind=kind,
            precision=precision,
            recall=recall,
            f1=f1,
            origin="" if row == "FastRE" else _QUOTED if minutes is None else _RERUN,
            settings=_SETTINGS.get(row, {}),
            device=None if minutes is None else FASTRE_DEVICE,
            train_minutes=minutes,
            inference_seconds=seconds,
        )


SCORES = tuple(_scores())

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
