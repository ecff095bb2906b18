"""SPN against its contract and a slow re-statement of its equations."""

from __future__ import annotations

from baselines.spn.system import SPN
from tests.contract import SystemContract


class TestSPN(SystemContract):
    system = SPN
    settings = {
        "encoder": "lstm",
        "lstm_width": 64,
        "lstm_dropout": 0.0,
        "dropout": 0.0,
        "queries": 5,
        "layers": 2,
        "heads": 4,
    }
    steps = 120
    learning_rate = 3e-3


class TestSPNOnTransformer(SystemContract):
    system = SPN
    settings = {"dropout": 0.0, "layers": 1}
    pretrained = True
    steps = 100
    learning_rate = 1e-3
