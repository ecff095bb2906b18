"""PRGC against its contract and a slow re-statement of its equations."""

from __future__ import annotations

from baselines.prgc.system import PRGC
from tests.contract import SystemContract


class TestPRGC(SystemContract):
    system = PRGC
    settings = {"encoder": "lstm", "lstm_width": 64, "lstm_dropout": 0.0, "dropout": 0.0}
    steps = 120
    learning_rate = 5e-3


class TestPRGCOnTransformer(SystemContract):
    system = PRGC
    settings = {"dropout": 0.0}
    pretrained = True
    steps = 100
    learning_rate = 2e-3
