"""A client of the lab's resolver, for what the system's resolver cannot look up: CNAME and CAA records.

The form of a message is that of RFC 1035, section 4: https://www.rfc-editor.org/rfc/rfc1035#section-4
"""

from __future__ import annotations

import secrets
import socket
import struct
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from groundwork_lab.processes import in_namespace
from groundwork_lab.settings import RESOLVER, Settings

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "TXT": 16, "AAAA": 28, "CAA": 257}
CODES = {0: "NOERROR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
RECURSION_DESIRED, TRUNCATED = 0x0100, 0x0200
PATIENCE = 5.0  # seconds for an answer


class MalformedError(ValueError):
    """A message that is not one of DNS."""


@dataclass(frozen=True)
class Found:
    """An answer: its code, and the values by type. Names are in lower case, without the final dot.

    A CAA value is `flags tag value`, other values that are not names are as in the message.
    """

    code: str
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)


def encoded(name: str, kind: str, number: int) -> bytes:
    """Return a query for the records of a name."""
    labels = (label.encode("ascii") for label in name.rstrip(".").split("."))
    question = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!6H", number, RECURSION_DESIRED, 1, 0, 0, 0) + question + struct.pack("!2H", TYPES[kind], 1)


def decoded(message: bytes) -> Found:
    """Return the answer of a message. Raise MalformedError."""
    try:
        _, flags, questions, answers, _, _ = struct.unpack_from("!6H", message)
        place = 12
        for _ in range(questions):
            place = _name(message, place)[1] + 4
        values: dict[str, tuple[str, ...]] = {}
        for _ in range(answers):
            place = _name(message, place)[1]
            number, _, _, length = struct.unpack_from("!HHIH", message, place)
            kind = next((name for name, each in TYPES.items() if each == number), str(number))
            values[kind] = (*values.get(kind, ()), _value(message, place + 10, length, kind))
            place += 10 + length
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        message_ = f"The resolver's answer cannot be read: {error}"
        raise MalformedError(message_) from error
    return Found(CODES.get(flags & 0xF, str(flags & 0xF)), values)


def _name(message: bytes, place: int) -> tuple[str, int]:
    """Return the name at a place, and the place after it. A pointer leads to an earlier place."""
    labels: list[str] = []
    after, limit = 0, place
    while (length := message[place]) != 0:
        if length >= 0xC0:
            after = after or place + 2
            place = struct.unpack_from("!H", message, place)[0] & 0x3FFF
            if place >= limit:
                raise IndexError(place)
            limit = place
        else:
            labels.append(message[place + 1 : place + 1 + length].decode("ascii").lower())
            place += 1 + length
    return ".".join(labels), after or place + 1


def _value(message: bytes, place: int, length: int, kind: str) -> str:
    content = message[place : place + length]
    if kind in ("CNAME", "NS"):
        return _name(message, place)[0]
    if kind in ("A", "AAAA"):
        return socket.inet_ntop(socket.AF_INET if kind == "A" else socket.AF_INET6, content)
    if kind == "CAA":
        tag = content[2 : 2 + content[1]]
        return f"{content[0]} {tag.decode('ascii').lower()} {content[2 + content[1] :].decode('ascii')}"
    return content.decode("latin-1")


class Lookup:
    """Asks the lab's resolver in the namespace of AWS."""

    def __init__(self, settings: Settings) -> None:
        self._namespace = settings.namespace("aws")

    def __call__(self, name: str, kind: str) -> Found:
        """Return the records of a name. Raise OSError or MalformedError if there is no answer."""
        query = encoded(name, kind, secrets.randbelow(65536))
        answer = in_namespace(self._namespace, partial(_over_udp, query))
        if len(answer) > 4 and struct.unpack_from("!H", answer, 2)[0] & TRUNCATED:
            answer = in_namespace(self._namespace, partial(_over_tcp, query))
        return decoded(answer)


def _over_udp(query: bytes) -> bytes:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as client:
        client.settimeout(PATIENCE)
        client.connect((str(RESOLVER), 53))
        client.send(query)
        while (answer := client.recv(4096))[:2] != query[:2]:
            continue
        return answer


def _over_tcp(query: bytes) -> bytes:
    with closing(socket.create_connection((str(RESOLVER), 53), timeout=PATIENCE)) as client:
        client.sendall(struct.pack("!H", len(query)) + query)
        file = client.makefile("rb")
        return file.read(struct.unpack("!H", file.read(2))[0])
