"""From words to vectors: word vectors, a BiLSTM over them, a pretrained transformer.

Letters in shapes: B sentences, N words, S subwords, E width of the vectors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from suite.modelling.batch import Text
from suite.modelling.pretrained import PretrainedModel
from suite.modelling.ragged import Ragged
from suite.modelling.word_vectors import PADDING, UNKNOWN, WordVectors


class WordEmbedding(nn.Module):
    """Looks word vectors up; random ones are trained, with words dropped to the unknown one.

    Args:
        vectors: the vocabulary and its vectors.
        unknown_rate: share of words that training replaces by the unknown word where vectors are
            trained, so that its vector means something at test.
    """

    def __init__(self, vectors: WordVectors, unknown_rate: float = 0.05) -> None:
        super().__init__()
        self.vectors = vectors
        self.width = vectors.width
        self.unknown_rate = unknown_rate if vectors.trained else 0.0
        drawn = vectors.matrix
        if drawn is None:
            drawn = torch.randn(vectors.rows, vectors.width) * vectors.width**-0.5
            drawn[PADDING] = 0
        if vectors.trained:
            self.table: Tensor = nn.Parameter(drawn.clone())
        else:
            # Not persistent: frozen vectors are a resource, not something a checkpoint learned.
            self.register_buffer("table", drawn, persistent=False)

    def encode(self, sentences: Iterable[Sequence[str]]) -> Text:
        """For each word its row in the table."""
        return Text(Ragged.from_rows([self.vectors.look_up(words) for words in sentences]))

    def forward(self, text: Text) -> Float[Tensor, "B N E"]:
        """The words' vectors, zero at padding."""
        ids: Int[Tensor, "B N"] = text.words.padded(PADDING)
        if self.training and self.unknown_rate:
            dropped = (torch.rand(ids.shape, device=ids.device) < self.unknown_rate) & (ids > 0)
            ids = ids.masked_fill(dropped, UNKNOWN)
        return self.look_up(ids)

    def look_up(self, ids: Int[Tensor, "B N"]) -> Float[Tensor, "B N E"]:
        """The vectors of rows, of which those past the table are other words'."""
        others, rows = self.vectors.others, len(self.table)
        if others is None or int(ids.max()) < rows:
            return nn.functional.embedding(ids, self.table)
        other = ids >= rows
        found = nn.functional.embedding(ids.masked_fill(other, UNKNOWN), self.table)
        return found.masked_scatter(other[..., None], others.vectors(ids[other] - rows))


class TextEncoder(nn.Module, ABC):
    """What reads a text.

    Attributes:
        width: E, of the vectors that it gives.
        pretrained: whether its parameters come from a training before.
    """

    width: int
    pretrained: bool = False

    @abstractmethod
    def encode(self, sentences: Iterable[Sequence[str]]) -> Text:
        """What `forward` takes, from the words of each sentence."""

    def pretrained_parameters(self) -> Iterator[nn.Parameter]:
        """Those that were trained before and are trained on."""
        if self.pretrained:
            yield from (p for p in self.parameters() if p.requires_grad)

    def word_vectors(self) -> Tensor | None:
        """Its table of word vectors; None without one."""
        return None


