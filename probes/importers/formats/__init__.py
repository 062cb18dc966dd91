"""The formats, one module each; a module is found by its ``IMPORTERS``."""
