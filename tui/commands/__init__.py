"""The verbs of the command line, one module each.

A module exposes ``app``, a Typer application: one command in it makes a plain verb, several make a
group (``spikelore cases list``). The first line of its docstring is the verb's line in the help, read
without importing the module, so a module may import what it likes at no cost to the other verbs. A
trailing underscore in a module's name is dropped (``import_`` is ``spikelore import``).
"""
