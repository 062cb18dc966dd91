"""From an evaluation to an explanation: ranked causes with proof and fixes, and why not the others."""

from .because import because, publishable
from .needed import needed
from .ranking import Conclusion, rank
from .remedies import remedies
from .whynot import why_not

__all__ = ["Conclusion", "because", "needed", "publishable", "rank", "remedies", "why_not"]
