"""Messages of DNS. The resolver that answers them is in the tests of packets."""

from __future__ import annotations

import struct

import pytest

from groundwork_lab.lookup import Found, MalformedError, decoded, encoded

QUESTION = b"\3www\7example\4test\0"


def message(*records: tuple[int, bytes], code: int = 0) -> bytes:
    head = struct.pack("!6H", 7, 0x8180 | code, 1, len(records), 0, 0) + QUESTION + struct.pack("!2H", 5, 1)
    return head + b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data for kind, data in records)


def test_a_query() -> None:
    assert encoded("www.example.test.", "CNAME", 7) == (
        struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + QUESTION + struct.pack("!2H", 5, 1)
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (message(code=3), Found("NXDOMAIN")),
        (message((5, b"\1A\xc0\x10")), Found("NOERROR", {"CNAME": ("a.example.test",)})),
        (
            message((1, bytes([10, 0, 0, 1])), (1, bytes([10, 0, 0, 2]))),
            Found("NOERROR", {"A": ("10.0.0.1", "10.0.0.2")}),
        ),
        (message((257, b"\x80\5issueamazon.com")), Found("NOERROR", {"CAA": ("128 issue amazon.com",)})),
    ],
)
def test_an_answer(answer: bytes, expected: Found) -> None:
    assert decoded(answer) == expected


@pytest.mark.parametrize("answer", [b"", message((5, b"\xc0\xff")), message((5, b"\xc0\x2d")), message((1, b""))[:-4]])
def test_a_message_that_cannot_be_read(answer: bytes) -> None:
    with pytest.raises(MalformedError):
        decoded(answer)
