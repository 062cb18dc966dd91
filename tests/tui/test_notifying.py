"""An alarm reaches whoever is to be told, through a real receiver."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from spikelore.tui import notifying, settings
from spikelore.tui.errors import UserError
from spikelore.tui.settings import Settings

from .test_cli import TRAIN, spikelore

pytest.importorskip("apprise")


class Receiver:
    """A web server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, str]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                receiver.messages.append(json.loads(self.rfile.read(length)))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    started = Receiver()
    yield started
    started.server.shutdown()
    started.server.server_close()


def test_the_alarm_and_its_cause_are_sent(receiver: Receiver, tmp_path: Path) -> None:
    """One message says where the loss jumped, one what it was; the job's output has neither."""
    settings.save(Settings(notify=[receiver.address]))
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    done = spikelore(
        "run", "--run-dir", str(tmp_path / "run"), "--name", "toy", "--", sys.executable, str(script)
    )
    assert done.returncode == 7
    assert "spikelore" not in done.stderr
    first, second = receiver.messages
    assert first["title"] == second["title"] == "spikelore: toy"
    assert first["message"].startswith("loss spike at step")
    assert second["message"].startswith("likely cause:")


def test_a_small_rise_is_not_worth_a_message(receiver: Receiver, tmp_path: Path) -> None:
    settings.save(Settings(notify=[receiver.address], notify_from=1e30))
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    spikelore("run", "--run-dir", str(tmp_path / "run"), "--", sys.executable, str(script))
    assert receiver.messages == []


def test_a_receiver_that_refuses_is_told_to_who_tests_it(receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(UserError, match="not every receiver took the message"):
        notifying.send([receiver.address], "title", "text")


def test_an_address_of_no_kind_is_named() -> None:
    with pytest.raises(UserError, match="nonsense"):
        notifying.check(["nonsense://nowhere"])
