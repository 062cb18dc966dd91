"""Removing what must not leave a machine: personal paths, hosts, users, addresses and secrets."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b

_NAMES = (
    r"(?:[\w-]*[_-])?(?:api[_-]?key|access[_-]?key|secret|token|passw(?:or)?d|pwd|credentials?|authorization)"
    r"(?![a-z])"
)
_PUBLIC = "usr|bin|sbin|lib|lib64|etc|dev|proc|sys|content"
"""Folders that look the same on every machine."""
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("secret", r"(?i)\bbearer\s+[\w.~+/-]{8,}=*"),
    ("secret", rf"(?i)(?<![\w-])-*{_NAMES}['\"]?\s*[=:]\s*['\"]?(?!<)[^\s'\",;&]{{4,}}"),
    ("secret", rf"(?i)(?<![\w-])--{_NAMES}\s+['\"]?(?!<)[^\s'\",;&-][^\s'\",;&]{{3,}}"),
    ("secret", r"\b(?:sk|pk|ghp|gho|ghs|hf|glpat|xox[bap]|AKIA|AIza)[-_]?[A-Za-z0-9_-]{16,}"),
    ("secret", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("login", r"(?<=://)[^\s/@:]+(?::[^\s/@]*)?(?=@)"),
    ("email", r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"),
    # Four numbers of one digit are a version.
    ("address", rf"(?<![\w.])(?=[\d.]*\d\d)(?:{_BYTE}\.){{3}}{_BYTE}(?![\w.+])"),
    ("address", r"\b(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}\b"),
    ("path", rf"(?<![\w/.:~])/(?!(?:{_PUBLIC})\b)[\w.-]+/[^\s'\",;:()<>|]*"),
    ("path", r"(?<![\w/.:~])/(?:home|Users|root)\b(?!/)"),
    ("path", r"(?<!\w)~[\w-]*/[^\s'\",;:()<>|]*"),
    ("path", r"\b[A-Za-z]:\\[^\s'\",;()<>|]+"),
    ("path", r"\\\\[\w.-]+\\[^\s'\",;()<>|]+"),
)  # fmt: skip


@dataclass
class Mask:
    """Replaces what is private, and remembers what it replaced for the preview.

    Attributes:
        removed: kind to the texts removed, each once, in order.
    """

    removed: dict[str, list[str]] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """Return a text without private parts."""
        if not text:
            return text
        for kind, pattern in _rules():
            text = pattern.sub(self._replacement(kind), text)
        return text

    def _replacement(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replace(match: re.Match[str]) -> str:
            found = self.removed.setdefault(kind, [])
            if match[0] not in found:
                found.append(match[0])
            # The last part of a path is what tells one script from another; the rest is whose it is.
            name = re.split(r"[/\\]", match[0].rstrip("/\\"))[-1] if kind == "path" else ""
            return f"<{kind}>/{name}" if _telling(name) else f"<{kind}>"

        return replace


def _telling(name: str) -> bool:
    return bool(re.fullmatch(r"[\w-]+\.(?:py|sh|ya?ml|json|toml|cfg|ini|csv|pt|pth|ckpt|safetensors)", name))


@cache
def _rules() -> list[tuple[str, re.Pattern[str]]]:
    """Return the patterns, with this machine's own names among them."""
    own = [("user", name) for name in _users()] + [("host", name) for name in _hosts()]
    words = [(kind, re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")) for kind, name in own]
    return [(kind, re.compile(pattern)) for kind, pattern in _PATTERNS] + words


def _users() -> set[str]:
    names = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")}
    with suppress(KeyError, OSError):
        names.add(getpass.getuser())
    # A short or common name would black out ordinary words.
    return {
        name for name in names if len(name) > 3 and name not in ("root", "user", "admin", "train", "test")
    }


def _hosts() -> set[str]:
    full = socket.gethostname()
    return {name for name in (full, full.partition(".")[0]) if len(name) > 3 and name != "localhost"}


def masked_host(host: str) -> str:
    """Return a name that tells machines apart without naming them."""
    if not host or host.startswith("host-"):
        return host
    return f"host-{blake2b(host.encode(), digest_size=4).hexdigest()}"
