"""A transformer taken layer by layer, so that sentences can leave it on the way.

Letters in shapes: B sentences, b those that are still there, N words, S subwords, E width.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from suite.errors import SuiteError
from suite.modelling.encoders import SubwordText, Transformer
from suite.modelling.pretrained import PretrainedModel


@dataclass(frozen=True)
class Midway:
    """Sentences between two layers.

    Attributes:
        rows: their places in the batch, ascending.
        lengths: words of each.
        hidden: vectors of the subwords.
        mask: True at subwords, False at padding.
        pooling: each word's mean over subwords as a matrix.
        context: what the architecture's layers need beside the vectors.
    """

    rows: Int[Tensor, " b"]
    lengths: Int[Tensor, " b"]
    hidden: Float[Tensor, "b S E"]
    mask: Bool[Tensor, "b S"]
    pooling: Float[Tensor, "b N S"]
    context: Any


class Architecture(ABC):
    """How `transformers` calls the layers of a family of models."""

    @abstractmethod
    def layers(self, model: Any) -> Any:
        """The layers, in order."""

    @abstractmethod
    def embed(self, model: Any, subwords: Int[Tensor, "b S"]) -> Float[Tensor, "b S E"]:
        """What goes into the first layer."""

    @abstractmethod
    def context(
        self, model: Any, hidden: Float[Tensor, "b S E"], mask: Bool[Tensor, "b S"]
    ) -> dict[str, dict[str, Any]]:
        """For each kind of layer what it is called with beside the vectors."""

    def kind(self, layer: Any) -> str:
        """The kind of a layer, a key of `context`."""
        return ""

    def normalise(self, model: Any, hidden: Float[Tensor, "b S E"]) -> Float[Tensor, "b S E"]:
        """What follows the last layer; done to every layer's vectors before they are read."""
        return hidden


class Bert(Architecture):
    """BERT, and RoBERTa with its kin: every layer normalises and sees all subwords."""

    def layers(self, model: Any) -> Any:
        """Those of the encoder."""
        return model.encoder.layer

    def embed(self, model: Any, subwords: Int[Tensor, "b S"]) -> Float[Tensor, "b S E"]:
        """Subwords with their positions."""
        return model.embeddings(input_ids=subwords)

    def context(
        self, model: Any, hidden: Float[Tensor, "b S E"], mask: Bool[Tensor, "b S"]
    ) -> dict[str, dict[str, Any]]:
        """The mask that hides padding."""
        from transformers.masking_utils import create_bidirectional_mask  # noqa: PLC0415

        hides = create_bidirectional_mask(
            config=model.config, inputs_embeds=hidden, attention_mask=mask.long()
        )
        return {"": {"attention_mask": hides}}


class ModernBert(Architecture):
    """ModernBERT: norms before the layers, rotary positions, layers that see a window alone."""

    def layers(self, model: Any) -> Any:
        """Those of the model."""
        return model.layers

    def embed(self, model: Any, subwords: Int[Tensor, "b S"]) -> Float[Tensor, "b S E"]:
        """Subwords without positions."""
        return model.embeddings(input_ids=subwords)

    def context(
        self, model: Any, hidden: Float[Tensor, "b S E"], mask: Bool[Tensor, "b S"]
    ) -> dict[str, dict[str, Any]]:
        """Mask and rotations of layers that see all and of those that see a window."""
        from transformers.masking_utils import (  # noqa: PLC0415
            create_bidirectional_mask,
            create_bidirectional_sliding_window_mask,
        )

        makers = {
            "full_attention": create_bidirectional_mask,
            "sliding_attention": create_bidirectional_sliding_window_mask,
        }
        places = torch.arange(hidden.shape[1], device=hidden.device)[None]
        return {
            kind: {
                "attention_mask": makers[kind](
                    config=model.config, inputs_embeds=hidden, attention_mask=mask.long()
                ),
                "position_embeddings": model.rotary_emb(hidden, places, kind),
            }
            for kind in set(model.config.layer_types)
        }

    def kind(self, layer: Any) -> str:
        """What it sees."""
        return layer.attention_type

    def normalise(self, model: Any, hidden: Float[Tensor, "b S E"]) -> Float[Tensor, "b S E"]:
        """The norm that the model has after its last layer."""
        return model.final_norm(hidden)


ARCHITECTURES: dict[str, Architecture] = {
    "bert": Bert(),
    "roberta": Bert(),
    "xlm-roberta": Bert(),
    "camembert": Bert(),
    "modernbert": ModernBert(),
}
"""By the `model_type` of the configuration."""


class LayeredTransformer(Transformer):
    """A transformer whose layers are called one at a time.

    Args:
        source: the model and its tokenizer.

    Raises:
        SuiteError: a model whose layers are called in another way.
    """

    def __init__(self, source: PretrainedModel) -> None:
        super().__init__(source)
        kind = self.model.config.model_type
        if kind not in ARCHITECTURES:
            raise SuiteError(
                f"the layers of {source.source}, a {kind!r} model, cannot be called one by one",
                remedy=f"Name a model of one of these types: {', '.join(ARCHITECTURES)}.",
            )
        self.architecture = ARCHITECTURES[kind]

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.architecture.layers(self.model))

    def start(self, text: SubwordText) -> Midway:
        """The sentences before the first layer."""
        subwords = text.subwords
        mask, lengths = subwords.mask(), text.lengths
        hidden = self.architecture.embed(self.model, subwords.padded())
        words = torch.arange(int(lengths.max()), device=mask.device)
        owned = (text.owners.padded(-1)[:, None] == words[:, None]).float()
        pooling = owned / owned.sum(2, keepdim=True).clamp(min=1)
        rows = torch.arange(len(text), device=mask.device)
        context = self.architecture.context(self.model, hidden, mask)
        return Midway(rows, lengths, hidden, mask, pooling, context)

    def step(self, midway: Midway, layer: int) -> Midway:
        """The sentences after the layer, which counts from 0."""
        module = self.architecture.layers(self.model)[layer]
        context = midway.context[self.architecture.kind(module)]
        hidden = module(midway.hidden, **context)
        return replace(midway, hidden=hidden)

    def words(self, midway: Midway) -> Float[Tensor, "b N E"]:
        """Mean of each word's hidden states, zero at padding; after the last layer `forward`'s."""
        hidden: Tensor = self.architecture.normalise(self.model, midway.hidden)
        return midway.pooling @ hidden.float()

    def keep(self, midway: Midway, staying: Bool[Tensor, " b"]) -> Midway:
        """The sentences that stay, at least one, no wider than their longest."""
        kept = staying.nonzero()[:, 0]
        lengths, mask = midway.lengths[kept], midway.mask[kept]
        words, subwords = int(lengths.max()), int(mask.sum(1).max())
        mask, hidden = mask[:, :subwords], midway.hidden[kept, :subwords]
        pooling = midway.pooling[kept, :words, :subwords]
        context = self.architecture.context(self.model, hidden, mask)
        return Midway(midway.rows[kept], lengths, hidden, mask, pooling, context)
