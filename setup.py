"""Adds one thing that pyproject.toml cannot say: a ``.pth`` file beside the installed package.

With it a job started by ``spikelore run`` is probed even where PYTHONPATH is ignored (``python -E``) or
overwritten. In every other process it costs one look at the environment.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

NAME = "spikelore.pth"
LINE = (
    'import os; (os.environ.get("SPIKELORE_RUN") or os.environ.get("SPIKELORE_LISTEN")) '
    'and __import__("spikelore.probes.agent.boot", fromlist=["start"]).start()\n'
)


class BuildPth(Command):
    """A build step that writes the ``.pth``, into the wheel's root."""

    editable_mode = False

    def initialize_options(self) -> None:
        """As the build protocol asks."""
        self.build_lib: str | None = None

    def finalize_options(self) -> None:
        """As the build protocol asks."""
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def _target(self) -> Path:
        # An editable wheel is packed from the install command's folder, not from build_lib.
        folder = self.get_finalized_command("install").install_lib if self.editable_mode else self.build_lib
        return Path(str(folder)) / NAME

    def run(self) -> None:
        """Write the file."""
        target = self._target()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(LINE, encoding="utf-8")

    def get_outputs(self) -> list[str]:
        """As the build protocol asks."""
        return [] if self.editable_mode else [str(self._target())]

    def get_output_mapping(self) -> dict[str, str]:
        """As the build protocol asks."""
        return {}

    def get_source_files(self) -> list[str]:
        """As the build protocol asks."""
        return []


class Build(build):
    """The standard build, and the step above."""

    sub_commands = [*build.sub_commands, ("build_pth", None)]  # noqa: RUF012 - setuptools' own declaration


setup(cmdclass={"build": Build, "build_pth": BuildPth})
