"""What is known of a transformer beside its name: its family, and whether it is the papers'."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from suite.errors import SuiteError
from suite.modelling.encoder_kind import ROBERTA
from suite.modelling.pretrained import (
    ABSENT,
    MINILM_PACKAGE,
    UNTRAINED,
    PretrainedModel,
    find_pretrained,
)
from tests.corpus import SENTENCES

WORDS = [s.words for s in SENTENCES] * 4


def saved(folder: Path, config: Any) -> PretrainedModel:
    """A transformer by its folder, of which only tokenizer and configuration are there."""
    find_pretrained(UNTRAINED, WORDS).tokenizer.save_pretrained(folder)
    config.save_pretrained(folder)
    return find_pretrained(str(folder), WORDS)


@pytest.mark.parametrize("text", ["", "nope", "[]", "{}", "[" * 100_000, "\xff"])
def test_a_configuration_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text, encoding="latin-1")
    with pytest.raises(SuiteError, match="cannot be read") as caught:
        find_pretrained(str(tmp_path), WORDS)
    assert caught.value.where == str(tmp_path / "config.json")
    assert caught.value.remedy


def test_the_papers_encoder_is_known_by_its_sizes_wherever_it_lies(tmp_path: Path) -> None:
    from transformers import BertConfig

    found = saved(tmp_path / "a-copy", BertConfig(vocab_size=28996))
    assert (found.family, found.as_published, found.pretrained) == ("bert", True, True)
    fresh = found.with_fresh_weights()
    assert (fresh.as_published, fresh.pretrained) == (True, False)


@pytest.mark.parametrize("sizes", [{"vocab_size": 30522}, {"hidden_size": 384}])
def test_a_name_does_not_make_it_the_papers(tmp_path: Path, sizes: dict[str, int]) -> None:
    from transformers import BertConfig

    config = BertConfig(**{"vocab_size": 28996, **sizes})
    assert not saved(tmp_path / "bert-base-cased", config).as_published


@pytest.mark.parametrize("kind", ["roberta", "xlm-roberta", "camembert"])
def test_what_has_robertas_architecture_is_of_its_family(tmp_path: Path, kind: str) -> None:
    from transformers import AutoConfig

    config = AutoConfig.for_model(kind, vocab_size=60, max_position_embeddings=66)
    found = saved(tmp_path / "some-bert", config)
    assert (found.family, found.as_published, found.limit) == (ROBERTA, False, 64)


def test_the_untrained_one_is_nobodys() -> None:
    found = find_pretrained(UNTRAINED, WORDS)
    assert (found.family, found.as_published, found.pretrained) == ("modernbert", False, False)


def test_a_folder_without_a_configuration_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"folder without config\.json"):
        find_pretrained(str(tmp_path), WORDS)


def test_a_folder_without_a_tokenizer_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    from transformers import BertConfig

    BertConfig(vocab_size=60, hidden_size=16, num_attention_heads=2).save_pretrained(tmp_path)
    found = find_pretrained(str(tmp_path), WORDS)
    with pytest.raises(SuiteError, match="a tokenizer without words") as caught:
        found.read()
    assert "tokenizer.json" in str(caught.value)


def test_a_tokenizer_is_made_once_for_the_model_and_its_fresh_copies(tmp_path: Path) -> None:
    from transformers import BertConfig

    found = saved(tmp_path / "a-copy", BertConfig(vocab_size=28996))
    assert found.with_fresh_weights().tokenizer is found.tokenizer


def test_a_plan_names_an_encoder_that_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = find_pretrained("lab/other", WORDS, fetch=False)
    assert found.source == f"lab/other ({ABSENT})"
    with pytest.raises(SuiteError, match="without --dry-run"):
        found.make_model()


def test_what_a_plan_says_of_an_encoder_needs_no_import_of_transformers() -> None:
    script = """
import sys
from suite.modelling.pretrained import MINILM, UNTRAINED, find_pretrained
for name in (MINILM, UNTRAINED):
    print(find_pretrained(name, [["a"]]).source)
print("transformers" in sys.modules)
"""
    pytest.importorskip(MINILM_PACKAGE, reason="the package of minilm is not installed")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "False"
