"""The application in a browser: textual-serve behind a token, on this machine only unless told otherwise."""

from __future__ import annotations

import hmac
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

COOKIE = "spikelore"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer(Server):
    """A server that knows its guests by a token: once in the address, then in a cookie.

    Args:
        command: what each guest gets, as a shell line.
        host: address to listen on.
        port: port to listen on.
        token: what guests have to show.
    """

    def __init__(self, command: str, host: str, port: int, token: str) -> None:
        super().__init__(command, host=host, port=port, title="spikelore")
        self.token = token

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who shows the token, and no page of another site."""
        if hmac.compare_digest(request.query.get("token", ""), self.token):
            response = web.HTTPFound("/")
            response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
            return response
        if not hmac.compare_digest(request.cookies.get(COOKIE, ""), self.token):
            raise web.HTTPForbidden(
                text="Open the address that spikelore triage --serve printed, token included."
            )
        origin = request.headers.get("Origin")
        if origin and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="Another site may not use this one.")
        # Guests may come by any name of this machine; the page has to call back by the same.
        self.public_url = f"{request.scheme}://{request.host}"
        return await handler(request)

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing yet: the port may be taken."""

    def serve(self, debug: bool = False) -> None:
        """Serve until Ctrl+C.

        Raises:
            OSError: the port is taken or the address is not this machine's.
        """
        self.debug = debug
        web.run_app(self._make_app(), host=self.host, port=self.port, print=self._tell)

    def _tell(self, _greeting: str) -> None:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        print(f"http://{shown}:{self.port}/?token={self.token}", flush=True)
        print("Whoever has this address can use spikelore as you. Ctrl+C ends it.", flush=True)


def serve(arguments: Sequence[str], host: str, port: int) -> None:
    """Serve ``spikelore triage`` with some arguments until Ctrl+C."""
    command = shlex.join([sys.executable, "-m", "spikelore.tui.cli", "triage", *arguments])
    GuardedServer(command, host, port, secrets.token_urlsafe(24)).serve()
