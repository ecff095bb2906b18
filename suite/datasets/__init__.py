"""Datasets by name or folder, read into typed examples."""

from suite.datasets.catalogue.entries import dataset_names
from suite.datasets.dataset import Dataset, Problems, Sample, Split
from suite.datasets.fingerprint import fingerprint
from suite.datasets.load import load_dataset

__all__ = [
    "Dataset",
    "Problems",
    "Sample",
    "Split",
    "dataset_names",
    "fingerprint",
    "load_dataset",
]
