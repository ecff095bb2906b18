"""CasRel's own figures (Wei et al., ACL 2020), as PMEI's Tables 3 and 4 quote them."""

from __future__ import annotations

from collections.abc import Iterator

from reports.published.types import EncoderKind, PublishedScore, form_of

CASREL = "Wei et al., CasRel, ACL 2020"

# fmt: off
# Row, dataset, table there, precision, recall, F1.
_ROWS: tuple[tuple[str, str, str, float, float, float], ...] = (
    ("CasRel",        "nyt24-star",  "Table 3", 89.7, 89.5, 89.6),
    ("CasRel (LSTM)", "nyt24-star",  "Table 3", 84.2, 83.0, 83.6),
    ("CasRel",        "webnlg-star", "Table 3", 93.4, 90.1, 91.8),
    ("CasRel (LSTM)", "webnlg-star", "Table 3", 86.9, 80.6, 83.7),
    ("CasRel",        "nyt10",       "Table 4", 77.7, 68.8, 73.0),
    ("CasRel",        "nyt11",       "Table 4", 50.1, 58.4, 53.9),
)
# fmt: on

_ENCODERS: dict[str, tuple[str, EncoderKind, str]] = {
    "CasRel": ("bert-base-cased", "pretrained transformer", "pretrained"),
    "CasRel (LSTM)": ("LSTM, randomly initialised", "word vectors", "lstm"),
}


def _scores() -> Iterator[PublishedScore]:
    for row, dataset, table, precision, recall, f1 in _ROWS:
        encoder, kind, setting = _ENCODERS[row]
        yield PublishedScore(
            source=CASREL,
            table=f"quoted in PMEI, AAAI 2021, {table}",
            row=row,
            system="casrel",
            dataset=dataset,
            form=form_of(dataset),
            match="partial",
            encoder=encoder,
            kind=kind,
            precision=precision,
            recall=recall,
            f1=f1,
            settings={"encoder": (setting,)},
        )


SCORES = tuple(_scores())
