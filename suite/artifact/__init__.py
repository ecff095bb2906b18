"""A trained system in a folder of its own: nothing else is needed to use it.

`config.json` is written last and holds the digests of the other files: a folder without it is not
a model yet, and one whose files are not those that it names is refused.
"""

from suite.artifact.facts import ModelFacts, Threshold, thresholds
from suite.artifact.read import Artifact
from suite.artifact.write import Parts, write_artifact

__all__ = ["Artifact", "ModelFacts", "Parts", "Threshold", "thresholds", "write_artifact"]
