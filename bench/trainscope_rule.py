"""trainscope's own detector on recorded losses; run with a Python that has trainscope (not this project's).

Reads a JSON object of loss lists from standard input and writes one of alarms: indexes into each list, with
the detector and the settings that trainscope ships. As in its loop, a loss that is not finite is passed over.
"""

from __future__ import annotations

import json
import math
import sys
from importlib.metadata import version

from trainscope.core.config import TrainScopeConfig
from trainscope.core.detectors import make_detector


def alarms(losses: list[float]) -> list[int]:
    """Return the indexes at which trainscope reports a spike."""
    detector = make_detector(TrainScopeConfig())
    return [
        index
        for index, loss in enumerate(losses)
        if math.isfinite(loss) and detector.update(loss) is not None
    ]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(
        {"version": version("trainscope"), "alarms": {key: alarms(values) for key, values in given.items()}},
        sys.stdout,
    )
