"""How texts that their files do not split become words."""

from __future__ import annotations

from functools import cache
from typing import Any

from suite.datasets.reading import SplitText
from suite.errors import SuiteError

CHARACTERS = "characters"
SPACY = "spacy:"
FORM = "As in --words characters, or --words spacy:en (spaCy's rules for a language; no model)."


def find_words_of(name: str | None) -> SplitText:
    """The rule that `--words` names.

    Args:
        name: `characters`, each of which is a word but for blanks; `spacy:LANG`, spaCy's rules for
            a language; None: words stand between white space.

    Raises:
        SuiteError: there is no such rule, or spaCy lacks what the language needs.
    """
    if name is None:
        return str.split
    if name == CHARACTERS:
        return lambda text: [character for character in text if not character.isspace()]
    if not name.startswith(SPACY) or name == SPACY:
        raise SuiteError(f"--words {name!r} is no rule to make words by", remedy=FORM)
    pipeline = _blank(name.removeprefix(SPACY))
    return lambda text: [token.text for token in pipeline.make_doc(text) if not token.is_space]


@cache
def _blank(language: str) -> Any:
    try:
        import spacy  # noqa: PLC0415 - a second of imports, for texts that are not split

        return spacy.blank(language)
    except ImportError as error:
        raise SuiteError(
            f"--words {SPACY}{language} needs what is not installed: {error}",
            remedy="Install spaCy and what it names, or use --words characters.",
        ) from error
