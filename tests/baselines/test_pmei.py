from tests.contract import SystemContract
from baselines.pmei import PMEI


class TestPMEI(SystemContract):
    system = PMEI
    settings = {"lstm_width": 64, "pair_width": 64, "dropout": 0.0, "word_dropout": 0.0}
    steps = 200
    learning_rate = 1e-2


class TestPMEIOnTransformer(TestPMEI):
    pretrained = True
    settings = {"encoder": "pretrained", "pair_width": 64}
    steps = 150
    learning_rate = 2e-3
