"""Encode and decode values by RFC 4506: big-endian words, and opaque data that is padded to words."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_WORD, _LONG, _SIGNED = struct.Struct(">I"), struct.Struct(">Q"), struct.Struct(">q")

u32 = _WORD.pack
u64 = _LONG.pack
i64 = _SIGNED.pack


def opaque(data: bytes) -> bytes:
    """Return the length, the data, and the padding."""
    return b"".join((_WORD.pack(len(data)), data, bytes(-len(data) % 4)))


def bitmap(numbers: Iterable[int]) -> bytes:
    """Return a set of small numbers as an array of words."""
    words: list[int] = []
    for number in numbers:
        words += [0] * (number // 32 + 1 - len(words))
        words[number // 32] |= 1 << number % 32
    return b"".join(map(_WORD.pack, (len(words), *words)))


class Reader:
    """Reads values one after the other. Raise struct.error at the end of the data."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def u32(self) -> int:
        value: int = _WORD.unpack_from(self._data, self._at)[0]
        self._at += 4
        return value

    def u64(self) -> int:
        value: int = _LONG.unpack_from(self._data, self._at)[0]
        self._at += 8
        return value

    def i64(self) -> int:
        value: int = _SIGNED.unpack_from(self._data, self._at)[0]
        self._at += 8
        return value

    def fixed(self, size: int) -> bytes:
        """Return data of a known size, which is a multiple of four."""
        return bytes(self._view(size))

    def view(self) -> memoryview:
        """Return opaque data without copying it."""
        return self._view(self.u32())

    def opaque(self) -> bytes:
        return bytes(self.view())

    def bitmap(self) -> frozenset[int]:
        """Return the numbers of a set."""
        words = [self.u32() for _ in range(self.u32())]
        return frozenset(32 * place + bit for place, word in enumerate(words) for bit in range(32) if word >> bit & 1)

    def _view(self, size: int) -> memoryview:
        if self._at + size > len(self._data):
            raise struct.error("the data ends too early")
        found = self._data[self._at : self._at + size]
        self._at += size + -size % 4
        return found
