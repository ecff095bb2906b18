"""RelU-Net's Table 2 (Zhang et al., EMNLP 2022).

The text at hand has lost the subscripts that tell rows of one name apart, and with them their
encoders. RelU-Net's own four rows are told apart by the paper's section 4.3; of the others' rows
of one name, the place in the table stands in brackets.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.published.types import EncoderKind, PublishedScore, Settings

RELU_NET = "Zhang et al., RelU-Net, EMNLP 2022"

# fmt: off
# Row, then precision, recall and F1 on NYT and on WebNLG; None: not printed.
_TABLE_2: tuple[tuple[str, float | None, float | None, float,
                      float | None, float | None, float], ...] = (
    ("CasRel (1)",                       81.5, 75.7, 78.5, 84.7, 79.5, 82.0),
    ("CasRel (2)",                       89.7, 89.5, 89.6, 93.4, 90.1, 91.7),
    ("TPLinker",                         91.3, 92.5, 91.9, 91.8, 92.0, 91.9),
    ("SPN",                              93.3, 91.7, 92.5, 93.1, 93.6, 93.4),
    ("CGT (1)",                          90.8, 77.7, 83.7, 87.6, 70.5, 78.1),
    ("CGT (2)",                          94.7, 84.2, 89.1, 92.9, 75.6, 83.4),
    ("PFN",                              None, None, 92.4, None, None, 93.6),
    ("TDEER",                            93.0, 92.1, 92.5, 93.8, 92.4, 93.1),
    ("PRGC (1)",                         89.6, 82.3, 85.8, 90.6, 88.5, 89.5),
    ("PRGC (2)",                         93.3, 91.9, 92.6, 94.0, 92.1, 93.0),
    ("R-BPtrNet (1)",                    92.7, 92.5, 92.6, 93.7, 92.8, 93.3),
    ("R-BPtrNet (2)",                    92.7, 91.6, 92.1, 93.6, 92.9, 93.3),
    ("R-BPtrNet (3)",                    94.0, 92.9, 93.5, 94.3, 93.3, 93.8),
    ("R-BPtrNet (4)",                    93.3, 93.0, 93.2, 94.2, 93.2, 93.7),
    ("RelU-Net, full tree, no pooling",  87.9, 87.3, 87.6, 90.3, 89.1, 89.7),
    ("RelU-Net, randomly initialised",   89.4, 87.6, 88.5, 93.4, 88.9, 91.1),
    ("RelU-Net, BERT",                   93.3, 92.9, 93.1, 94.9, 93.7, 94.3),
    ("RelU-Net, RoBERTa",                94.2, 93.3, 93.7, 95.4, 94.4, 94.9),
)
# fmt: on

_LISTED = "listed by RelU-Net's authors, who do not say whose run it is"
_LOST = "lost in the text at hand"
_POOLED: Settings = {
    "pooling": (True,),
    "clusters": ([16, 8],),
    "graph": ("sage",),
    "bipartite_weight": (1.0,),
    "similarity_weight": (0.1,),
}
_OWN: dict[str, tuple[str, EncoderKind, Settings]] = {
    "RelU-Net, full tree, no pooling": ("BERT", "pretrained transformer", {"pooling": (False,)}),
    "RelU-Net, randomly initialised": ("randomly initialised", "untrained transformer", _POOLED),
    "RelU-Net, BERT": ("BERT", "pretrained transformer", _POOLED),
    "RelU-Net, RoBERTa": ("RoBERTa", "pretrained transformer", _POOLED),
}
"""Row -> encoder, its kind, and the settings of the suite's RelU-Net that it is."""


def _scores() -> Iterator[PublishedScore]:
    for row, *numbers in _TABLE_2:
        for dataset, (precision, recall, f1) in zip(
            ("nyt24-star", "webnlg-star"), (numbers[:3], numbers[3:]), strict=True
        ):
            assert f1 is not None
            unknown = _LOST if row.endswith(")") else "not stated"
            encoder, kind, settings = _OWN.get(row, (unknown, None, {}))
            yield PublishedScore(
                source=RELU_NET,
                table="Table 2",
                row=row,
                system="relu_net" if row in _OWN else None,
                dataset=dataset,
                form="last words",
                match="partial",
                encoder=encoder,
                kind=kind,
                precision=precision,
                recall=recall,
                f1=f1,
                origin="" if row in _OWN else _LISTED,
                settings=settings,
            )


SCORES = tuple(_scores())
