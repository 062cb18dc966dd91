"""Writes a picture of the triage of a run: ``python docs/picture.py RUN docs/img/triage.svg``."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path

from spikelore.tui.app import SpikeloreApp
from spikelore.tui.home import find_run
from spikelore.tui.settings import Settings

SIZE = (118, 36)


async def draw(run: str, path: Path, theme: str) -> None:
    """Open the run, wait until nothing is at work any more, and write the picture."""
    app = SpikeloreApp(find_run(run), "triage", settings=Settings(theme=theme))
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(50):
            await pilot.pause(0.1)
            if all(worker.is_finished or worker.group == "follow" for worker in app.workers):
                break
        path.write_text(without_fonts(app.export_screenshot(title="spikelore triage")), encoding="utf-8")


def without_fonts(picture: str) -> str:
    """Return the picture with the reader's own fonts: text stays invisible while others are fetched."""
    picture = re.sub(r"@font-face\s*{.*?}", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "ui-monospace, Menlo, Consolas, DejaVu Sans Mono")


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("path", type=Path)
    parser.add_argument("--theme", default="spikelore-dark")
    arguments = parser.parse_args()
    asyncio.run(draw(arguments.run, arguments.path, arguments.theme))


if __name__ == "__main__":
    main()
