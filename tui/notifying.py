"""Messages about an alarm to wherever people look: Slack, mail, a phone, through Apprise (extra `notify`)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from .errors import UserError

if TYPE_CHECKING:
    from apprise import Apprise


def check(urls: Sequence[str]) -> None:
    """Look whether messages could be sent.

    Raises:
        UserError: Apprise is not installed, or does not know an address.
    """
    if urls:
        _receivers(urls)


def send(urls: Sequence[str], title: str, text: str) -> None:
    """Send a message to every address and wait until it is sent.

    Args:
        urls: addresses as Apprise writes them, for example ``slack://…`` or ``mailto://…``.
        title: one line.
        text: what follows.

    Raises:
        UserError: Apprise is not installed, does not know an address, or could not deliver.
    """
    if urls and not _receivers(urls).notify(title=title, body=text):
        raise UserError("notifications: not every receiver took the message; check the addresses")


def send_in_background(urls: Sequence[str], title: str, text: str) -> None:
    """Send a message without waiting; a failure costs the message only, never the watching."""
    if urls:
        threading.Thread(target=_quietly, args=(list(urls), title, text), daemon=True).start()


def _quietly(urls: Sequence[str], title: str, text: str) -> None:
    try:
        send(urls, title, text)
    except Exception as error:  # noqa: BLE001 - the job and its watcher go on whatever a chat server does
        from .errors import note_crash

        note_crash(error)


def _receivers(urls: Sequence[str]) -> Apprise:
    if find_spec("apprise") is None:
        raise UserError("notifications: need Apprise; install with pip install 'spikelore[notify]'")
    import apprise

    receivers = apprise.Apprise()
    for place, url in enumerate(urls, start=1):
        # Addresses carry tokens, so a message names their place and kind only.
        if not receivers.add(url):
            kind = url.partition("://")[0]
            raise UserError(
                f"notifications: address {place} ({kind}://…) is not one that Apprise knows; "
                "valid: for example slack://token/channel, mailto://user:password@host, ntfy://topic"
            )
    return receivers
