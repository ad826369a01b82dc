"""The checks of the values of records, with the words of Route 53. Pure functions.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from groundwork_lab.aws.route53.dnsnames import InvalidNameError, canonical, decoded

QUOTED = re.compile(r'"((?:[^"\\]|\\[0-3][0-7]{2}|\\.)*)"')
ESCAPED = re.compile(r"\\[0-3][0-7]{2}|\\.|.")
STRING, TEXT = 255, 4000  # characters: of one string, of a value
LARGEST = 65535
NAMES = {"CNAME": (0,), "MX": (1,), "NS": (0,), "PTR": (0,), "SOA": (0, 1), "SRV": (3,)}
"""The places of the names in the values of a type. The other fields of these types are numbers."""

VISIBLE = re.compile(r"[ -~]*")


def problem(kind: str, value: str) -> str | None:
    """Return what is wrong with a value of this type as in Route 53's messages, or None."""
    found = "UnsupportedCharacter (Value contains unsupported characters)" if not VISIBLE.fullmatch(value) else ""
    found = found or next(iter(CHECKS[kind](value)), "")
    if not found:
        return None
    return f"Invalid Resource Record: 'FATAL problem: {found} encountered with '{value}''"


def in_zone_file(kind: str, value: str) -> str:
    """Return the value as in a zone file, where names without a final dot are relative and escapes are decimal.

    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html#domain-name-format-trailing-dot and
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat
    """
    if kind not in NAMES:
        return ESCAPED.sub(lambda found: _decimal(found[0]), value)
    fields = enumerate(value.split())
    return " ".join(name_in_zone_file(each) if place in NAMES[kind] else str(int(each)) for place, each in fields)


def name_in_zone_file(name: str) -> str:
    """Return a name with the final dot, with `*` as it is, and other characters as decimal escapes."""
    plain = decoded(name).removesuffix(".")
    escaped = (each if (each.isalnum() and each.isascii()) or each in "*-_." else f"\\{ord(each):03}" for each in plain)
    return f"{''.join(escaped)}."


def _decimal(character: str) -> str:
    r"""Return an octal escape as a decimal one. A backslash before another character stays."""
    return f"\\{int(character[1:], 8):03}" if len(character) == 4 else character


def _ipv4(value: str) -> Iterator[str]:
    if " " in value.strip():
        yield "ARRDATANotSingleField (Value contains spaces)"
    try:
        IPv4Address(value)
    except AddressValueError:
        yield "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"


def _ipv6(value: str) -> Iterator[str]:
    try:
        IPv6Address(value)
    except AddressValueError:
        yield "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    if "%" in value or "." in value:
        yield "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"


def _name(value: str) -> Iterator[str]:
    if " " in value:
        yield "DomainNameContainsSpaces (Value contains spaces)"
    try:
        canonical(value)
    except InvalidNameError as error:
        yield str(error).removeprefix("FATAL problem: ").partition(" encountered with ")[0]


def _numbers(kind: str, fields: list[str], largest: int = LARGEST) -> Iterator[str]:
    if not all(re.fullmatch("[0-9]+", each) and int(each) <= largest for each in fields):
        yield f"{kind}RRDATAIllegalNumber ({kind} record has an illegal number)"


def _mx(value: str) -> Iterator[str]:
    fields = value.split()
    if len(fields) != 2:
        yield "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
        return
    yield from _numbers("MX", fields[:1])
    yield from _name(fields[1])


def _srv(value: str) -> Iterator[str]:
    fields = value.split()
    if len(fields) != 4:
        yield "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"
        return
    yield from _numbers("SRV", fields[:3])
    if fields[3] != ".":
        yield from _name(fields[3])


def _soa(value: str) -> Iterator[str]:
    fields = value.split()
    if len(fields) != 7:
        yield "SOARRDATANotSevenFields (SOA record doesn't have 7 fields)"
        return
    yield from _name(fields[0])
    yield from _name(fields[1])
    yield from _numbers("SOA", fields[2:], 2**32 - 1)


def _caa(value: str) -> Iterator[str]:
    found = re.fullmatch(r'([0-9]{1,3}) ([a-zA-Z0-9]{1,255}) "([^"\\]|\\.)*"', value)
    if found is None or int(found[1]) > 255:
        yield "CAARRDATAIllegalFormat (Value is not a valid CAA record)"


def _text(value: str) -> Iterator[str]:
    strings = QUOTED.findall(value)
    if not strings or QUOTED.sub("", value).strip():
        yield "InvalidCharacterString (Value should be enclosed in quotation marks)"
    if any(len(ESCAPED.findall(each)) > STRING for each in strings):
        yield "CharacterStringTooLong (Value is too long)"
    if len(value) > TEXT:
        yield "TXTRDATATooLong (Value is too long)"


CHECKS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "A": _ipv4,
    "AAAA": _ipv6,
    "CAA": _caa,
    "CNAME": _name,
    "MX": _mx,
    "NS": _name,
    "PTR": _name,
    "SOA": _soa,
    "SPF": _text,
    "SRV": _srv,
    "TXT": _text,
}
"""By type. Other types of Route 53 are refused."""
