"""The certificates and the security policy of HTTPS listeners.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.models import ELBv2Backend

from groundwork_lab.aws import certificates
from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.elbv2 import rules, security

CERTIFICATES_PER_BALANCER = 25
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
Given = Sequence[Mapping[str, Any]]


class SecuredBackend(ELBv2Backend):
    """The operations on the certificate list of a listener.

    A listener's `certificates` holds its default certificate, `listed` the certificate list.
    """

    context: Context
    listener: Any
    balancer: Any

    def check_secured(self, protocol: str | None, policy: str | None, given: Given) -> None:
        """Refuse a protocol, a security policy and certificates of a request that AWS would refuse together."""
        if not protocol:
            rules.invalid("A listener protocol must be specified")
        if protocol not in ("HTTP", "HTTPS"):
            rules.invalid(f"Listener protocol '{protocol}' must be one of 'HTTP, HTTPS'")
        if protocol == "HTTP" and given:
            rules.invalid("Certificates cannot be specified for HTTP listeners")
        if protocol == "HTTP" and policy is not None:
            rules.invalid("An SSL policy cannot be specifed for HTTP listeners")  # AWS' spelling
        if len(given) > 1:
            rules.invalid(f"Up to '1' certificate ARNs can be specified, but '{len(given)}' were specified")
        if policy is not None and policy not in security.POLICIES:
            refuse("SSLPolicyNotFound", f"SSL policy '{policy}' not found")
        for each in given:
            self._check_certificate(each)

    def _check_certificate(self, given: Mapping[str, Any]) -> str:
        """Return the ARN of a certificate that a listener can use. Refuse others."""
        arn = str(given.get("CertificateArn") or "")
        if "IsDefault" in given:
            rules.invalid("You cannot specify 'IsDefault' for a certificate")
        if arn.split(":")[:4] != ["arn", "aws", "acm", self.region_name] or "/" not in arn:
            rules.invalid(f"Certificate ARN '{arn}' is not valid")
        found = certificates.find(self.context, arn)
        if found is None:
            refuse("CertificateNotFound", f"Certificate '{arn}' not found")
        if not (certificates.is_issued(found) and certificates.is_supported(found)):
            message = "must have a fully-qualified domain name, a supported signature, and a supported key size."
            refuse("UnsupportedCertificate", f"The certificate '{arn}' {message}")
        return arn

    def _secured(self, arn: str) -> Any:
        """Return a listener. Refuse one without TLS."""
        listener = self.listener(arn)
        if listener.protocol != "HTTPS":
            rules.invalid(f"Certificates cannot be specified for {listener.protocol} listeners")
        return listener

    def _one(self, given: Given) -> Mapping[str, Any]:
        if len(given) != 1:
            rules.invalid(f"Up to '1' certificate ARNs can be specified, but '{len(given)}' were specified")
        return given[0]

    def add_listener_certificates(self, arn: str, certificates: Given) -> list[str]:
        """Add a certificate to the list. One that is in the list already is not added again."""
        listener = self._secured(arn)
        added = self._check_certificate(self._one(certificates))
        if added not in listener.listed:
            balancer = self.balancer(listener.load_balancer_arn)
            if sum(len(each.listed) for each in balancer.listeners.values()) >= CERTIFICATES_PER_BALANCER:
                message = f"The maximum number of certificates per load balancer is '{CERTIFICATES_PER_BALANCER}'"
                refuse("TooManyCertificates", message)
            listener.listed.append(added)
        return [added]

    def remove_listener_certificates(self, arn: str, certificates: Given) -> None:
        listener = self._secured(arn)
        removed = str(self._one(certificates).get("CertificateArn") or "")
        if removed not in listener.listed:
            if removed in listener.certificates:
                refuse("OperationNotPermitted", f"Default certificate '{removed}' cannot be removed")
            refuse("CertificateNotFound", f"Certificate '{removed}' not found")
        listener.listed.remove(removed)

    def described_certificates(self, arn: str) -> list[dict[str, Any]]:
        """Return the default certificate and the certificate list. The default one can be in both."""
        listener = self.listener(arn)
        return [
            {"CertificateArn": each, "IsDefault": is_default}
            for is_default, arns in ((True, listener.certificates), (False, listener.listed))
            for each in arns
        ]


def secure(listener: Any, protocol: str, policy: str | None, given: Given) -> None:
    """Set the TLS of a listener. With HTTP it has none; without a policy, it keeps its own or gets the default one.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ModifyListener.html
    """
    listener.protocol = protocol
    if protocol == "HTTP":
        listener.certificate, listener.certificates, listener.listed, listener.ssl_policy = None, [], [], None
        return
    if given:
        listener.certificate = str(given[0]["CertificateArn"])
        listener.certificates = [listener.certificate]
    listener.ssl_policy = policy or listener.ssl_policy or security.DEFAULT
