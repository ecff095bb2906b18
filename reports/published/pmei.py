"""PMEI's Tables 3 and 4 (Sun et al., AAAI 2021); their CasRel rows stand in `casrel`.

Its NYT and WebNLG "mark only the tail word of an entity", which is the star form: so the partial
rows are held. For exact match its authors tagged the whole entities anew (its Table 2), which is
not the gold of `nyt24` and `webnlg`; of the rows that it lists from other papers under exact match
it does not say on which form they were scored. Where the text at hand has garbled a digit (four
rows), precision, recall and F1 leave one reading.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.published.types import EncoderKind, Form, PublishedScore, Settings
from suite.protocol import Match

PMEI = "Sun et al., PMEI, AAAI 2021"

# fmt: off
# Row, then precision, recall and F1 on the first dataset and on the second; None: not printed.
_Row = tuple[str, float | None, float | None, float | None,
             float | None, float | None, float | None]
_TABLE_3: dict[Match, tuple[_Row, ...]] = {
    "partial": (
        ("OneDecoder",   59.4, 53.1, 56.0, 32.2, 28.9, 30.5),
        ("MultiDecoder", 61.0, 56.6, 58.7, 37.7, 36.4, 37.1),
        ("OrderRL",      77.9, 67.2, 72.1, 63.3, 59.9, 61.6),
        ("MTL",          83.9, 83.1, 83.5, 84.9, 86.3, 85.6),
        ("PMEI",         88.7, 86.8, 87.8, 88.7, 87.6, 88.1),
        ("MTL-BERT",     89.4, 89.9, 89.7, 89.4, 92.0, 90.7),
        ("PMEI-BERT",    90.5, 89.8, 90.1, 91.0, 92.9, 92.0),
    ),
    "exact": (
        ("NovelTagging", 62.4, 31.7, 42.0, 52.5, 19.3, 28.3),
        ("GraphRel-1p",  62.9, 57.3, 60.0, 42.3, 39.2, 40.7),
        ("GraphRel-2p",  63.9, 60.0, 61.9, 44.7, 41.1, 42.9),
        ("CopyMTL-One",  72.7, 69.2, 70.9, 57.8, 60.1, 58.9),
        ("CopyMTL-Mul",  75.7, 68.7, 72.0, 58.0, 54.9, 56.4),
        ("MTL",          77.4, 76.4, 76.9, 76.7, 74.8, 75.7),
        ("PMEI",         84.5, 84.0, 84.2, 78.8, 77.7, 78.2),
        ("MTL-BERT",     87.0, 88.7, 87.8, 80.9, 82.0, 81.4),
        ("PMEI-BERT",    88.4, 88.9, 88.7, 80.8, 82.8, 81.8),
    ),
}
_TABLE_4: dict[Match, tuple[_Row, ...]] = {
    "partial": (
        ("MultiDecoder", 56.9, 45.2, 50.4, 34.7, 53.4, 42.1),
        ("MTL",          75.0, 65.9, 70.2, 51.9, 57.0, 54.3),
        ("PMEI",         79.1, 67.2, 72.6, 56.0, 58.6, 57.2),
        ("MTL-BERT",     77.9, 69.9, 73.7, 54.3, 59.7, 56.9),
        ("PMEI-BERT",    79.1, 70.4, 74.5, 55.8, 59.7, 57.7),
    ),
    "exact": (
        ("NovelTagging", 59.3, 38.1, 46.4, 46.9, 48.9, 47.9),
        ("MultiDecoder", 56.9, 45.2, 50.4, 34.7, 53.4, 42.1),
        ("ReHession",    None, None, None, 41.2, 57.3, 48.0),
        ("LSTM-CRF",     None, None, None, 69.3, 31.0, 42.8),
        ("SPTree",       49.2, 55.7, 52.2, 52.2, 54.1, 53.1),
        ("PA-LSTM-CRF",  None, None, None, 49.4, 59.1, 53.8),
        ("HRL",          71.4, 58.6, 64.4, 53.8, 53.8, 53.8),
        ("MTL",          72.0, 59.0, 64.8, 50.7, 55.4, 53.0),
        ("PMEI",         75.4, 65.8, 70.2, 55.3, 57.8, 56.5),
        ("MTL-BERT",     77.9, 67.8, 72.5, 55.1, 57.3, 56.2),
        ("PMEI-BERT",    77.3, 69.7, 73.3, 54.9, 58.9, 56.8),
    ),
}
# fmt: on

_LISTED = "listed by PMEI's authors, who do not say whose run it is"
_PARTS: dict[str, Settings] = {
    "MTL": {"early": (False,), "stochastic": (False,)},
    "PMEI": {"early": (True,), "interaction": (True,), "stochastic": (True,), "cell": ("gru",)},
}
_GLOVE: Settings = {"encoder": ("bilstm",)}
_BERT: Settings = {"encoder": ("pretrained",), "freeze_encoder": (False,)}
_OWN: dict[str, tuple[str, EncoderKind, Settings]] = {
    **{
        name: ("BiLSTM, GloVe", "word vectors", {**_GLOVE, **parts})
        for name, parts in _PARTS.items()
    },
    **{
        f"{name}-BERT": ("BERT", "pretrained transformer", {**_BERT, **parts})
        for name, parts in _PARTS.items()
    },
}
"""Row -> encoder, its kind, and the settings of the suite's PMEI that it is."""


def _datasets(match: Match) -> Iterator[tuple[str, tuple[str, str], tuple[_Row, ...]]]:
    """Table -> the suite's names of its two datasets, and its rows."""
    pair = ("nyt24-star", "webnlg-star") if match == "partial" else ("nyt24", "webnlg")
    yield "Table 3", pair, _TABLE_3[match]
    yield "Table 4", ("nyt10", "nyt11"), _TABLE_4[match]


def _form(table: str, match: Match, own: bool) -> Form:
    if table == "Table 4":
        return "whole names"
    if match == "partial":
        return "last words"
    return "whole names, tagged by the paper" if own else "not stated"


def _scores() -> Iterator[PublishedScore]:
    matches: tuple[Match, ...] = ("partial", "exact")
    for match in matches:
        for table, datasets, rows in _datasets(match):
            for row, *numbers in rows:
                for dataset, (precision, recall, f1) in zip(
                    datasets, (numbers[:3], numbers[3:]), strict=True
                ):
                    if f1 is not None:
                        yield _score(table, match, row, dataset, (precision, recall, f1))


def _score(
    table: str,
    match: Match,
    row: str,
    dataset: str,
    printed: tuple[float | None, float | None, float],
) -> PublishedScore:
    own = row in _OWN
    encoder, kind, settings = _OWN.get(row, ("not stated", None, {}))
    return PublishedScore(
        source=PMEI,
        table=f"{table}, {match} match",
        row=row,
        system="pmei" if own else None,
        dataset=dataset,
        form=_form(table, match, own),
        match=match,
        encoder=encoder,
        kind=kind,
        precision=printed[0],
        recall=printed[1],
        f1=printed[2],
        origin="" if own else _LISTED,
        settings=settings,
    )


SCORES = tuple(_scores())
