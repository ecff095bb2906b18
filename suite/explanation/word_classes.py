"""The classes of words over which explanations are averaged, by rules that anyone can apply."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal, get_args

from suite.tasks.examples import Sentence

WordClass = Literal[
    "entity boundary", "entity inside", "predicate", "function word", "punctuation", "other"
]
CLASSES: tuple[WordClass, ...] = get_args(WordClass)
"""In the order in which tables list them."""

PREPOSITIONS = (
    "about above across after against along amid among around as at before behind below beneath "
    "beside besides between beyond by despite down during except for from in inside into like near "
    "of off on onto out outside over per since through throughout till to toward towards under "
    "until up upon via with within without"
)
CONJUNCTIONS = (
    "and or but nor so yet if because although though while whereas unless whether than that when "
    "where"
)
DETERMINERS = (
    "a an the this these those each every either neither some any no all both another such which "
    "what whose"
)
PRONOUNS = (
    "i me my mine myself you your yours yourself yourselves he him his himself she her hers "
    "herself it its itself we us our ours ourselves they them their theirs themselves who whom "
    "there"
)
AUXILIARIES = (
    "be am is are was were been being have has had having do does did doing will would shall "
    "should can could may might must ought 'm 're 've 'll 'd"
)
PARTICLES = "not n't 's"
FUNCTION_WORDS = frozenset(
    " ".join((PREPOSITIONS, CONJUNCTIONS, DETERMINERS, PRONOUNS, AUXILIARIES, PARTICLES)).split()
)
"""Closed classes of English, in lower case."""
BRACKETS = frozenset(f"-{side}{kind}b-" for side in "lr" for kind in "rsc")
"""Names of brackets in treebanks, as NYT's files have them: `-LRB-`."""


def word_classes(sentence: Sentence, predicates: AbstractSet[int]) -> tuple[WordClass, ...]:
    """The class of each word.

    A first or last word of a gold entity is a boundary, of a nested one too.

    Args:
        sentence: with its gold entities.
        predicates: indices of words that a tree makes candidates
            (`suite.explanation.predicates`); those that are of an entity, a function word or
            punctuation are not taken.
    """
    boundary = {i for e in sentence.entities for i in (e.span.start, e.span.end - 1)}
    inside = {i for e in sentence.entities for i in range(*e.span)}

    def class_of(index: int, word: str) -> WordClass:
        if index in boundary:
            return "entity boundary"
        if index in inside:
            return "entity inside"
        if word in BRACKETS or not any(letter.isalnum() for letter in word):
            return "punctuation"
        if word in FUNCTION_WORDS:
            return "function word"
        return "predicate" if index in predicates else "other"

    return tuple(class_of(i, word.lower()) for i, word in enumerate(sentence.words))
