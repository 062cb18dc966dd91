"""The protocol-buffer wire format, read field by field.

Two importers need a handful of fields of two messages. The packages that generate readers for them bring
90 MB (tensorboard, with grpc) and 120 MB (wandb, with its service), and fail on the first damaged byte;
what is needed here is this one loop.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .source import LogError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def fields(message: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Yield (number, wire type, value) of a message; bytes for nested messages, texts and fixed widths.

    Raises:
        LogError: the message is damaged.
    """
    at, size = 0, len(message)
    while at < size:
        key, at = varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint(message, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, at = varint(message, at)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise LogError(f"protocol buffer: wire type {kind} at byte {at}; the record is damaged")
        if at + length > size:
            raise LogError(f"protocol buffer: field of {length} bytes at byte {at} is cut off")
        yield number, kind, message[at : at + length]
        at += length


def varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a variable-length integer and the position behind it.

    Raises:
        LogError: it is cut off or too long.
    """
    value = shift = 0
    for position in range(at, min(len(message), at + _LONGEST_VARINT)):
        byte = message[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1
        shift += 7
    raise LogError(f"protocol buffer: integer at byte {at} is cut off")


def signed(value: int | bytes) -> int:
    """Return a varint as the signed 64-bit integer that it stands for."""
    plain = value if isinstance(value, int) else 0
    return plain - (1 << 64) if plain >= 1 << 63 else plain


def double(value: int | bytes) -> float:
    """Return a 64-bit fixed field as a float."""
    return float(struct.unpack("<d", value)[0]) if isinstance(value, bytes) and len(value) == 8 else 0.0


def single(value: int | bytes) -> float:
    """Return a 32-bit fixed field as a float."""
    return float(struct.unpack("<f", value)[0]) if isinstance(value, bytes) and len(value) == 4 else 0.0


def text(value: int | bytes) -> str:
    """Return a field as text."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else ""
