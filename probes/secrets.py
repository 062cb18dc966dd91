"""Masking of secrets in what is written down: command lines, settings, messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"
_ENDINGS = (
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "credential",
    "credentials",
    "apikey",
)
_KEY_KINDS = (
    *("api", "access", "secret", "private", "auth", "account", "encryption", "signing", "license"),
    *("wandb", "hf", "openai", "comet", "neptune", "mlflow", "aws", "azure", "gcp", "ssh"),
)
_NAMED_VALUE = re.compile(r"^(?P<name>-{0,2}[\w.+/-]+)(?P<sign>[=:])(?P<value>.+)$", re.DOTALL)
_URL_LOGIN = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)(?P<login>[^\s/@]+)@", re.IGNORECASE)
_URL_FIELD = re.compile(r"(?P<name>[?&][\w.-]+)=(?P<value>[^&\s#]+)")
_KNOWN_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"
    r"|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)


def is_secret_name(name: str) -> bool:
    """Say whether an option or variable of this name holds a secret.

    Told by its last words, so that ``--tokenizer``, ``--max-tokens`` and ``--sort-key`` do not.
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    words = [word for word in re.split(r"[^A-Za-z0-9]+", spaced.lower()) if word]
    if not words:
        return False
    if words[-1] in _ENDINGS or words[-1] == "auth":
        return True
    return words[-1] == "key" and (len(words) == 1 or words[-2] in _KEY_KINDS)


def mask_text(text: str) -> str:
    """Return a text with logins in URLs, secret URL fields and tokens of known shape masked."""
    text = _URL_LOGIN.sub(lambda m: f"{m['scheme']}{MASK}@", text)
    text = _URL_FIELD.sub(lambda m: f"{m['name']}={MASK}" if is_secret_name(m["name"]) else m[0], text)
    return _KNOWN_SHAPES.sub(MASK, text)


def mask_command(command: Sequence[str]) -> list[str]:
    """Return a command with every secret value masked: ``--api-key X``, ``TOKEN=X``, URLs with a login."""
    masked: list[str] = []
    hide = False
    for word in command:
        named = _NAMED_VALUE.match(word)
        if hide:
            masked.append(MASK)
            hide = False
        elif named and is_secret_name(named["name"]):
            masked.append(f"{named['name']}{named['sign']}{MASK}")
        else:
            hide = word.startswith("-") and is_secret_name(word)
            masked.append(mask_text(word))
    return masked
