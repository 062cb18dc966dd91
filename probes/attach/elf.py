"""Where a function lives in another process: dynamic symbols of its ELF files."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

_SHT_DYNSYM = 11
_PT_LOAD = 1
_PAGE = 4096


def loaded_files(pid: int) -> dict[str, int]:
    """Return the files mapped into a process and the address of each one's beginning.

    Raises:
        OSError: the process is gone or may not be read.
    """
    files: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split(None, 5)
        if len(words) == 6 and int(words[2], 16) == 0 and words[5].startswith("/"):
            files.setdefault(words[5].removesuffix(" (deleted)"), int(words[0].split("-")[0], 16))
    return files


def find_symbols(pid: int, names: Iterable[str], belongs: Callable[[str], bool]) -> dict[str, int]:
    """Return the addresses, in the process, of those of ``names`` that its files define.

    Args:
        belongs: says of a path whether that file is to be searched.

    Raises:
        OSError: the process is gone or may not be read.
    """
    wanted, found = set(names), {}
    for path, start in loaded_files(pid).items():
        if not wanted or not belongs(path):
            continue
        # The process may see another root than we do.
        seen = f"/proc/{pid}/root{path}"
        values, base = _dynamic_symbols(seen if os.path.exists(seen) else path, wanted)
        for name, value in values.items():
            found[name] = start - base + value
            wanted.discard(name)
    return found


def _dynamic_symbols(path: str, names: set[str]) -> tuple[dict[str, int], int]:
    """Return (values of the symbols found, page address that the file's beginning is linked at)."""
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as image:
        if image[:5] != b"\x7fELF\x02":
            return {}, 0
        found: dict[str, int] = {}
        sections = _sections(image)
        for section in sections:
            if section[1] == _SHT_DYNSYM:
                _search(image, section, sections[section[6]], names, found)
        return found, _base(image)


_Section = tuple[int, ...]


def _sections(image: mmap.mmap) -> list[_Section]:
    (offset,) = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    return [struct.unpack_from("<IIQQQQIIQQ", image, offset + i * size) for i in range(count)]


def _search(
    image: mmap.mmap, table: _Section, strings: _Section, names: set[str], found: dict[str, int]
) -> None:
    encoded = {name.encode(): name for name in names}
    base = strings[4]
    for name, _, _, section, value, _ in struct.iter_unpack("<IBBHQQ", image[table[4] : table[4] + table[5]]):
        if not section or not value:
            continue
        start = base + name
        text = image[start : image.find(b"\0", start)]
        if text in encoded:
            found[encoded[text]] = value


def _base(image: mmap.mmap) -> int:
    (offset,) = struct.unpack_from("<Q", image, 0x20)
    size, count = struct.unpack_from("<HH", image, 0x36)
    headers = [struct.unpack_from("<IIQQQQQQ", image, offset + i * size) for i in range(count)]
    lowest: int = min((header[3] for header in headers if header[0] == _PT_LOAD), default=0)
    return lowest & ~(_PAGE - 1)
