"""The tables of BERT DocRED ("Pre-trained NLP Models Implementation on Relation Extraction").

Its run on BERT with batch 8 and all of train stands in three of its tables, and here once.
"""

from __future__ import annotations

from collections.abc import Iterator

from reports.published.types import PublishedDocumentScore

SOURCE = "BERT DocRED (Pre-trained NLP Models Implementation on Relation Extraction)"

# fmt: off
# Section, encoder, batch, per cent of train; theta, F1, Ign F1, AUC, Ign AUC of dev; best epoch,
# its F1 and AUC.
_DEV: tuple[tuple[str, str, int, int,
                  float, float, float, float, float, int, float, float], ...] = (
    ("section 3.1", "bert-base-cased",  4, 100,
     0.2294, 0.5682, 0.5436, 0.5437, 0.5107,  88, 0.5706, 0.5077),
    ("sections 3.1 to 3.3", "bert-base-cased",  8, 100,
     0.3779, 0.5750, 0.5518, 0.5452, 0.5130, 147, 0.5755, 0.5130),
    ("section 3.1", "bert-base-cased", 16, 100,
     0.5817, 0.5738, 0.5517, 0.5495, 0.5166, 189, 0.5747, 0.5171),
    ("section 3.2", "bert-base-cased",  8,  10,
     0.3810, 0.4529, 0.4310, 0.4011, 0.3747,  46, 0.4532, 0.3724),
    ("section 3.2", "bert-base-cased",  8,  50,
     0.3384, 0.5488, 0.5255, 0.5225, 0.4910, 100, 0.5488, 0.4910),
    ("section 3.3", "roberta-base",     8, 100,
     0.4267, 0.5854, 0.5623, 0.5512, 0.5178, 189, 0.5872, 0.5175),
)
# Encoder, F1 of test.
_TEST: tuple[tuple[str, float], ...] = (
    ("bert-base-cased", 0.5699),
    ("roberta-base",    0.5873),
)
# fmt: on


def _per_cent(share: float) -> float:
    """As printed, without the tails of binary fractions."""
    return round(100 * share, 2)


def _row(encoder: str) -> str:
    return "RoBERTa" if "roberta" in encoder else "BERT"


def _dev() -> Iterator[PublishedDocumentScore]:
    for section, encoder, batch, share, theta, *shares, epoch, epoch_f1, epoch_auc in _DEV:
        f1, ign_f1, auc, ign_auc = map(_per_cent, shares)
        yield PublishedDocumentScore(
            source=SOURCE,
            table=section,
            row=f"{_row(encoder)}, batch {batch}, {share} % of train",
            system="bert_docred",
            dataset="docred",
            split="dev",
            encoder=encoder,
            kind="pretrained transformer",
            batch_size=batch,
            train_share=share,
            f1=f1,
            theta=theta,
            ign_f1=ign_f1,
            auc=auc,
            ign_auc=ign_auc,
            best_epoch=epoch,
            best_epoch_f1=_per_cent(epoch_f1),
            best_epoch_auc=_per_cent(epoch_auc),
        )


def _test() -> Iterator[PublishedDocumentScore]:
    for encoder, f1 in _TEST:
        yield PublishedDocumentScore(
            source=SOURCE,
            table="section 3.3",
            row=f"{_row(encoder)}, batch 8, 100 % of train",
            system="bert_docred",
            dataset="docred",
            split="test",
            encoder=encoder,
            kind="pretrained transformer",
            batch_size=8,
            train_share=100,
            f1=_per_cent(f1),
            origin="scored by the competition's site",
        )


SCORES = (*_dev(), *_test())
