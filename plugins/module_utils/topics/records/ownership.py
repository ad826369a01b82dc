# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize the environment's records, which have no tags: docs/decisions/0055.

Beside each name with records of an environment is a TXT record, `_groundwork.<environment>.<region>.<name>`. Each
environment has a TXT record of its own, so that several can use one validation record.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import WILDCARD

PREFIX = "_groundwork"
ANY = "_any"  # stands for the asterisk of a wildcard, which is a wildcard only as the first label
HERITAGE = "heritage=groundwork.aws"
ALIAS, VALIDATION = "alias", "validation"
COPY = "copy"  # of the records of a wildcard, until the name leads to its target
# https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
VALIDATION_NAME = re.compile(r"(?P<label>_[0-9a-f]+)\.(?P<domain>.+)")
MARK = re.compile(rf"{PREFIX}\.(?P<environment>[a-z0-9-]+)\.(?P<region>[a-z0-9-]+)\.(?P<name>.+)")
# Of the name of a TXT record beyond the name that it is for, at most, with the label of a validation record.
LONGEST_MARK = len(f"{PREFIX}.{'e' * 16}.ap-southeast-99._{'0' * 32}.")


class Whose(t.NamedTuple):
    """An environment in a region."""

    environment: str
    region: str

    def __str__(self) -> str:
        return f"{self.environment} ({self.region})"


@dataclass(frozen=True)
class Mark:
    """The content of an ownership record: the `kind` of the records, and the `value` of a validation record.

    `created` is false for a validation record that was there before the environment used it. `resource` is what the
    name leads to, and `former` are what it led to before, which resolvers may still remember.
    """

    whose: Whose
    name: str
    kind: str
    value: str = ""
    created: bool = True
    resource: str = ""
    former: tuple[str, ...] = ()

    def leading_to(self, resource: str) -> Mark:
        """Return the mark of a name that leads to another resource from now on, or to none."""
        former = {*self.former, self.resource} - {"", resource}
        return replace(self, kind=ALIAS, resource=resource, former=tuple(sorted(former)))

    @property
    def record_name(self) -> str:
        """Return the name of the TXT record."""
        return f"{PREFIX}.{self.whose.environment}.{self.whose.region}.{_escaped(self.name)}"

    @property
    def text(self) -> str:
        """Return the text of the TXT record, in quotes."""
        fields = [
            HERITAGE,
            f"groundwork/environment={self.whose.environment}",
            f"groundwork/region={self.whose.region}",
        ]
        fields.append(f"groundwork/record={self.kind}")
        if self.kind == VALIDATION:
            fields += [f"groundwork/value={self.value}", f"groundwork/created={'yes' if self.created else 'no'}"]
        if self.resource:
            fields.append(f"groundwork/resource={self.resource}")
        if self.former:
            fields.append(f"groundwork/former={' '.join(self.former)}")
        return f'"{",".join(fields)}"'


def _escaped(name: str) -> str:
    return f"{ANY}.{name.removeprefix(WILDCARD)}" if name.startswith(WILDCARD) else name


def _plain(name: str) -> str:
    return f"{WILDCARD}{name.removeprefix(f'{ANY}.')}" if name.startswith(f"{ANY}.") else name


def parse_mark(record_name: str, texts: t.Iterable[str]) -> Mark | None:
    """Return what an ownership record says, or None if the record is not one."""
    match = MARK.fullmatch(record_name)
    for text in texts:
        fields = dict(part.partition("=")[::2] for part in text.strip('"').split(","))
        if match and fields.get("heritage") == "groundwork.aws":
            whose = Whose(match["environment"], match["region"])
            created = fields.get("groundwork/created") != "no"
            kind = fields.get("groundwork/record", ALIAS)
            value, resource = fields.get("groundwork/value", ""), fields.get("groundwork/resource", "")
            former = tuple(fields.get("groundwork/former", "").split())
            return Mark(whose, _plain(match["name"]), kind, value, created, resource, former)
    return None


def domain_of(validation: str) -> str:
    """Return the domain of a validation record's name, without its first label."""
    match = VALIDATION_NAME.fullmatch(validation)
    return match["domain"] if match else ""
