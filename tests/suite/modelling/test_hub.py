"""A pretrained encoder by its hub name: fetched once, then found in the cache without network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from suite.modelling.pretrained import UNTRAINED, find_pretrained
from tests.corpus import SENTENCES
from tests.suite.modelling.hub import COMMIT, serving

SCRIPT = """
import sys
from suite.errors import SuiteError
from suite.modelling.pretrained import find_pretrained
try:
    found = find_pretrained(sys.argv[1], [])
    model = found.make_model()
    print(found.source, found.limit, sum(float(p.detach().abs().sum()) for p in model.parameters()))
except SuiteError as error:
    print("refused:", error)
"""


def ask(name: str, cache: Path, **environment: str) -> str:
    variables = {**os.environ, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1", **environment}
    variables.pop("HF_HUB_OFFLINE", None)
    variables.update(environment)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, name],
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_hub_model_is_fetched_and_then_cached(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    find_pretrained(UNTRAINED, [s.words for s in SENTENCES] * 4).tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(folder)
    cache = tmp_path / "cache"
    with serving("lab/tiny", folder) as address:
        fetched = ask("lab/tiny", cache, HF_ENDPOINT=address)
        missing = ask("lab/unknown", cache, HF_ENDPOINT=address)
    assert fetched.startswith(f"lab/tiny (revision {COMMIT[:12]}) 64 ")
    assert missing.startswith("refused: the pretrained encoder 'lab/unknown'")
    again = ask("lab/tiny", cache, HF_HUB_OFFLINE="1")
    assert again == fetched, "the second time it comes from the cache, without network"
    local = ask(str(folder), cache, HF_HUB_OFFLINE="1")
    assert "(SHA-256 " in local
    assert local.split()[-2:] == fetched.split()[-2:]
    refused = ask("lab/other", cache, HF_HUB_OFFLINE="1")
    assert "hf download lab/other" in refused
    assert "--pretrained minilm" in refused
