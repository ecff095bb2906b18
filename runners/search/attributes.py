"""Under which names the trials of a study keep what the suite knows of them."""

from __future__ import annotations

RESULT = "result"
"""Its `TrialRecord` as JSON, where it came to an end."""
STRUCTURE = "structure"
"""Key of its settings."""
LABEL = "label"
"""Name of the published structure that it is."""
WORKER = "worker"
"""Who does it; see `this_worker`."""
DRIVER = "driver"
"""Of a worker: the command that answers for it, where that knows whether it lives."""
DEATHS = "deaths"
"""What became of the workers that died over it since its training last came further."""
AGAIN = "again"
"""Key of a structure that was given up, and is tried once more by another command."""
