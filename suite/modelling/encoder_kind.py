"""Kinds of what reads the words, known without loading any of it."""

from __future__ import annotations

from typing import Literal

EncoderKind = Literal["word vectors", "untrained transformer", "pretrained transformer"]
"""What is known before training: of words, nothing, or of whole texts."""

EncoderFamily = Literal["roberta"]
"""Families of transformers that papers print in rows apart from BERT's."""

ROBERTA: EncoderFamily = "roberta"
"""The family of RoBERTa and what has its architecture."""
