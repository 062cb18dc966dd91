"""Writers of the binary formats, as small as the formats allow: the tests read what these write."""

from __future__ import annotations

import json
import math
import sqlite3
import struct
import sys
from contextlib import closing
from pathlib import Path


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes | int | float) -> bytes:
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3) + varint(value)


def simple_value(tag: str, value: float) -> bytes:
    """A summary as every writer made it up to TensorFlow 1."""
    return field(1, field(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value))


def tensor_value(tag: str, value: float) -> bytes:
    """A summary of TensorFlow 2: a float tensor without dimensions, its bytes in ``tensor_content``."""
    tensor = field(1, 1) + field(2, b"") + field(4, struct.pack("<f", value))
    return field(1, field(1, tag.encode()) + field(8, tensor))


def listed_tensor_value(tag: str, value: float) -> bytes:
    """A summary of JAX and older TensorFlow 2: a double tensor, its value in ``double_val``."""
    tensor = field(1, 2) + field(2, b"") + field(6, struct.pack("<d", value))
    return field(1, field(1, tag.encode()) + field(8, tensor))


def event(step: int, summary: bytes, time: float) -> bytes:
    return field(1, time) + field(2, step) + field(5, summary)


def checksum(data: bytes) -> bytes:
    """The masked CRC-32C of the framing."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def event_file(path: Path, events: list[bytes], time: float = 1.6e9) -> Path:
    """Write event records in their framing."""
    content = b""
    for record in [field(1, time) + field(3, b"brain.Event:2"), *events]:
        length = struct.pack("<Q", len(record))
        content += length + checksum(length) + record + checksum(record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def wandb_file(
    path: Path, rows: list[dict[str, object]], config: dict[str, object], modern: bool = False
) -> Path:
    """Write a run file: records of history in chunks of 32 KiB blocks."""
    records = [
        field(17, field(1, b"abc") + field(4, b"".join(field(1, _item(k, v)) for k, v in config.items())))
    ]
    for number, row in enumerate(rows):
        items = b"".join(field(1, _item(key, value, modern)) for key, value in row.items())
        records.append(field(1, number) + field(2, items + field(2, field(1, number))))
    out = bytearray(b":W&B" + struct.pack("<HB", 0xBEE1, 0))
    for record in records:
        _append(out, record)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out)
    return path


def mlflow_database(path: Path, runs: dict[str, list[tuple[str, float, int]]]) -> Path:
    """Write a tracking database: (metric, value, step) of each run, the later runs started later.

    The tables are those of MLflow 3, as far as they are read; NaN and infinity are stored as it stores them.
    """
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "CREATE TABLE runs (run_uuid TEXT, name TEXT, start_time BIGINT, lifecycle_stage TEXT)"
        )
        database.execute("CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT)")
        database.execute(
            "CREATE TABLE metrics (key TEXT, value FLOAT, timestamp BIGINT, run_uuid TEXT, step BIGINT,"
            " is_nan BOOLEAN)"
        )
        for order, (run, points) in enumerate(runs.items()):
            database.execute("INSERT INTO runs VALUES (?, ?, ?, 'active')", (run, run, order))
            database.execute("INSERT INTO params VALUES ('lr', '0.001', ?)", (run,))
            for key, value, step in points:
                is_nan = math.isnan(value)
                stored = 0.0 if is_nan else min(value, sys.float_info.max)
                row = (key, stored, 1_600_000_000_000 + 1000 * step, run, step, is_nan)
                database.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", row)
    return path


def _item(key: str, value: object, modern: bool = False) -> bytes:
    names = (
        b"".join(field(2, part.encode()) for part in key.split(".")) if "." in key else field(1, key.encode())
    )
    if modern and isinstance(value, float):
        return names + field(6, value)
    return names + field(16, json.dumps(value).encode())


def _append(out: bytearray, record: bytes) -> None:
    first = True
    while first or record:
        room = 32768 - len(out) % 32768
        if room < 7:
            out += bytes(room)
            continue
        piece, record = record[: room - 7], record[room - 7 :]
        kind = (1 if not record else 2) if first else (4 if not record else 3)
        out += bytes(4) + struct.pack("<HB", len(piece), kind) + piece
        first = False
