"""Secrets of a command line never reach the run directory."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from spikelore.probes.provenance import settings_in
from spikelore.probes.secrets import is_secret_name, mask_command

from .jobs import probed


@pytest.mark.parametrize(
    ("command", "masked"),
    [
        (["t.py", "--api-key", "abc"], ["t.py", "--api-key", "***"]),
        (["t.py", "--wandb_api_key=abc", "--lr=1"], ["t.py", "--wandb_api_key=***", "--lr=1"]),
        (["env", "HF_TOKEN=abc", "LR=1"], ["env", "HF_TOKEN=***", "LR=1"]),
        (["t.py", "--db", "postgres://me:pw@host/x"], ["t.py", "--db", "postgres://***@host/x"]),
        (["t.py", "--u=https://h/x?token=abc&b=1"], ["t.py", "--u=https://h/x?token=***&b=1"]),
        (["t.py", "hf_abcdefghijklmnopqrstuvwx"], ["t.py", "***"]),
        (["t.py", "--tokenizer", "bert", "--max-tokens", "5"],) * 2,
        (["t.py", "--sort-key", "name", "--hidden-size=8"],) * 2,
    ],
)
def test_values_of_secrets_are_masked(command: list[str], masked: list[str]) -> None:
    """By name, by place in a URL and by known shape; options that only sound alike are kept."""
    assert mask_command(command) == masked


def test_names_are_judged_by_their_last_words() -> None:
    """camelCase, dashes, underscores and dots alike."""
    assert all(map(is_secret_name, ["apiKey", "aws.secret_access_key", "--password", "GH_TOKEN", "key"]))
    assert not any(map(is_secret_name, ["tokens", "--key-dim", "author", "n_token_types", ""]))


def test_settings_are_typed_and_free_of_secrets() -> None:
    """Numbers as numbers, flags as true, and no secret under any name."""
    found = settings_in(["t.py", "--lr", "1e-3", "--epochs=5", "--amp", "--api-key", "x", "-b", "32"])
    assert found == {"lr": 1e-3, "epochs": 5, "amp": True, "b": 32}


def test_a_run_directory_holds_no_secret(tmp_path: Path) -> None:
    """Nothing that was passed as a secret is in any file of the run."""
    code = "import os, sys; print(len(sys.argv))"
    job = probed(tmp_path, [sys.executable, "-c", code, "--token", "s3cr3tvalue", "KEY=s3cr3tvalue"])
    assert job.stdout == "4\n"
    files = [path for path in job.run.rglob("*") if path.is_file()]
    assert files
    assert all(b"s3cr3tvalue" not in path.read_bytes() for path in files)
