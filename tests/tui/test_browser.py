"""In a real browser: the application behind its token, and the report page."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("textual_serve")

import aiohttp
from PIL import Image
from spikelore.probes.evidence import RunDirectory
from spikelore.tui.report.page import write_page

from . import samples
from .browser import CHROMIUM, Browser

BACKGROUND = (0x10, 0x14, 0x19)
ALARM = (0xF0, 0x71, 0x7C)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def address(spiked: RunDirectory) -> Iterator[str]:
    """The address of the application in a browser, token included."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "spikelore.tui.cli", "triage", str(spiked.path)]
    server = subprocess.Popen(
        [*command, "--serve", "--port", str(port), "--theme", "spikelore-dark"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait()
    server.stdout.close()


async def test_nobody_gets_in_without_the_token(address: str) -> None:
    """Page and socket are closed without the token, with a wrong one, and to other sites."""
    root, _, token = address.partition("?token=")
    async with aiohttp.ClientSession() as guest:
        for path in ("", "ws", "static/js/textual.js", "?token=wrong"):
            async with guest.get(root + path) as answer:
                assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await guest.ws_connect(root + "ws")
    # Cookies of an address without a name are kept only on request.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as known:
        async with known.get(f"{root}?token={token}") as answer:
            assert answer.status == 200
            assert token not in str(answer.url)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await known.ws_connect(root + "ws", headers={"Origin": "http://elsewhere.example"})
        async with known.ws_connect(root + "ws?width=80&height=24") as screen:
            await screen.receive(timeout=20)


def count_of(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    """Return how many pixels have a colour."""
    return next((count for count, value in picture.getcolors(1 << 24) or [] if value == colour), 0)


async def eventually(browser: Browser, colour: tuple[int, int, int], seconds: float = 30.0) -> Image.Image:
    """Return the page's picture once a colour fills some of it."""
    deadline = time.monotonic() + seconds
    while True:
        picture = await browser.picture()
        if count_of(picture, colour) > 50:
            return picture
        assert time.monotonic() < deadline
        await asyncio.sleep(0.3)


@needs_chromium
async def test_the_application_draws_itself_in_a_browser(address: str, tmp_path: Path) -> None:
    """The triage of the run appears with its colours, and a key changes the picture."""
    async with Browser(tmp_path / "profile") as browser:
        await browser.open(address)
        before = await eventually(browser, ALARM)
        assert count_of(before, BACKGROUND) > 100_000
        await browser.press("l")
        deadline = time.monotonic() + 20
        while (await browser.picture()).tobytes() == before.tobytes():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)


@needs_chromium
@pytest.mark.parametrize(("dark", "paper"), [(False, "rgb(252, 251, 249)"), (True, "rgb(16, 20, 25)")])
async def test_the_report_page_is_whole(spiked: RunDirectory, tmp_path: Path, dark: bool, paper: str) -> None:
    """Nothing is wider than the page, three plots have curves, and the colours follow the reader's choice."""
    page = write_page(spiked, samples.diagnosis(), tmp_path / "page.html")
    async with Browser(tmp_path / "profile", dark=dark) as browser:
        await browser.open(page.as_uri())
        assert await browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await browser.evaluate("document.querySelectorAll('svg path.line').length") == 4
        assert await browser.evaluate("getComputedStyle(document.body).backgroundColor") == paper
        assert await browser.evaluate("document.querySelector('details').open")
        box = "document.querySelector('svg').getBoundingClientRect()"
        assert await browser.evaluate(f"{box}.width > 600 && {box}.height > 150")
