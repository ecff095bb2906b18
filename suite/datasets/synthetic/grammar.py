"""The wording of the synthetic corpus: relations, and what is said around them.

Notation: `(a|b|)` is one of the alternatives; `$name` is one of `PHRASES[name]`; `@h` and `@t` are
head and tail, `@x` an entity that the relation does not hold with, `@PER` a bystander of that type;
`!` after them forbids a cue (`the city of`) in front. No entity follows another directly, and no
word that may stand inside a name (`of`) follows one, so that boundaries can be told without knowing
the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True)
class Phrasing:
    """How relations between one head and one tail are put into words.

    Attributes:
        relations: the relations that the wording states, several for an overlapping pair.
        head, tail: entity types.
        verbs: predicates with the head as subject.
        inverse: whole clauses in which the tail comes first.
        nouns: appositions to the head; they end in the tail.
        plural: predicates of several heads with one tail.
        several: predicates of one head with several tails.
        negations: predicates about `@x` after which the relation does not hold.
    """

    relations: tuple[str, ...]
    head: str
    tail: str
    verbs: tuple[str, ...]
    inverse: tuple[str, ...]
    nouns: tuple[str, ...] = ()
    plural: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()


PATTERNS = (
    Phrasing(
        ("born_in",), "PER", "LOC",
        verbs=("was born in @t", "was born (to poor parents|during the war|$time) in @t",
               "is a native of @t"),
        inverse=("@t is the birthplace of @h", "@t , where @h was born , $LOC_did",
                 "it was in @t that @h was born"),
        nouns=("a native of @t", "born $time in @t"),
        plural=("were (both |)born in @t", "are (both |)natives of @t"),
        negations=("was not born in @x", "is not a native of @x"),
    ),
    Phrasing(
        ("lives_in",), "PER", "LOC",
        verbs=("(now |still |)lives in @t", "has (quietly |)lived $since in @t",
               "is a resident of @t", "has settled (for good |)in @t", "lives in @t with a $job"),
        inverse=("@t has been the home of @h $since",
                 "@t , where @h (now |still |)lives , $LOC_did",
                 "the residents of @t include @h"),
        nouns=("a resident of @t", "now living in @t"),
        plural=("(now |)live in @t", "have settled in @t"),
        negations=("has never lived in @x", "would like to live in @x", "refused to settle in @x"),
    ),
    Phrasing(
        ("works_for",), "PER", "ORG",
        verbs=("(now |still |)works for @t", "is employed (as a $job |)by @t",
               "is a $job at @t", "works for @t as a $job"),
        inverse=("@t employs @h (as a $job|)", "@t has hired @h $time",
                 "@t , the employer of @h , $ORG_did"),
        nouns=("a $job at @t", "an employee of @t"),
        plural=("(now |)work for @t", "are employed by @t"),
        negations=("has never worked for @x", "turned down a post at @x", "hoped to work for @x"),
    ),
    Phrasing(
        ("founder_of",), "PER", "ORG",
        verbs=("founded @t ($time|)", "set up @t with borrowed money", "is the founder of @t",
               "established (the firm |)@t!"),
        inverse=("@t was founded ($time |)by @h", "@t , founded $time by @h , $ORG_did",
                 "@t has @h as its founder"),
        nouns=("the founder of @t", "who once founded @t"),
        plural=("(together |)founded @t", "are the founders of @t"),
        several=("founded @t", "is the founder of @t"),
        negations=("did not found @x", "was wrongly called the founder of @x"),
    ),
    Phrasing(
        ("parent_of",), "PER", "PER",
        verbs=("is the (father|mother) of @t", "has a (son|daughter) named @t",
               "raised a child , @t", "taught @t , an only child , to read"),
        inverse=("@t is the (son|daughter) of @h", "@t , whose (father|mother) is @h , $PER_did",
                 "@t was raised by @h , a strict parent"),
        nouns=("the (father|mother) of @t", "a parent of @t"),
        plural=("are the parents of @t", "have a (son|daughter) named @t"),
        several=("is the (father|mother) of @t",),
        negations=("is not the (father|mother) of @x", "is no parent of @x"),
    ),
    Phrasing(
        ("author_of",), "PER", "OTH",
        verbs=("wrote @t ($time|)", "is the author of @t", "finished writing @t $time",
               "published a (novel|play) called @t!"),
        inverse=("@t was written ($time |)by @h", "@t , a (novel|play) by @h , $OTH_did",
                 "@t is the best known work of @h"),
        nouns=("the author of @t", "who wrote @t"),
        plural=("(together |)wrote @t", "are the authors of @t"),
        several=("wrote @t", "is the author of @t"),
        negations=("did not write @x", "has never finished reading @x",
                   "was wrongly called the author of @x"),
    ),
    Phrasing(
        ("headquartered_in",), "ORG", "LOC",
        verbs=("is based in @t", "has its head office in @t", "is run from an office in @t",
               "moved its head office to @t ($time|)"),
        inverse=("@t houses the head office of @h", "@t , where @h is based , $LOC_did",
                 "it is from @t that @h is run"),
        nouns=("based in @t", "a firm with its head office in @t"),
        plural=("are based in @t", "have their head offices in @t"),
        negations=("is not based in @x", "closed its only shop in @x", "has no office in @x"),
    ),
    Phrasing(
        ("acquired",), "ORG", "ORG",
        verbs=("bought @t ($time|)", "took over @t", "is the owner of @t",
               "acquired @t for (two|ten) million dollars"),
        inverse=("@t was (bought|acquired) ($time |)by @h", "@t , owned by @h , $ORG_did",
                 "@t was taken over by @h"),
        nouns=("the owner of @t", "which (also |)bought @t"),
        plural=("(together |)bought @t", "are the owners of @t"),
        several=("bought @t", "took over @t"),
        negations=("failed to buy @x", "denied that it would take over @x", "has not acquired @x"),
    ),
    Phrasing(
        ("producer_of",), "ORG", "OTH",
        verbs=("produced @t ($time|)", "is the producer of @t", "spent a year producing @t",
               "paid for and produced @t"),
        inverse=("@t was produced ($time |)by @h", "@t , produced by @h , $OTH_did",
                 "@t has @h as its producer"),
        nouns=("the producer of @t", "which (also |)produced @t"),
        plural=("(together |)produced @t", "are the producers of @t"),
        several=("produced @t", "is the producer of @t"),
        negations=("refused to produce @x", "did not produce @x"),
    ),
    Phrasing(
        ("capital_of",), "LOC", "LOC",
        verbs=("is the capital of @t", "has been the capital of @t $since",
               "became the capital of @t ($time|)", "serves as the capital of @t"),
        inverse=("the capital of @t is @h", "@t has @h as its capital",
                 "@t is governed from its capital , @h"),
        nouns=("the capital of @t", "(also |)known as the capital of @t"),
        negations=("is not the capital of @x", "hoped to become the capital of @x"),
    ),
    Phrasing(
        ("located_in",), "LOC", "LOC",
        verbs=("lies in (the $side of |)@t", "is located in @t", "is a (town|port|district) in @t",
               "lies $side of the mountains in @t"),
        inverse=("@t includes (the district of |)@h!", "@t , in which @h lies , $LOC_did",
                 "one of the oldest towns in @t is @h"),
        nouns=("a (town|port|district) in @t", "located in @t"),
        plural=("(both |)lie in @t", "are (towns|ports) in @t"),
        negations=("lies far from @x", "does not lie in @x"),
    ),
    Phrasing(
        ("set_in",), "OTH", "LOC",
        verbs=("is set in @t", "takes place in @t", "tells a story that is set in @t",
               "takes its readers to a house in @t"),
        inverse=("@t is the scene of @h", "@t , where @h is set , $LOC_did",
                 "it is in @t that @h takes place"),
        nouns=("a story set in @t", "set in @t"),
        plural=("are set in @t", "(both |)take place in @t"),
        several=("is set in @t", "takes place in @t"),
        negations=("is not set in @x", "was never shown in @x"),
    ),
)  # fmt: skip

OVERLAPPING = (
    Phrasing(
        ("born_in", "lives_in"), "PER", "LOC",
        verbs=("was born in @t and still lives there", "was born and (still |)lives in @t",
               "is a native and a resident of @t"),
        inverse=("@t is both the birthplace and the home of @h",
                 "@t , where @h was born and (now |still |)lives , $LOC_did"),
    ),
    Phrasing(
        ("founder_of", "works_for"), "PER", "ORG",
        verbs=("founded @t ($time |)and still works there", "is the founder and an employee of @t",
               "set up @t and works there as a $job"),
        inverse=("@t was founded by @h and still employs its founder",
                 "@t employs its own founder , @h"),
    ),
    Phrasing(
        ("capital_of", "located_in"), "LOC", "LOC",
        verbs=("lies in the $side of @t and is its capital",
               "is the capital of @t and lies in its $side",
               "is both a port in @t and its capital"),
        inverse=("@t has its capital , @h , in the $side of the country",
                 "the capital of @t is the port of @h!"),
    ),
)  # fmt: skip
"""Pairs between which two relations hold at once (EPO)."""

CUES = {
    "PER": ("Dr.", "Mrs.", "the (engineer|judge)", "the (young|old) lawyer"),
    "ORG": ("the company", "the publisher", "the (film |local |)studio", "the bank"),
    "LOC": ("the city of", "the (old |small |)town of", "the region of", "the island of"),
    "OTH": ("the novel", "the play", "the (long |new |)series", "the film"),
}
"""What may stand in front of a name, never part of it."""

PHRASES = {
    "time": ("last year", "in $year", "in the spring of $year", "(two|ten) years ago",
             "after the war"),
    "since": ("since $year", "since the war", "for (two|ten) years"),
    "year": ("1952", "1968", "1987", "1999", "2011"),
    "side": ("north", "south", "east", "west"),
    "job": ("clerk", "lawyer", "driver", "cook", "night guard"),
    "adverb": ("reportedly", "in the end", "by all accounts"),
    "PER_did": ("caught the last train home", "made a speech $time", "fell ill $time",
                "praised @OTH in a letter"),
    "ORG_did": ("lost money $time", "raised its prices", "lost a lawsuit against @ORG",
                "sent a letter to @PER"),
    "LOC_did": ("was hit by a storm $time", "drew large crowds $time", "has a fine market",
                "was once visited by @PER"),
    "OTH_did": ("won two prizes $time", "was praised by the critics", "sold badly $time",
                "was reviewed by @PER"),
    "PER_aside": ("who rarely speaks in public", "tired after the long journey",
                  "an admirer of @PER", "who met @PER $time"),
    "ORG_aside": ("once a small family firm", "whose prices fell $time", "a rival of @ORG",
                  "which was sued by @PER $time"),
    "LOC_aside": ("famous for its old market", "where it rains most of the year",
                  "a long way from @LOC", "which @PER visited $time"),
    "OTH_aside": ("praised by most critics", "which took ten years to finish",
                  "often compared with @OTH", "which @PER did not like"),
    "opener": ("$adverb ,", "$time ,", "according to the report ,", "after a long dispute ,",
               "it is well known that", "few readers remember that",
               "a spokesman for @ORG confirmed that",
               "in a letter to @PER , the minister wrote that"),
    "closer": (", the paper said", ", although nobody noticed it", ", as everybody knows",
               ", the minister told reporters $time", ", according to an old friend of @PER",
               ", but few people in @LOC believe it", ", a report by @ORG shows"),
    "and": (", while", ", and", "; meanwhile ,", ", but"),
    "again": (", as @again said later", ", and @again is proud of it",
              ", although @again would not comment"),
    "encounter": ("@PER met @PER (in @LOC |)$time", "@PER flew from @LOC to @LOC $time",
                  "@ORG lost a lawsuit against @ORG", "@PER praised @OTH in a speech",
                  "@ORG and @ORG ended their talks $time", "@PER reviewed @OTH $time",
                  "the road from @LOC to @LOC was closed", "@OTH was compared with @OTH",
                  "@PER , @PER and @PER played cards all night",
                  "@PER complained about @ORG $time", "a storm hit @LOC and @LOC $time"),
    "nothing": ("nobody noticed that the $matter had ended $time",
                "the $matter has ended , and the $matter will be long",
                "(most|few) critics complained about the $matter $time",
                "the reporters said (after the $matter |$time |)that the $matter would be long",
                "the founder of the firm was born in the city and lives in the $side $since",
                "the author of the novel works as a $job for a bank in the $side",
                "the capital of the region lies in the $side , far from the old port"),
    "matter": ("meeting", "trial", "strike", "journey"),
}  # fmt: skip
"""Everything that states no relation."""

NESTINGS = {
    "PER": ("Duke of @LOC", "@PER Junior"),
    "ORG": ("University of @LOC", "Bank of @LOC", "Friends of @OTH", "@LOC Institute",
            "@PER Foundation", "@ORG Press", "@ORG Office of @LOC"),
    "LOC": ("Mount @PER", "@LOC Harbour"),
    "OTH": ("Songs of @LOC", "Life of @PER", "Return of @OTH"),
}  # fmt: skip
"""Names that hold names.

Types keep readings apart: in `Duke of Lumis Harbour`, only a LOC has a harbour, so that the duke is
not its; no wording may be added under which he could be.
"""

REFERENCES = {
    "PER": "(this|the same) person",
    "ORG": "(this|the same) firm",
    "LOC": "(this|the same) place",
    "OTH": "(this|the same) work",
}
"""What stands for an entity of the sentence before, the only one of its type there."""


def vocabulary(more: Iterable[str] = ()) -> frozenset[str]:
    """All words of the grammar, lowercased; a name that had one could not be told from it.

    Args:
        more: what a corpus says beside the grammar's wordings.
    """
    wordings = [*chain(*CUES.values(), *PHRASES.values()), *more]
    for p in PATTERNS + OVERLAPPING:
        wordings += [*p.verbs, *p.inverse, *p.nouns, *p.plural, *p.several, *p.negations]
    return frozenset(re.sub(r"[()|]", " ", " ".join(wordings)).lower().split())
