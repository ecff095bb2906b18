"""What an encoder's name means, in every system that stands on one."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

import pytest

from suite.errors import SuiteError
from suite.modelling.encoders import Transformer
from suite.systems.encoders import EncoderSettings, OnEncoder
from suite.systems.registry import find_system, make_settings, system_names
from tests.corpus import CORPUS, resources

SYSTEMS = [s for s in map(find_system, system_names()) if issubclass(s, OnEncoder)]
NAMED = [
    (system, name)
    for system in SYSTEMS
    if system.over_vectors
    for name in get_args(get_type_hints(system.Settings)["encoder"])
]
"""Every system with a choice of encoders, with each of them."""
OVER_VECTORS = {"lstm", "bilstm", "convolution"}


def build(system: type[OnEncoder], *, pretrained: bool, **settings: Any) -> Any:
    schema, _ = CORPUS[min(system.tasks)]
    given = resources(pretrained=pretrained)
    return system.build(make_settings(system, settings), schema, given)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_a_missing_transformer_is_named_with_the_way_on(system: type[OnEncoder]) -> None:
    settings = {"encoder": "pretrained"} if system.over_vectors else {}
    with pytest.raises(SuiteError, match=f"{system.title} needs a pretrained encoder") as error:
        build(system, pretrained=False, **settings)
    said = str(error.value)
    assert "--pretrained" in said
    assert all(name in said for name in system.over_vectors)
    assert ("set its encoder" in said) == bool(system.over_vectors)


@pytest.mark.parametrize(("system", "encoder"), NAMED, ids=lambda x: getattr(x, "name", x))
def test_resources_are_those_that_the_encoder_is_made_of(
    system: type[OnEncoder], encoder: str
) -> None:
    needed = system.resources_needed(make_settings(system, {"encoder": encoder})) - {"parser"}
    on_vectors = encoder in OVER_VECTORS
    fresh = {"fresh weights"} if encoder == "random" else set()
    assert needed == ({"vectors"} if on_vectors else {"pretrained"} | fresh)
    made = build(system, pretrained=not on_vectors, encoder=encoder)
    assert isinstance(made.encoder, Transformer) != on_vectors
    assert (made.word_vectors() is not None) == on_vectors


@pytest.mark.parametrize("system", [s for s in SYSTEMS if not s.over_vectors], ids=lambda s: s.name)
def test_without_a_choice_it_is_the_transformer(system: type[OnEncoder]) -> None:
    assert system.resources_needed(system.Settings()) == {"pretrained"}
    assert build(system, pretrained=True).word_vectors() is None


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda s: s.name)
def test_a_pretrained_encoders_trained_parameters_are_told(system: type[OnEncoder]) -> None:
    settings = {"encoder": "pretrained"} if system.over_vectors else {}
    made = build(system, pretrained=True, **settings)
    assert not list(made.pretrained_parameters()), "the tests' own is not pretrained"
    made.encoder.pretrained = True
    first, *others = made.encoder.parameters()
    first.requires_grad_(False)
    told = {id(p) for p in made.pretrained_parameters()}
    assert told == {id(p) for p in others if p.requires_grad}


@pytest.mark.parametrize(
    "wrong", [{"lstm_width": 7}, {"lstm_width": 0}, {"lstm_dropout": 1.0}], ids=str
)
def test_settings_of_an_lstm_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EncoderSettings(**wrong)
    kinds = [s for s in SYSTEMS if issubclass(s.Settings, EncoderSettings)]
    assert len(kinds) > 2
    for system in kinds:
        with pytest.raises(SuiteError, match=next(iter(wrong))):
            make_settings(system, wrong)
