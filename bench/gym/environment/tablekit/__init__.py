"""Preparation of tables. ``tablekit.release(n)`` is the n-th release as it was deployed."""

from importlib import import_module


def release(number):
    return import_module(f"tablekit.release_{number}")
