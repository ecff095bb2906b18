"""Naming a split by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from suite.tasks.examples import Example


def text_hash(words: Iterable[str]) -> str:
    """SHA-256 of the words with one space between them; equal texts have equal hashes."""
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()


def fingerprint(examples: Iterable[Example]) -> str:
    """SHA-256 over a canonical serialisation of the examples.

    Examples count in their order, since ids and batches follow it; what is a set within an
    example (triples, entities, facts) is sorted first. Ids, titles and evidence are left out.
    White space of the file has no part in it, so the public copies with pretty-printed JSON or
    trailing blanks and whitespace-normalised ones have the same fingerprint.
    """
    digest = hashlib.sha256()
    for example in examples:
        line = json.dumps(example.content(), ensure_ascii=True, separators=(",", ":"))
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()
