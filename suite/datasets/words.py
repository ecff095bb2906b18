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
    language = name.removeprefix(SPACY)
    try:
        pipeline = spacy_rules(language)
    except SuiteError as error:
        raise SuiteError(
            f"--words {name}: {error.cause}", remedy=f"{error.remedy} Or use --words characters."
        ) from error
    return lambda text: [token.text for token in pipeline.make_doc(text) if not token.is_space]


@cache
def spacy_rules(language: str) -> Any:
    """The pipeline of spaCy's rules for a language, without any model.

    Raises:
        SuiteError: there are none, or spaCy lacks what the language needs.
    """
    try:
        import spacy  # noqa: PLC0415 - a second of imports, for texts that are not split

        return spacy.blank(language)
    except ImportError as error:
        raise SuiteError(
            f"spaCy's rules for the language {language!r} need what is not installed: "
            f"{' '.join(str(error).split())}",
            remedy="Install what it names, or name another language, as en (spacy.io/usage/models "
            "lists them).",
        ) from error
