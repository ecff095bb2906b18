"""The synthetic corpus of the task `triples`: made by the suite, so that a run needs no download.

It tells whether systems and suite work, and nothing about real text. Sentences follow a grammar
(`synthetic_grammar`, `synthetic_writer`); names are made up (`synthetic_names`) and those of dev
and test share no word with train, so that only the context tells types, boundaries and relations.
"""

from __future__ import annotations

from suite.datasets.dataset import Dataset
from suite.datasets.synthetic.grammar import PATTERNS, vocabulary
from suite.datasets.synthetic.names import Draws, Names
from suite.datasets.synthetic.splits import make_corpus
from suite.datasets.synthetic.writer import KINDS, TYPES, Writer, put_names
from suite.tasks.examples import Entity, Sentence, Span, Triple
from suite.tasks.schema import Schema

SHORTEST, LONGEST = 6, 45
"""Words of a sentence."""


def make_dataset(seed: int = 0, train: int = 2000, dev: int = 250, test: int = 500) -> Dataset:
    """Makes the corpus; equal arguments give it byte for byte.

    Splits are drawn apart: a larger train set begins with the smaller one, and changes neither dev
    nor test.

    Args:
        seed: any integer; another one gives other sentences and names.
        train: number of training sentences.
        dev: number of dev sentences.
        test: number of test sentences.

    Raises:
        SuiteError: a split of less than one sentence.
    """
    schema = Schema(
        task="triples",
        relations=tuple(pattern.relations[0] for pattern in PATTERNS),
        entity_types=TYPES,
        head_types={pattern.relations[0]: frozenset({pattern.head}) for pattern in PATTERNS},
    )
    sizes = {"train": train, "dev": dev, "test": test}
    return make_corpus("synthetic", "Synthetic", schema, seed, sizes, _sentence, vocabulary())


def _sentence(draws: Draws, names: Names, id: str) -> Sentence | None:
    """A sentence with its triples; a name's first place is the gold one."""
    writer = Writer(draws, names, KINDS)
    words, mentions = put_names(writer.write(), lambda entity: writer.entities[entity][1])
    if not SHORTEST <= len(words) <= LONGEST:
        return None
    first: dict[str, Span] = {}
    for entity, span in mentions:
        first.setdefault(f"#{entity}", span)
    triples = tuple(Triple(first[h], relation, first[t]) for h, relation, t in writer.triples)
    entities = tuple(Entity(span, writer.entities[entity][0]) for entity, span in mentions)
    return Sentence(id, tuple(words), triples, entities)
