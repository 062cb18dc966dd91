"""Normalisation layers, vendored; ``use(version)`` gives the module of a release."""

import importlib


def use(version):
    return importlib.import_module(f"{__name__}.r{version.replace('.', '_')}")