class BiLSTM(TextEncoder):
    """A bidirectional LSTM over word vectors.

    Each direction is an LSTM of its own over padded sentences, those of the second one reversed
    within their length. Packed sentences, as torch's bidirectional LSTM wants them, take twice as
    long on the CPU: their kernel makes a matrix product for each word and direction.

    Args:
        vectors: the vocabulary and its vectors.
        widths: of each layer's output, both directions together; the last is the encoder's.
    """

    def __init__(self, vectors: WordVectors, *widths: int) -> None:
        super().__init__()
        self.words = WordEmbedding(vectors)
        self.width = widths[-1]
        sizes = [*pairwise((vectors.width, *widths))]
        self.left_to_right = nn.ModuleList(nn.LSTM(n, w // 2, batch_first=True) for n, w in sizes)
        self.right_to_left = nn.ModuleList(nn.LSTM(n, w // 2, batch_first=True) for n, w in sizes)

    def encode(self, sentences: Iterable[Sequence[str]]) -> Text:
        """As the word vectors do."""
        return self.words.encode(sentences)

    def word_vectors(self) -> Tensor:
        """The word embedding's."""
        return self.words.table

    def forward(self, text: Text) -> Float[Tensor, "B N E"]:
        """Hidden states of both directions, zero at padding."""
        x = self.words(text)
        if x.is_cpu and torch.is_autocast_enabled("cpu") and not _has_bfloat16_lstm():
            with torch.autocast("cpu", enabled=False):
                return self._both_ways(x, text)
        return self._both_ways(x, text)

    def _both_ways(self, x: Float[Tensor, "B N V"], text: Text) -> Float[Tensor, "B N E"]:
        places = torch.arange(x.shape[1], device=x.device)
        lengths = text.lengths[:, None]
        # Its own inverse; padding, which is read after the sentence, stays where it is.
        backwards = torch.where(places < lengths, lengths - 1 - places, places)[..., None]
        for ahead, back in zip(self.left_to_right, self.right_to_left, strict=True):
            y = back(x.gather(1, backwards.expand_as(x)))[0]
            x = torch.cat([ahead(x)[0], y.gather(1, backwards.expand_as(y))], dim=2)
        return x * text.words.mask()[..., None]


@cache
def _has_bfloat16_lstm() -> bool:
    """Whether the CPU's LSTM computes in bfloat16: oneDNN's fails on processors without AVX-512."""
    one_dnn = torch.backends.mkldnn.is_available()
    return not one_dnn or torch.ops.mkldnn._is_mkldnn_bf16_supported()


@dataclass(frozen=True)
class SubwordText(Text):
    """What a transformer reads; its words are place holders, which tell how many there are.

    Attributes:
        subwords: ids of the tokenizer.
        owners: the word of each subword, -1 for special ones.
    """

    subwords: Ragged
    owners: Ragged


@dataclass
class SubwordTable:
    """Subwords of words, each word tokenised once: a word's subwords do not depend on others.

    Attributes:
        tokenizer: a fast tokenizer of `transformers`.
        limit: subwords of a sentence that the model can read, special ones included.
    """

    tokenizer: object
    limit: int
    known: dict[str, list[int]] = field(default_factory=dict)

    def rows(self, sentences: Sequence[Sequence[str]]) -> tuple[list[list[int]], list[list[int]]]:
        """For each sentence its subword ids and the word of each, -1 for special ones.

        A sentence of more subwords than the model reads keeps the first ones of each word.
        """
        new = sorted({w for words in sentences for w in words} - self.known.keys())
        if new:
            split = [[w] for w in new]
            ids = self.tokenizer(split, is_split_into_words=True, add_special_tokens=False)  # type: ignore[operator]
            unknown = [self.tokenizer.unk_token_id]  # type: ignore[attr-defined]
            self.known.update(zip(new, (i or unknown for i in ids["input_ids"]), strict=True))
        first = self.tokenizer.cls_token_id  # type: ignore[attr-defined]
        last = self.tokenizer.sep_token_id  # type: ignore[attr-defined]
        all_ids, all_words = [], []
        for words in sentences:
            pieces = [self.known[w] for w in words]
            if sum(map(len, pieces)) > self.limit - 2:
                most = max(1, (self.limit - 2) // len(words))
                pieces = [p[:most] for p in pieces]
            owners = [i for i, p in enumerate(pieces) for _ in p]
            all_ids.append([first, *(i for p in pieces for i in p), last])
            all_words.append([-1, *owners, -1])
        return all_ids, all_words


class Transformer(TextEncoder):
    """A transformer whose subwords are pooled to words by their mean.

    Args:
        source: the model and its tokenizer.
    """

    def __init__(self, source: PretrainedModel) -> None:
        super().__init__()
        self.model = source.make_model()
        self.width = int(self.model.config.hidden_size)
        self.pretrained = source.pretrained
        self.subwords = SubwordTable(source.tokenizer, source.limit)

    def encode(self, sentences: Iterable[Sequence[str]]) -> SubwordText:
        """Subwords, with the word of each."""
        held = list(sentences)
        ids, owners = self.subwords.rows(held)
        return SubwordText(
            words=Ragged.from_rows([range(len(words)) for words in held]),
            subwords=Ragged.from_rows(ids),
            owners=Ragged.from_rows(owners),
        )

    def forward(self, text: SubwordText) -> Float[Tensor, "B N E"]:
        """Mean of each word's last hidden states, zero at padding."""
        subwords, owners = text.subwords, text.owners
        mask = subwords.mask()
        hidden = self.model(
            input_ids=subwords.padded(), attention_mask=mask.long()
        ).last_hidden_state
        rows, words = len(text), int(text.lengths.max())
        inner = owners.values >= 0
        target = (owners.owners * words + owners.values)[inner]
        flat = hidden[mask][inner].float()
        sums = flat.new_zeros(rows * words, self.width).index_add(0, target, flat)
        counts = flat.new_zeros(rows * words).index_add(0, target, flat.new_ones(len(target)))
        return (sums / counts.clamp(min=1)[:, None]).view(rows, words, self.width)
