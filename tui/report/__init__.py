"""A diagnosis on paper: rich text for a terminal, one self-contained page for a browser."""

from .text import render

__all__ = ["render"]
