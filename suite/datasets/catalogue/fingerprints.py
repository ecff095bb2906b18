"""Fingerprints of the complete published splits.

Each was computed (`suite.datasets.fingerprint`) from the published file itself, whose git blob id
is the pinned one. They change only with the serialisation of `fingerprint`, with the alignment of
surface strings, or with a dataset's type-relation map; a test with the real files finds that out.
"""

from __future__ import annotations

from collections.abc import Mapping

from suite.datasets.catalogue.entry import SplitName

PUBLISHED: dict[str, Mapping[SplitName, str]] = {
    "nyt10": {
        "test": "35bf38edf06dda37b4e17d2ec4e4e65d8c4564a755741ac9ff7fb7bfc5c4a128",
    },
    "nyt11": {
        "dev": "ddd509c39a30c798661318a00672ee3d27e73a38f08edc948e4abde87da79459",
        "test": "51e361a5404329626e70fc34a0aa0a5e340a6313f59f51e5c9f78c07a0619000",
    },
    "nyt24": {
        "dev": "385771499a467d9f6fdc8d538d10b4b3226ab06b1590f8efd87c7929c1cfddc7",
        "test": "ed7190fc3d3a1d1d635c8dfe976da1af55a7daad95ce9afc36aa563f1f9c3a53",
    },
    "nyt24-star": {
        "dev": "39bbf088a02cc74173ebc879d2fa3d06855f4be79bceaa473ad8a4f00496318b",
        "test": "7f343559ff30ff067d40a65486488fe48f69e7a453536e934eb7f367b54a1318",
    },
    "webnlg": {
        "train": "45c9b24d3eedd0a7c645a8d69329b483414eb0d12ef7c0ede1b14900c8d8b587",
        "dev": "ee9d21bc06879add93606c1077021330c2ec75ef9191139d16843576819977e1",
        "test": "8d74565aa81032968f611f11e8c66ae1dc72e0bd28f689a0572c1f57f48f9c45",
    },
    "webnlg-star": {
        "train": "515fa2e094148e3e97d531c702ee9ceb85ac0e478b6df9aa9da424b86e7cfbf0",
        "dev": "0c20c76fb3482fff48e00cdf859f5170908c3cd23fe4f8419bf199bc5e72759c",
        "test": "6df5bab7f0b39c4b47db017383e8d392096a31e23018aac807fe4e1869070d73",
    },
    "conll04": {
        "train": "8ae7f481d8328826bb69dfa616d8b72bbaf267d619b6583bd043598325d7d91b",
        "dev": "5192d6b09d6363d0b181b76c09c6d368f51c39f06b1d8d07bbf74a1664b6481d",
        "test": "a62ef60f32417d11028f7dbf02f17dbd67503307260ed534a2918139e1499660",
    },
    "redocred": {
        "dev": "7f967bcc9fb850583699dbeb670fe89993f24893d8e439c845f5e9b6e62b799f",
        "test": "3ffc5eb2b6c657c2357d2760e8068657fd6355f0f97a39ebac9144ff0d10945e",
    },
    "conll03": {
        "train": "a5bd0826f180277ae17dd656f90eaf822f8c12ed8c6a799fd178444bec28a1cb",
        "dev": "991480acd6e8b3271e1f64a88896c2b9ba3490fb2589aa637dce9874e3872a39",
        "test": "f9dcf1f33ead2b390ae386d8d368d1570b7f513c8521e492fe4742715c7cc2f7",
    },
}
"""Dataset -> split -> fingerprint."""

GENIA_DEFECT = "the spans nested in a span of the same type are missing"
DEFECTS: dict[str, Mapping[str, str]] = {
    "genia": {
        "2275f1c8d3fec29b369f7496dcaa3e3f4a4a5e8d0d68d3d983385bda16b28cfc": GENIA_DEFECT,
        "58baea17db5ce23f5d0c67d43e9d2be21c23d7b9a34a7e3dbfe0895d0e0cec88": GENIA_DEFECT,
        "e639a605e52601fbb7304e3509bebb19cee64b3b60d44224b5d9ca001dd0b02e": GENIA_DEFECT,
    }
}
"""Dataset -> fingerprint of a copy in circulation -> what it lacks.

GENIA's are the five files by type of matirojasg/nested-ner-mlc 6a19f0c, merged: a file of flat tags
for one type cannot hold a span within another of that type.
"""
