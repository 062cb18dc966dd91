"""Attaching to training processes that run already, and letting go of them again.

The target needs nothing: no restart, no line changed, nothing installed. Importing this package imports
neither torch nor the agent.
"""

from .attaching import Attachment, attach, detach
from .errors import AttachError
from .processes import TrainingProcess, processes, ranks_of

__all__ = ["AttachError", "Attachment", "TrainingProcess", "attach", "detach", "processes", "ranks_of"]
