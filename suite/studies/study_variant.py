"""Variants of a study: a table's lines, with what each changes besides a system's settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, ValidationError

from suite.errors import first_mistake
from suite.protocol import Protocol
from suite.studies.figures import refused
from suite.systems.variants import Variant


def _fields_of_protocol(changes: dict[str, Any]) -> dict[str, Any]:
    for name in changes:
        if name not in Protocol.model_fields:
            raise refused("field", name, Protocol.model_fields)
    try:
        Protocol.model_validate(changes)
    except ValidationError as error:
        raise ValueError(first_mistake(error)) from error
    return changes


ProtocolFields = Annotated[dict[str, Any], AfterValidator(_fields_of_protocol)]
"""Field of the protocol -> value."""


class StudyVariant(Variant):
    """A variant with what a table changes besides a system's settings.

    Attributes:
        settings_on: dataset -> settings that it has there besides, where a paper's differ.
        protocol: fields of the protocol that it changes, whatever the others are trained under.
        published: fields of the protocol that the paper states for it alone, for `--settings
            published`.
        train_share: part of the training examples that is trained on.
        pretrained: hub name of its transformer, where the table is about encoders; None: the
            command's.
        datasets: those of the study that it is for; empty: all.
        reference: the full model that it is held against; None: the study's.
        accepts: setting -> values under which a measured system is the published one; what they do
            not name is free. On a dataset where `settings_on` has another value, that one alone.
    """

    settings_on: dict[str, dict[str, Any]] = Field(default_factory=dict)
    protocol: ProtocolFields = Field(default_factory=dict)
    published: ProtocolFields = Field(default_factory=dict)
    train_share: float = Field(1.0, gt=0, le=1)
    pretrained: str | None = None
    datasets: tuple[str, ...] = ()
    reference: str | None = None
    accepts: dict[str, tuple[JsonValue, ...]] = Field(default_factory=dict)

    @property
    def as_it_is(self) -> bool:
        """Whether it changes nothing, so that it may be called as its system is."""
        whole = self.train_share == 1
        changed = self.settings or self.settings_on or self.protocol or self.pretrained
        return whole and not changed

    @property
    def content(self) -> str:
        """All that it trains and how, as JSON; equal where two variants are one."""
        kept = {
            *("system", "settings", "settings_on", "protocol", "published"),
            *("train_share", "pretrained"),
        }
        return json.dumps(self.model_dump(mode="json", include=kept), sort_keys=True)

    def settings_of(self, dataset: str) -> dict[str, Any]:
        """Those that differ from its system's defaults on a dataset."""
        return {**self.settings, **self.settings_on.get(dataset, {})}

    def accepted_on(self, dataset: str) -> dict[str, tuple[JsonValue, ...]]:
        """What a measured system's settings have to be on a dataset, as of `accepts`."""
        own = self.settings_on.get(dataset, {})
        return {name: (own[name],) if name in own else v for name, v in self.accepts.items()}

    def with_settings(self, changed: Mapping[str, Any]) -> Self:
        """The same with these settings on top, whatever the dataset."""
        kept = {
            dataset: {name: value for name, value in own.items() if name not in changed}
            for dataset, own in self.settings_on.items()
        }
        settings = {**self.settings, **changed}
        return self.model_copy(update={"settings": settings, "settings_on": kept})
