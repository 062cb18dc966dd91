"""Damaged logs: what disks, editors, crashes and other programs do to a file."""

from __future__ import annotations

import gzip
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from spikelore.probes.importers import importers

from .binary import event, mlflow_database, simple_value, tensor_value, varint

MARKS = (
    b"nan",
    b"NaN",
    b"inf",
    b"-inf",
    b"1e999",
    b"",
    b"--",
    b'"',
    b"'",
    b"\x00",
    b"\xff\xfe",
    b"\xc3",
    b"{",
    b"}",
    b"[",
)
MARKS += (
    b"," * 50,
    b"|",
    b"\t",
    b"\r",
    b"\n\n",
    b"9" * 400,
    b"\x1b[31m",
    b"%",
    b"=",
    b": ",
    b"\xe8\xae\xad\xe7\xbb\x83",
)
SCALES = (
    b"1e308",
    b"-1e308",
    b"5e-324",
    b"0",
    b"-0.0",
    b"18446744073709551616",
    b"0x1F",
    b"1_000",
    b"1,000.5",
    b"NULL",
)


def seeds() -> dict[str, bytes]:
    """Return a log of every format, long enough to be damaged in many places."""
    content = {
        name: (importer.example * 3).encode() for name, importer in importers().items() if importer.example
    }
    for name in ("json", "hf-trainer-state"):
        content[name] = importers()[name].example.encode()
    content["tensorboard"] = _events()
    content["wandb-offline"] = b":W&B\xe1\xbe\x00" + b"".join(_wandb_record(i) for i in range(12))
    content["mlflow-db"] = _database()
    content["gzip"] = gzip.compress(content["nanogpt"] * 20)
    content["utf-16"] = content["csv"].decode().encode("utf-16")
    return content


def _events() -> bytes:
    records = [b"\x09" + bytes(8) + b"\x1a\x0dbrain.Event:2"]
    records += [
        event(i, simple_value("loss", 5.0 - i) + tensor_value("lr", 0.5), 1.6e9 + i) for i in range(12)
    ]
    return b"".join(len(record).to_bytes(8, "little") + bytes(4) + record + bytes(4) for record in records)


def _database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        points = [("loss", 5.0 - step / 10, step) for step in range(12)]
        return mlflow_database(Path(folder) / "mlflow.db", {"a": points}).read_bytes()


def _wandb_record(step: int) -> bytes:
    item = b"\x0a\x04loss\x82\x01\x03" + f"{5 - step / 10:.1f}".encode()
    history = b"\x0a" + varint(len(item)) + item + b"\x12\x02\x08" + bytes([step])
    record = b"\x12" + varint(len(history)) + history
    return bytes(4) + len(record).to_bytes(2, "little") + b"\x01" + record


def mutated(content: bytes, random_: random.Random) -> bytes:
    """Return a log with one to four damages."""
    for _ in range(random_.randint(1, 4)):
        content = random_.choice(MUTATIONS)(content, random_)
    return content


def _at(content: bytes, random_: random.Random) -> int:
    return random_.randrange(len(content) + 1)


def flip(content: bytes, random_: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
    return bytes(changed)


def cut(content: bytes, random_: random.Random) -> bytes:
    return content[: _at(content, random_)]


def drop(content: bytes, random_: random.Random) -> bytes:
    start = _at(content, random_)
    return content[:start] + content[start + random_.randint(1, 60) :]


def repeat(content: bytes, random_: random.Random) -> bytes:
    start = _at(content, random_)
    piece = content[start : start + random_.randint(1, 300)]
    return content[:start] + piece * random_.randint(2, 4) + content[start:]


def insert(content: bytes, random_: random.Random) -> bytes:
    start = _at(content, random_)
    return content[:start] + random_.choice(MARKS + SCALES) + content[start:]


def swap_lines(content: bytes, random_: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = random_.randrange(len(lines)), random_.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def replace_number(content: bytes, random_: random.Random) -> bytes:
    places = [i for i, byte in enumerate(content) if 48 <= byte <= 57]
    if not places:
        return content
    start = random_.choice(places)
    end = start
    while end < len(content) and content[end] in b"0123456789.e+-":
        end += 1
    return content[:start] + random_.choice(MARKS + SCALES) + content[end:]


def mix(content: bytes, random_: random.Random) -> bytes:
    other = random_.choice(list(seeds().values()))
    start = _at(other, random_)
    return content + other[start : start + 400]


def nest(content: bytes, random_: random.Random) -> bytes:
    return content + b'{"a":' * random_.randint(1, 3000)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip,
    flip,
    cut,
    drop,
    repeat,
    insert,
    insert,
    swap_lines,
    replace_number,
    replace_number,
    mix,
    nest,
)
