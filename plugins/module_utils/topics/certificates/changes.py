# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to an environment's certificates. These functions are pure."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    THIS_RUN,
    Call,
    Change,
    Ref,
    Token,
    Wait,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    ISSUED,
    PENDING,
    UNKNOWN,
    Certificate,
    Described,
    Observed,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import (
    KIND,
    Certificates,
    CertificateWish,
    certificate_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.usage import Usage

LONGEST_TOKEN = 32  # https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
RECORDS_DEADLINE = 120.0
INTERVAL = 5.0
REMEDIES = {
    "LimitExceededException": "The quota of certificates, or of names in a certificate, is exhausted. Raise it in "
    "Service Quotas (AWS Certificate Manager), delete unused certificates, or give fewer names.",
}
# https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html
REASONS = {
    "ADDITIONAL_VERIFICATION_REQUIRED": "ACM requires more information about the domain. Open a case with AWS Support.",
    "CAA_ERROR": "a CAA record of the domain does not allow Amazon to issue certificates. Add the record 'CAA 0 issue "
    '"amazon.com"\' to the domain, and run again.',
    "DOMAIN_NOT_ALLOWED": "a name is on a list of unsafe domains. Ask the operator of that list to remove it, or use "
    "another name.",
    "DOMAIN_VALIDATION_DENIED": "the validation of a name was denied. Check who owns the domain.",
    "INVALID_PUBLIC_DOMAIN": "a name is not below a public suffix. Correct the name.",
    "OTHER": "this is usually a misspelled name. Check the names.",
}


def plan_certificates(desired: Certificates, observed: Observed, owner: Owner, usage: Usage) -> list[Change]:
    """Return the changes: requests, tags, and then the deletion of certificates that nothing uses any more."""
    wanted = [wish for wish in desired.wanted if not desired.planned or observed.current(wish)]
    changes = [change for wish in wanted for change in _wished(wish, observed, owner)]
    leaving = [*(former(desired, observed) if desired.replaced else ()), *_purged(desired, observed)]
    return [*changes, *(_deletion(one, usage) for one in leaving if not usage.keepers(one.arn))]


def former(desired: Certificates, observed: Observed) -> list[Certificate]:
    """Return the certificates that others of the same name replace. They leave when the others are issued."""
    return [
        one
        for wish, one in _superseded(desired, observed)
        if desired.planned or ((current := observed.current(wish)) and current.status == ISSUED)
    ]


def superseded(desired: Certificates, observed: Observed) -> list[Certificate]:
    """Return the certificates that others of the same name replace or will replace."""
    return [one for _wish, one in _superseded(desired, observed)]


def _superseded(desired: Certificates, observed: Observed) -> t.Iterator[tuple[CertificateWish, Certificate]]:
    for wish in desired.wanted:
        current = observed.current(wish)
        for one in observed.certificates:
            if (one.name, one.region) == (wish.name, wish.region) and one != current:
                yield wish, one


def undeclared(desired: Certificates, observed: Observed) -> list[Certificate]:
    """Return the certificates whose names are not declared, or not for their region."""
    wanted = {(wish.name, wish.region) for wish in desired.wanted}
    return [one for one in observed.certificates if (one.name, one.region) not in wanted]


def _purged(desired: Certificates, observed: Observed) -> list[Certificate]:
    return undeclared(desired, observed) if desired.purge else []


def _wished(wish: CertificateWish, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    current = observed.current(wish)
    if not current:
        yield _request(wish, owner)
        return
    wanted = owner.global_tags(wish.name)
    missing = {key: value for key, value in wanted.items() if current.tags.get(key) != value}
    if missing:
        arguments = {"CertificateArn": current.arn, "Tags": tag_list(missing)}
        call = Call("acm", "add_tags_to_certificate", arguments, region=wish.region)
        before = {key: current.tags.get(key) for key in missing}
        yield Change("update", "tags", f"{KIND} {wish.name}", (call,), before, missing)


def _request(wish: CertificateWish, owner: Owner) -> Change:
    """Return the request for a certificate.

    ACM answers the same request of an hour with the same certificate, also if that was deleted or has failed since.
    If a run is killed after its request, the next one finds the certificate.
    """
    parts = (owner.name(wish.name), owner.region, *wish.names, wish.key_algorithm, THIS_RUN)
    first, *others = wish.names
    arguments = {
        "DomainName": first,
        **({"SubjectAlternativeNames": others} if others else {}),
        "ValidationMethod": "DNS",
        "KeyAlgorithm": wish.key_algorithm,
        "IdempotencyToken": Token(parts, LONGEST_TOKEN),
        "Tags": tag_list(owner.global_tags(wish.name)),
    }
    ref = certificate_ref(wish.name)
    request = Call(
        "acm", "request_certificate", arguments, {ref: "CertificateArn"}, remedies=REMEDIES, region=wish.region
    )
    after = {"arn": ref, "names": list(wish.names), "region": wish.region, "key_algorithm": wish.key_algorithm}
    return Change("create", KIND, wish.name, (request.safe_to_repeat(),), after=after, wait=_records_told(wish, ref))


def _records_told(wish: CertificateWish, ref: Ref) -> Wait:
    """Return the wait for the validation records, which ACM tells some seconds after the request."""
    return Wait(
        f"ACM to tell the validation records of the certificate {wish.name}",
        Call("acm", "describe_certificate", {"CertificateArn": ref}, region=wish.region),
        lambda answer: bool(answer) and _has_records(answer["Certificate"], wish),
        lambda answer: failure(answer.get("Certificate", {})),
        RECORDS_DEADLINE,
    )


def _has_records(described: Described, wish: CertificateWish) -> bool:
    told = {one["DomainName"] for one in described.get("DomainValidationOptions", ()) if one.get("ResourceRecord")}
    return described["Status"] == ISSUED or told >= set(wish.names)


def failure(described: Described) -> str | None:
    """Return why a certificate will never be issued, or None."""
    status = described.get("Status", PENDING)
    if status in (ISSUED, PENDING):
        return None
    if status == "VALIDATION_TIMED_OUT":
        return "ACM has not found the validation records within 72 hours. Run again to request it again"
    reason = str(described.get("FailureReason", ""))
    why = REASONS.get(reason, "run again to request it again")
    return f"its status is {status}{f' ({reason})' if reason else ''}: {why}"


def issued(wish: CertificateWish, deadline: float) -> Wait:
    """Return the wait for a certificate to be issued."""
    return Wait(
        f"the certificate {wish.name} ({', '.join(wish.names)}) to be issued",
        Call("acm", "describe_certificate", {"CertificateArn": certificate_ref(wish.name)}, region=wish.region),
        lambda answer: answer.get("Certificate", {}).get("Status") == ISSUED,
        lambda answer: failure(answer.get("Certificate", {})),
        deadline,
        INTERVAL,
        lambda answer: awaited(answer.get("Certificate", {})),
    )


def awaited(described: Described) -> str:
    """Return a sentence about the validations that ACM reports as pending, with the records that it looks for."""
    pending = [one for one in described.get("DomainValidationOptions", ()) if one.get("ValidationStatus") != "SUCCESS"]
    records = dict.fromkeys(
        f"{record['Name']} {record['Type']} {record['Value']}"
        for one in pending
        if (record := one.get("ResourceRecord"))
    )
    if not records:
        return ""
    names = ", ".join(sorted(one["DomainName"] for one in pending))
    return (
        f"ACM reports the validation of {names} as pending: it looks for the records {'; '.join(records)}. Check that "
        "they are in the zone, and that the parent domain delegates the zone to its name servers."
    )


def validations(described: Described) -> list[dict[str, str]]:
    """Return the validation records of a described certificate, each once."""
    found = {}
    for one in described.get("DomainValidationOptions", ()):
        if record := one.get("ResourceRecord"):
            name = record["Name"].rstrip(".")
            found[name] = {"name": name, "type": record["Type"], "value": record["Value"]}
    return [found[name] for name in sorted(found)]


def _deletion(one: Certificate, usage: Usage) -> Change:
    """Return the deletion of a certificate, before which listeners stop to offer it beside others."""
    removals = [
        Call(
            "elbv2",
            "remove_listener_certificates",
            {"ListenerArn": listener, "Certificates": [{"CertificateArn": one.arn}]},
            settled=("ListenerNotFound",),
            region=one.region,
        )
        for listener in usage.beside.get(one.arn, ())
    ]
    delete = Call(
        "acm",
        "delete_certificate",
        {"CertificateArn": one.arn},
        settled=UNKNOWN,
        passing=("ResourceInUseException",),
        region=one.region,
    )
    before = {"arn": one.arn, "names": sorted(one.names), "status": one.status}
    return Change("delete", KIND, f"{one.name} ({one.arn.rpartition('/')[2]})", (*removals, delete), before)
