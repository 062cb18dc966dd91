"""Rules, causes and fixes as documents: one YAML file each, checked with the line of every problem."""

from .cause import CauseDocument, FixDocument
from .fields import Text
from .problems import DocumentError, Problem
from .rule import ConditionDocument, DisabledDocument, RuleDocument, TestDocument

__all__ = [
    "CauseDocument",
    "ConditionDocument",
    "DisabledDocument",
    "DocumentError",
    "FixDocument",
    "Problem",
    "RuleDocument",
    "TestDocument",
    "Text",
]
