"""The task `docre`: the relations between the given entities of a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, cast

from suite.tasks.claims import Claim, End, WrongClaimError, ends_of
from suite.tasks.competition import competition_entries
from suite.tasks.conventions import Convention, of_facts
from suite.tasks.examples import Document, Fact, Span, SurfaceTriple
from suite.tasks.familiarity import (
    BOTH,
    NEITHER,
    ONE,
    PAIR,
    Known,
    Pair,
    familiarity,
    pairs_of,
)
from suite.tasks.items import Prediction
from suite.tasks.matching import Match, Matching, Wording
from suite.tasks.metric import Metric, counted
from suite.tasks.ranking import fact_wordings, names_of, rank_predicted
from suite.tasks.renaming import Name, Named, part, rename
from suite.tasks.task import ExampleCounts, Task

AnyFact = Fact | SurfaceTriple
"""A predicted one without a place names what is none of the given entities; it is wrong."""
FACT = "fact"
"""What is said of a fact that train has."""


class DocumentCounts(ExampleCounts):
    """A split of the task.

    Attributes:
        facts_across_sentences: facts whose head and tail have no mention in a common sentence.
    """

    sentences: int
    entities: int
    entities_by_type: dict[str, int]
    mentions: int
    facts: int
    relations: int
    facts_across_sentences: int


class Documents(Task[Document, AnyFact]):
    """Facts are matched by their relation and their two entities, whatever the rule."""

    name = "docre"
    title = "facts between the given entities of documents"
    tag = "document-level-relation-extraction"
    unit = "document"
    items = "facts"
    compared = "facts compared by relation and entities"
    rules: ClassVar[Mapping[Match, str]] = {"exact": ""}
    closing = (
        "The columns of dev are there because the paper reports dev; epoch and theta were chosen "
        "on it, so that they flatter."
    )
    statistic_names: ClassVar[Mapping[str, str]] = {
        "seen_share": "facts that stand in train (%)",
        "examples": "documents",
        "words mean": "words per document, mean",
        "words max": "words per document, most",
    }
    batch_field = "document_batch_size"
    evaluation_batch = 8
    ranked = True
    unlabelled_tests = True
    entities_given = True
    familiarities = (FACT, PAIR, BOTH, ONE, NEITHER)

    @classmethod
    def declared(cls) -> Iterable[Metric]:
        """Precision, recall and F1 of what is predicted, and measures along the ranking."""
        yield from counted(
            cls.rules,
            "P, R, F1: facts between given entities: relation, head and tail; the entities are not "
            "predicted.",
            {"precision": ("test",), "recall": ("test",), "f1": ("dev", "test")},
        )
        yield Metric(
            "theta",
            "theta (from dev)",
            "theta: the probability from which upwards a fact is predicted; it is fitted on dev, "
            "where it makes F1 best, and test takes it as it is.",
            columns=("dev",),
            share=False,
            digits=4,
            fitted=True,
            of_ranking=lambda ranking, theta: theta,
        )
        yield Metric(
            "ign_f1",
            "Ign F1",
            "Ign F1: precision leaves out the facts that train has too; recall keeps them.",
            columns=("dev", "test"),
            of_ranking=lambda ranking, theta: ranking.ign_f1(theta),
        )
        yield Metric(
            "auc",
            "AUC",
            "AUC: the area under precision over recall along all scored facts.",
            columns=("dev", "test"),
            of_ranking=lambda ranking, theta: ranking.auc,
        )
        yield Metric(
            "ign_auc",
            "Ign AUC",
            "Ign AUC: likewise, with the precision of Ign F1.",
            of_ranking=lambda ranking, theta: ranking.ign_auc,
        )

    def gold(self, example: Document) -> list[AnyFact]:
        """The facts."""
        return list(example.facts)

    def key(self, example: Document, item: AnyFact, matching: Matching, match: Match) -> Hashable:
        """Relation and both entities; evidence has no part in it."""
        del example, matching, match
        return item.head, item.relation, item.tail

    def wordings(self, example: Document, item: AnyFact) -> set[Wording]:
        """As Ign F1 has it, by the names of any mention of each entity."""
        return {tuple(item)} if isinstance(item, SurfaceTriple) else fact_wordings(example, item)

    def known(self, examples: Iterable[Document]) -> Known:
        """Facts, pairs and entities, each entity by the names of all its mentions."""
        facts: set[Wording] = set()
        pairs: set[Pair] = set()
        entities: set[str] = set()
        for document in examples:
            names = [names_of(document, entity) for entity in document.entities]
            entities.update(*names)
            for fact in document.facts:
                facts |= fact_wordings(document, fact)
                pairs |= pairs_of(names[fact.head], names[fact.tail])
        return Known(frozenset(facts), frozenset(pairs), frozenset(entities))

    def familiarity(self, example: Document, item: AnyFact, known: Known) -> str:
        """By any names of the mentions of head and tail."""
        if isinstance(item, SurfaceTriple):
            return familiarity({item.head}, item.relation, {item.tail}, known, FACT)
        head, tail = (names_of(example, example.entities[i]) for i in (item.head, item.tail))
        return familiarity(head, item.relation, tail, known, FACT)

    def conventions(self, match: Match, matching: Matching) -> list[Convention]:
        """Those of facts."""
        del match, matching
        return of_facts()

    def named(self, example: Document, *, by_part: bool) -> list[Named]:
        """Each entity by its mentions."""
        parts: list[set[str]] = [set() for _ in example.entities]
        for fact in example.facts:
            parts[fact.head].add(part(fact.relation, "head"))
            parts[fact.tail].add(part(fact.relation, "tail"))
        found = []
        for entity, own in zip(example.entities, parts, strict=True):
            spans = sorted({mention.span for mention in entity.mentions})
            places = {span: example.words[span.start : span.end] for span in spans}
            kinds = frozenset(own if by_part else {entity.type})
            found.append(Named(tuple(dict.fromkeys(places.values())), places, kinds))
        return found

    def renamed(self, example: Document, names: Mapping[Span, Name]) -> Document:
        """Mentions are called by their words then; a sentence begins no earlier than it did."""
        found = rename(example.words, names)
        entities = tuple(
            replace(
                entity,
                name=" ".join(names.get(entity.mentions[0].span, (entity.name,))),
                mentions=tuple(
                    mention._replace(
                        span=found.moved(mention.span),
                        name="" if mention.span in names else mention.name,
                    )
                    for mention in entity.mentions
                ),
            )
            for entity in example.entities
        )
        starts = (min(n for o, n in found.at.items() if o >= s) for s in example.sentence_starts)
        return replace(example, words=found.words, entities=entities, sentence_starts=tuple(starts))

    def shown(self, example: Document, item: AnyFact) -> list[object]:
        """Names of head and tail with the relation between them, then the entities' indices."""
        if isinstance(item, SurfaceTriple):
            return list(item)
        head, tail = example.entities[item.head], example.entities[item.tail]
        return [head.name, item.relation, tail.name, item.head, item.tail]

    def item_of(self, example: Document, claim: Claim, occurrence: int) -> AnyFact:
        """Entities by index, or by the name of any of their mentions."""
        del occurrence
        head, tail = ends_of(claim, 2, self.items)
        from_, to = _entity(example, head), _entity(example, tail)
        if from_ is not None and to is not None:
            return Fact(from_, claim.label, to)
        return SurfaceTriple(_called(example, head), claim.label, _called(example, tail))

    def measures_of(
        self,
        examples: Sequence[Document],
        predictions: Sequence[Sequence[Prediction]],
        in_train: AbstractSet[Wording],
    ) -> dict[str, float]:
        """Ign F1; the areas under curves need the facts that were not predicted, too."""
        facts = [[cast(AnyFact, p.item) for p in row] for row in predictions]
        found = [{(f.head, f.relation, f.tail) for f in row} for row in facts]
        return {"ign_f1": rank_predicted(examples, found, in_train).ign_f1(1.0)}

    def slices_of_example(self, example: Document, gold: int) -> dict[str, list[str]]:
        """None."""
        del example, gold
        return {}

    def slices_of_items(self, example: Document) -> dict[str, Callable[[AnyFact], str]]:
        """The relation, and whether a sentence mentions both entities."""
        return {
            "relation": lambda fact: fact.relation,
            "distance": partial(_distance_slice, example),
        }

    def count(
        self, examples: Sequence[Document], max_words: int, common: Mapping[str, Any]
    ) -> DocumentCounts:
        """Sentences, entities, mentions and facts; a document is not cut."""
        del max_words
        types = Counter(kind for d in examples for kind in d.types())
        return DocumentCounts(
            **common,
            sentences=sum(len(d.sentence_starts) for d in examples),
            entities=sum(len(d.entities) for d in examples),
            entities_by_type=dict(sorted(types.items())),
            mentions=sum(len(e.mentions) for d in examples for e in d.entities),
            facts=sum(len(d.facts) for d in examples),
            relations=len({r for d in examples for r in d.relations()}),
            facts_across_sentences=sum(_is_across(d, f) for d in examples for f in d.facts),
        )

    def competition_entries(
        self, examples: Sequence[Document], predictions: Sequence[Sequence[Prediction]]
    ) -> list[dict[str, Any]]:
        """The `result.json` of the DocRED competition."""
        return competition_entries(examples, predictions)


def _is_across(document: Document, fact: Fact) -> bool:
    """Whether no sentence mentions both entities of a fact."""
    head, tail = (
        {mention.sentence for mention in document.entities[i].mentions}
        for i in (fact.head, fact.tail)
    )
    return head.isdisjoint(tail)


def _entity(document: Document, end: End) -> int | None:
    """The index of the first entity that is meant; None where a name is none of theirs."""
    if isinstance(end, Span):
        raise WrongClaimError("names words by their place, and facts are between given entities")
    if isinstance(end, int):
        if not 0 <= end < len(document.entities):
            raise WrongClaimError(
                f"{end} is not an index of the {len(document.entities)} entities, from 0"
            )
        return end
    wanted = "".join(end.split())
    for index, entity in enumerate(document.entities):
        names = {entity.name, *names_of(document, entity)}
        if wanted in {"".join(name.split()) for name in names}:
            return index
    return None


def _called(document: Document, end: End) -> str:
    return document.entities[end].name if isinstance(end, int) else " ".join(str(end).split())


def _distance_slice(document: Document, fact: AnyFact) -> str:
    if isinstance(fact, SurfaceTriple):
        return "not between given entities"
    return "across sentences" if _is_across(document, fact) else "in a sentence"
