"""Rules, causes and fixes loaded from the shipped library and the directories of the team."""

from .base import RuleBase
from .folders import LIBRARY, Source, default_sources, team_directory
from .store import RuleStore, shared_store

__all__ = ["LIBRARY", "RuleBase", "RuleStore", "Source", "default_sources", "shared_store", "team_directory"]
