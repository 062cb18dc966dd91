"""A headless Chromium, driven over its own protocol."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp
from PIL import Image
from typing_extensions import Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One page.

    Args:
        profile: folder for the browser's own files.
        dark: what the page is told that its reader prefers.
    """

    def __init__(self, profile: Path, size: tuple[int, int] = (1100, 760), dark: bool = False) -> None:
        self._profile = profile
        self._size = size
        self._dark = dark
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                CHROMIUM or "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                f"--window-size={self._size[0]},{self._size[1]}",
                f"--user-data-dir={self._profile}",
                "--remote-debugging-port=0",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(await self._address(), max_msg_size=1 << 26)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Network.enable")
        return self

    async def _address(self) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            try:
                port = (self._profile / "DevToolsActivePort").read_text().split()[0]
                async with self._session.get(f"http://127.0.0.1:{port}/json") as answer:
                    pages = [page for page in await answer.json() if page["type"] == "page"]
                    return str(pages[0]["webSocketDebuggerUrl"])
            except (OSError, IndexError, aiohttp.ClientError):
                continue
        raise TimeoutError("Chromium did not start")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        await self._session.close()
        self._process.kill()
        self._process.wait()

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json(timeout=30)
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])

    async def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        await self.call("Page.navigate", url=address)
        deadline = time.monotonic() + 30
        # A redirect leaves the page unattached for a moment.
        while await self.evaluate("document.readyState + location.protocol") in (None, "completeabout:"):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a script's expression."""
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def picture(self) -> Image.Image:
        """Return what the page looks like."""
        found = await self.call("Page.captureScreenshot", format="png")
        return Image.open(io.BytesIO(base64.b64decode(found["data"]))).convert("RGB")

    async def press(self, key: str) -> None:
        """Type one character."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, **text)
