"""The datasets that are known by name."""

from __future__ import annotations

from dataclasses import replace

from suite.datasets.catalogue.entry import Entry, PublishedSize, RemoteFile, Source
from suite.datasets.catalogue.relation_types import (
    DOCRED_RELATIONS,
    NYT10_TYPES,
    NYT11_TYPES,
    NYT24_TYPES,
)
from suite.tasks.examples import TaskName
from suite.tasks.schema import ANY

_FASTRE = "Li et al., IJCAI 2022 (FastRE), Table 1"
_PRGC = "Zheng et al., ACL 2021 (PRGC); hy-struggle/PRGC 8bbaf34"
_CASREL_CUT = "pvcastro/CasRel 0bebd9b, which holds out 0.5 % of train as dev"
_NYT_LICENCE = (
    "annotations by the cited authors; the sentences are from the New York Times Annotated Corpus "
    "(LDC2008T19), for research under its agreement"
)
_WEBNLG_LICENCE = "CC BY-NC-SA 4.0 (WebNLG 2017)"
_PRGC_COMMIT = "8bbaf340472d232f09a0b8004457b712e1ff1a66"
_CASREL_COMMIT = "0bebd9b3f9d4e56796ccf071d13fa8da0b50fff0"

NYT10 = Entry(
    name="nyt10",
    title="NYT10",
    task="triples",
    licence=_NYT_LICENCE,
    citation="Riedel et al., ECML-PKDD 2010; split of Takanobu et al., AAAI 2019",
    source=Source(
        "pvcastro/CasRel",
        _CASREL_COMMIT,
        {
            "train": RemoteFile(
                "data/NYT10-HRL/train_triples.json", "059278e729004f4b7ff79aa6ccd2065f1c44f9d3"
            ),
            "test": RemoteFile(
                "data/NYT10-HRL/test_triples.json",
                "181c4b0db84eee320013048e8d8d18edef3e7b66",
                1903140,
            ),
        },
    ),
    entity_types=("LOC", "ORG", "OTH", "PER"),
    counts={
        "train": (PublishedSize(70339, _FASTRE), PublishedSize(69988, _CASREL_CUT)),
        "test": (PublishedSize(4006, _FASTRE),),
    },
    types=NYT10_TYPES,
)
NYT11 = Entry(
    name="nyt11",
    title="NYT11",
    task="triples",
    licence=_NYT_LICENCE,
    citation="Hoffmann et al., ACL 2011; split of Takanobu et al., AAAI 2019",
    source=Source(
        "pvcastro/CasRel",
        _CASREL_COMMIT,
        {
            "train": RemoteFile(
                "data/NYT11-HRL/train_triples.json", "25a1c4ede5a7736e1d0270affb814cda42420995"
            ),
            "dev": RemoteFile(
                "data/NYT11-HRL/dev_triples.json",
                "58d39d1aa1d0cd6be620f89d1ddeb2b0d6fd7c67",
                140983,
            ),
            "test": RemoteFile(
                "data/NYT11-HRL/test_triples.json",
                "7ba304065cbbdc687097e74a1f8c4bcb14a24578",
                149158,
            ),
        },
    ),
    entity_types=("LOC", "ORG", "PER"),
    counts={
        "train": (PublishedSize(62648, _FASTRE), PublishedSize(62335, _CASREL_CUT)),
        "dev": (PublishedSize(313, _CASREL_CUT),),
        "test": (PublishedSize(369, _FASTRE),),
    },
    types=NYT11_TYPES,
)
NYT24 = Entry(
    name="nyt24",
    title="NYT24",
    task="triples",
    licence=_NYT_LICENCE,
    citation="Riedel et al., ECML-PKDD 2010; split of Zeng et al., ACL 2018",
    source=Source(
        "hy-struggle/PRGC",
        _PRGC_COMMIT,
        {
            "train": RemoteFile(
                "data/NYT/train_triples.json", "1146fd8ac90cf3e284475d69efdfdf7e92e19efd"
            ),
            "dev": RemoteFile(
                "data/NYT/val_triples.json", "27fbebdc71d7f23deac5f69c1c3b77ebf86a247d", 2504919
            ),
            "test": RemoteFile(
                "data/NYT/test_triples.json", "ab0ab88d5282089f038da581d3cc98d6350455dc", 2521954
            ),
        },
    ),
    entity_types=("LOC", "ORG", "OTH", "PER"),
    counts={
        "train": (PublishedSize(56196, _FASTRE),),
        "dev": (PublishedSize(5000, _FASTRE),),
        "test": (PublishedSize(5000, _FASTRE),),
    },
    types=NYT24_TYPES,
)
NYT24_STAR = Entry(
    name="nyt24-star",
    title="NYT24*",
    task="triples",
    licence=_NYT_LICENCE,
    citation="Riedel et al., ECML-PKDD 2010; split and last-word entities of Zeng et al., ACL 2018",
    source=Source(
        "hy-struggle/PRGC",
        _PRGC_COMMIT,
        {
            "train": RemoteFile(
                "data/NYT-star/train_triples.json", "fa19372b0fb2b433879dbae7e251d754f38bb6db"
            ),
            "dev": RemoteFile(
                "data/NYT-star/val_triples.json",
                "c8589c44419d61cdcd7492c4f2623abc104d02c9",
                2396319,
            ),
            "test": RemoteFile(
                "data/NYT-star/test_triples.json",
                "3a076015ffaf8f2403e1efe42d2d5f876e9eb6e6",
                2414580,
            ),
        },
    ),
    entity_types=("LOC", "ORG", "OTH", "PER"),
    counts={
        "train": (PublishedSize(56195, _PRGC),),
        "dev": (PublishedSize(4999, _PRGC),),
        "test": (PublishedSize(5000, _PRGC),),
    },
    types=NYT24_TYPES,
    last_words=True,
    notes=("entities are named by their last word",),
)
WEBNLG = Entry(
    name="webnlg",
    title="WebNLG",
    task="triples",
    licence=_WEBNLG_LICENCE,
    citation="Gardent et al., ACL 2017; split of Zeng et al., ACL 2018",
    source=Source(
        "hy-struggle/PRGC",
        _PRGC_COMMIT,
        {
            "train": RemoteFile(
                "data/WebNLG/train_triples.json",
                "be0b6b3e1fb7b26bfcdac581696c49a3107ae2e3",
                2342780,
            ),
            "dev": RemoteFile(
                "data/WebNLG/val_triples.json", "d7179662173c6118dcd5fcd6df89487a50a24762", 246628
            ),
            "test": RemoteFile(
                "data/WebNLG/test_triples.json",
                "01f584f53d84b67d7e0889a9adf4a7a8b2c2aac7",
                336135,
            ),
        },
    ),
    entity_types=(ANY,),
    counts={
        "train": (PublishedSize(5019, _PRGC),),
        "dev": (PublishedSize(500, _PRGC),),
        "test": (PublishedSize(703, _PRGC),),
    },
)
WEBNLG_STAR = Entry(
    name="webnlg-star",
    title="WebNLG*",
    task="triples",
    licence=_WEBNLG_LICENCE,
    citation="Gardent et al., ACL 2017; split and last-word entities of Zeng et al., ACL 2018",
    source=Source(
        "hy-struggle/PRGC",
        _PRGC_COMMIT,
        {
            "train": RemoteFile(
                "data/WebNLG-star/train_triples.json",
                "ba70fe91656d808f6719ed1f5f9396df631eb2b2",
                2280602,
            ),
            "dev": RemoteFile(
                "data/WebNLG-star/val_triples.json",
                "bae5c0e5d091a91072f4c5cef30d2db6c0f92507",
                217847,
            ),
            "test": RemoteFile(
                "data/WebNLG-star/test_triples.json",
                "ec1f562bcc5bbab3276e3592d82887e48d348526",
                313409,
            ),
        },
    ),
    entity_types=(ANY,),
    counts={
        "train": (PublishedSize(5019, _PRGC),),
        "dev": (PublishedSize(500, _PRGC),),
        "test": (PublishedSize(703, _PRGC),),
    },
    last_words=True,
    notes=("entities are named by their last word",),
)
CONLL04 = Entry(
    name="conll04",
    title="CoNLL04",
    task="triples",
    licence="no licence stated by its authors; distributed for research",
    citation="Roth and Yih, CoNLL 2004; split of Eberts and Ulges, ECAI 2020 (SpERT)",
    source=Source(
        "Coopercoppers/PFN",
        "6173b3e6b048d1307766ee5d2f8178b30d6675b2",
        {
            "train": RemoteFile(
                "data/CONLL04/train_triples.json",
                "d91264b330f85196f4841eae37f3ec1bc5cff46d",
                474194,
            ),
            "dev": RemoteFile(
                "data/CONLL04/dev_triples.json", "d85d80238c6d62d1f27af8f381415f4fd7ab7765", 124823
            ),
            "test": RemoteFile(
                "data/CONLL04/test_triples.json",
                "1e0d626fef87b1a29394956c039662c4d5534209",
                151092,
            ),
        },
    ),
    entity_types=("Loc", "Org", "Other", "Peop"),
    counts={
        "train": (PublishedSize(922, "Coopercoppers/PFN 6173b3e, from lavis-nlp/spert"),),
        "dev": (PublishedSize(231, "Coopercoppers/PFN 6173b3e, from lavis-nlp/spert"),),
        "test": (PublishedSize(288, "Coopercoppers/PFN 6173b3e, from lavis-nlp/spert"),),
    },
)
CONLL04_NER = replace(
    CONLL04, name="conll04-ner", title="CoNLL04, entities", task="ner", files_of="conll04"
)
_DOCRED_TYPES = ("LOC", "MISC", "NUM", "ORG", "PER", "TIME")
REDOCRED = Entry(
    name="redocred",
    title="Re-DocRED",
    task="docre",
    licence="MIT",
    citation="Tan et al., EMNLP 2022",
    source=Source(
        "tonytan48/Re-DocRED",
        "ccfb54f5ddf5836027c87badda10f6dfc56efaac",
        {
            "train": RemoteFile(
                "data/train_revised.json", "1ba485adf8e4cb789c441de2f6fe41de95690caa"
            ),
            "dev": RemoteFile(
                "data/dev_revised.json", "56c7700aaa9a6f9b1c99f0cdf0b576890fddcadc", 3245588
            ),
            "test": RemoteFile(
                "data/test_revised.json", "f59191a3f954ee623ed67cb5740a6e1aedd13a0b", 3207228
            ),
        },
    ),
    entity_types=_DOCRED_TYPES,
    counts={
        "train": (PublishedSize(3053, "Tan et al., EMNLP 2022"),),
        "dev": (PublishedSize(500, "Tan et al., EMNLP 2022"),),
        "test": (PublishedSize(500, "Tan et al., EMNLP 2022"),),
    },
    relations=tuple(DOCRED_RELATIONS),
)
DOCRED = Entry(
    name="docred",
    title="DocRED",
    task="docre",
    licence="MIT",
    citation="Yao et al., ACL 2019",
    source=Source(
        "Hytn/DocRED-HWE",
        "03d7ed9e49ecf3a7af4c5b905a1e2da2e146905a",
        {
            "train": RemoteFile(
                "dataset/docred/train_annotated.json", "7917c6888ccb22d684265503337717f4ca5fb2a7"
            ),
            "dev": RemoteFile(
                "dataset/docred/dev.json", "40da9836a911cae97cec74223a03e1b0ad770e7a"
            ),
            "test": RemoteFile(
                "dataset/docred/test.json", "be709b16335335de621c0437c2f16f1ae80d92cb", 3674242
            ),
        },
    ),
    entity_types=_DOCRED_TYPES,
    counts={
        "train": (PublishedSize(3053, "Yao et al., ACL 2019, Table 3"),),
        "dev": (
            PublishedSize(1000, "Yao et al., ACL 2019, Table 3"),
            PublishedSize(998, "the released file"),
        ),
        "test": (PublishedSize(1000, "Yao et al., ACL 2019, Table 3"),),
    },
    relations=tuple(DOCRED_RELATIONS),
)
CONLL03 = Entry(
    name="conll03",
    title="CoNLL-2003",
    task="ner",
    licence="annotations by the cited authors; the texts are Reuters' (RCV1), for research",
    citation="Tjong Kim Sang and De Meulder, CoNLL 2003",
    source=Source(
        "synalp/NER",
        "c0ea07c81ec3512b5047dcd804b0ac2b10a3bdfc",
        {
            "train": RemoteFile(
                "corpus/CoNLL-2003/eng.train", "9b76f64e0f8001a5cdbb732026f4fb99913478af", 3281528
            ),
            "dev": RemoteFile(
                "corpus/CoNLL-2003/eng.testa", "60d343d902b8cc999a8a588887e14939e8ea2960", 827012
            ),
            "test": RemoteFile(
                "corpus/CoNLL-2003/eng.testb", "f4a1778c16ebbc356562c4056fcfe2f80eb74b0a", 748096
            ),
        },
    ),
    entity_types=("LOC", "MISC", "ORG", "PER"),
    counts={
        # The paper's Table 1 has 14,987, 3,466 and 3,684: with the -DOCSTART- line of each of its
        # 946, 216 and 231 articles.
        "train": (PublishedSize(14041, "synalp/NER c0ea07c, without -DOCSTART-"),),
        "dev": (PublishedSize(3250, "synalp/NER c0ea07c, without -DOCSTART-"),),
        "test": (PublishedSize(3453, "synalp/NER c0ea07c, without -DOCSTART-"),),
    },
)
GENIA = Entry(
    name="genia",
    title="GENIA",
    task="ner",
    licence="GENIA Project License for Annotated Corpora (CC BY 3.0)",
    citation="Kim et al., Bioinformatics 2003; split as in matirojasg/nested-ner-mlc 6a19f0c",
    source=None,
    entity_types=("DNA", "RNA", "cell_line", "cell_type", "protein"),
    counts={
        "train": (PublishedSize(15023, "matirojasg/nested-ner-mlc 6a19f0c"),),
        "dev": (PublishedSize(1669, "matirojasg/nested-ner-mlc 6a19f0c"),),
        "test": (PublishedSize(1854, "matirojasg/nested-ner-mlc 6a19f0c"),),
    },
)

CATALOGUE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        NYT10,
        NYT11,
        NYT24,
        NYT24_STAR,
        WEBNLG,
        WEBNLG_STAR,
        CONLL04,
        CONLL04_NER,
        REDOCRED,
        DOCRED,
        CONLL03,
        GENIA,
    )
}
"""Every dataset with files, by name."""

SYNTHETICS: dict[str, TaskName] = {
    "synthetic": "triples",
    "synthetic-documents": "docre",
    "synthetic-spans": "ner",
}
"""The datasets that are made, not read, with their task."""


def dataset_names() -> list[str]:
    """All names that `load_dataset` answers to."""
    return [*CATALOGUE, *SYNTHETICS]
