"""The rules engine: durable_rules in the part that is exact, with certainties, layers and a trace."""

from .condition import Condition, Judgement
from .evaluate import Engine
from .native import EngineFailedError, EngineUnavailableError
from .rule import Firing, Outcome, Rule, combine
from .strata import CycleError, LayerError

__all__ = [
    "Condition",
    "CycleError",
    "Engine",
    "EngineFailedError",
    "EngineUnavailableError",
    "Firing",
    "Judgement",
    "LayerError",
    "Outcome",
    "Rule",
    "combine",
]
