"""Every claim of every paper, held against the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reports.claims.forms import Part, judge_form
from reports.claims.rows import Chosen, choose, gather
from reports.claims.verdict import Verdict, weakest
from reports.evidenced import EvidencedRun
from suite.records.evidence import Evidence
from suite.studies.claim import Claim, PaperClaims


@dataclass(frozen=True)
class Finding:
    """What the evidence says of a claim on a dataset.

    Attributes:
        claim: the claim.
        dataset: on which.
        parts: its comparisons, judged.
        chosen: the rows that tell of it; None where there are none.
    """

    claim: Claim
    dataset: str
    parts: tuple[Part, ...]
    chosen: Chosen | None

    @property
    def verdict(self) -> Verdict:
        """On all its parts together."""
        return weakest(part.verdict for part in self.parts)

    @property
    def own(self) -> bool:
        """Whether the paper says it of this dataset."""
        return self.dataset in self.claim.datasets

    @property
    def runs(self) -> list[EvidencedRun]:
        """The runs that its figures came from."""
        rows = self.chosen.rows.values() if self.chosen else ()
        return [run for row in rows for run in row.complete if isinstance(run, EvidencedRun)]


@dataclass(frozen=True)
class Judged:
    """All findings.

    Attributes:
        papers: each with its findings, in the order of its claims.
        runs: how many runs were looked at.
        twice: how many of them lay in several files, and count once.
    """

    papers: tuple[tuple[PaperClaims, tuple[Finding, ...]], ...]
    runs: int
    twice: int

    @property
    def findings(self) -> list[Finding]:
        """Of all papers."""
        return [finding for _, findings in self.papers for finding in findings]


def judge(papers: Iterable[PaperClaims], evidence: Mapping[str, Evidence]) -> Judged:
    """Holds claims against evidence.

    On a dataset that the paper does not speak of, a claim stands only where runs tell of it.

    Args:
        papers: with their claims.
        evidence: name -> evidence; of a run that lies in several, the first one's counts.
    """
    gathered = gather(evidence)

    def found(paper: PaperClaims) -> Iterator[Finding]:
        for claim in paper.claims:
            for dataset in claim.datasets + claim.elsewhere:
                finding = _judge(claim, dataset, choose(claim, dataset, gathered))
                if finding.own or any(part.found for part in finding.parts):
                    yield finding

    return Judged(
        tuple((paper, tuple(found(paper))) for paper in papers),
        sum(len(one.runs) for one in evidence.values()) - gathered.twice,
        gathered.twice,
    )


def _judge(claim: Claim, dataset: str, chosen: Chosen | str) -> Finding:
    parts = judge_form(claim.test, claim.find_study(), dataset, chosen)
    return Finding(claim, dataset, parts, None if isinstance(chosen, str) else chosen)
