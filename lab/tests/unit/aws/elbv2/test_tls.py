"""HTTPS listeners as on AWS: certificates, security policies, attributes, and redirects."""

from __future__ import annotations

from typing import Any

import pytest
from certificates import imported, issued
from control_plane import Lab

from groundwork_lab.aws import certificates
from groundwork_lab.settings import REGION

FIXED: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
RECOMMENDED = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
UNKNOWN = f"arn:aws:acm:{REGION}:123456789012:certificate/0a0a0a0a-0000-4000-8000-000000000000"


class Site:
    """A load balancer, and ELB's client."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.elb = lab, lab.client("elbv2")
        vpc = lab.vpc()
        lab.gateway(vpc)
        subnets = [lab.subnet(vpc, f"10.0.{index}.0/24", zone) for index, zone in enumerate("ab")]
        made = self.elb.create_load_balancer(Name="web", Subnets=subnets, SecurityGroups=[lab.group(vpc)])
        self.balancer = str(made["LoadBalancers"][0]["LoadBalancerArn"])

    def listener(self, certificate: str | None = None, port: int = 443, **options: Any) -> str:
        given = {} if certificate is None else {"Certificates": [{"CertificateArn": certificate}]}
        request = {"Protocol": "HTTPS", "Port": port, "DefaultActions": [FIXED], **given, **options}
        return str(self.elb.create_listener(LoadBalancerArn=self.balancer, **request)["Listeners"][0]["ListenerArn"])

    def described(self, listener: str) -> dict[str, Any]:
        return dict(self.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0])

    def listed(self, listener: str) -> list[tuple[str, bool]]:
        found = self.elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
        return [(each["CertificateArn"], each["IsDefault"]) for each in found]

    def add(self, listener: str, certificate: str) -> None:
        self.elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])

    def remove(self, listener: str, certificate: str) -> None:
        self.elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": certificate}])


@pytest.fixture
def site(lab: Lab) -> Site:
    return Site(lab)


def www(*more: str, **options: Any) -> str:
    return imported(issued("www.example.com", *more), **options)


def test_a_listener_has_a_certificate_and_the_default_policy(site: Site) -> None:
    arn = www()
    told = site.described(site.listener(arn))
    assert (told["Protocol"], told["SslPolicy"]) == ("HTTPS", "ELBSecurityPolicy-2016-08")
    assert told["Certificates"] == [{"CertificateArn": arn}]


@pytest.mark.correction("elbv2:CreateListener", "Certificates and security policies are checked.")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("ValidationError", {}),
        ("CertificateNotFound", {"certificate": UNKNOWN}),
        ("ValidationError", {"certificate": UNKNOWN.replace(REGION, "us-east-1")}),
        ("ValidationError", {"certificate": "arn:aws:acm:x"}),
        ("SSLPolicyNotFound", {"certificate": "www", "SslPolicy": "ELBSecurityPolicy-2030-01"}),
        ("ValidationError", {"certificate": "www", "Protocol": "HTTP"}),
        ("ValidationError", {"Protocol": "HTTP", "SslPolicy": RECOMMENDED}),
        ("ValidationError", {"Certificates": [{"CertificateArn": UNKNOWN}, {"CertificateArn": UNKNOWN}]}),
        ("ValidationError", {"Certificates": [{"CertificateArn": "www", "IsDefault": True}]}),
        ("UnsupportedCertificate", {"certificate": "small"}),
    ],
)
def test_what_an_https_listener_cannot_be(site: Site, code: str, options: dict[str, Any]) -> None:
    arns = {"www": www(), "small": imported(issued("www.example.com", kind="1024"))}
    given = dict(options)
    if given.get("certificate") in arns:
        given["certificate"] = arns[given["certificate"]]
    site.lab.refused(code, site.listener, **given)
    assert site.elb.describe_listeners(LoadBalancerArn=site.balancer)["Listeners"] == []


@pytest.mark.correction("elbv2:CreateListener", "A certificate that is not issued cannot be used.")
def test_a_certificate_that_is_not_issued(site: Site) -> None:
    arn = www()
    found = certificates.find(site.lab.plane.context, arn)
    assert found is not None
    found.status = "PENDING_VALIDATION"
    message = site.lab.refused("UnsupportedCertificate", site.listener, certificate=arn)
    assert "must have a fully-qualified domain name" in message


@pytest.mark.correction("elbv2:CreateListener", "Another certificate makes another listener.")
def test_a_listener_made_again_with_another_certificate(site: Site) -> None:
    arn = www()
    assert site.listener(arn) == site.listener(arn)
    site.lab.refused("DuplicateListener", site.listener, certificate=www())


@pytest.mark.correction("elbv2:AddListenerCertificates", "A certificate is in the list once, beside the default one.")
@pytest.mark.correction("elbv2:DescribeListenerCertificates", "The default certificate can be in the list, too.")
def test_the_certificate_list(site: Site) -> None:
    default, other = www(), imported(issued("static.example.com"))
    listener = site.listener(default)
    site.add(listener, other)
    site.add(listener, other)
    site.add(listener, default)
    assert site.listed(listener) == [(default, True), (other, False), (default, False)]
    assert site.described(listener)["Certificates"] == [{"CertificateArn": default}]


@pytest.mark.correction("elbv2:AddListenerCertificates", "Certificates are checked, one in each request.")
def test_what_the_certificate_list_does_not_take(site: Site) -> None:
    plain, secure = site.listener(port=80, Protocol="HTTP"), site.listener(www())
    add = site.elb.add_listener_certificates
    site.lab.refused("CertificateNotFound", add, ListenerArn=secure, Certificates=[{"CertificateArn": UNKNOWN}])
    site.lab.refused("ValidationError", add, ListenerArn=plain, Certificates=[{"CertificateArn": www()}])
    two = [{"CertificateArn": www()}, {"CertificateArn": www()}]
    site.lab.refused("ValidationError", add, ListenerArn=secure, Certificates=two)


@pytest.mark.correction("elbv2:AddListenerCertificates", "A load balancer has 25 certificates besides default ones.")
def test_a_load_balancer_has_25_certificates(site: Site) -> None:
    first, second = site.listener(www()), site.listener(www(), 8443)
    for number in range(25):
        site.add((first, second)[number % 2], www())
    add = site.elb.add_listener_certificates
    site.lab.refused("TooManyCertificates", add, ListenerArn=first, Certificates=[{"CertificateArn": www()}])


@pytest.mark.correction("elbv2:RemoveListenerCertificates", "The default certificate cannot be removed.")
def test_a_certificate_is_removed_from_the_list(site: Site) -> None:
    default, other = www(), www()
    listener = site.listener(default)
    site.add(listener, other)
    site.remove(listener, other)
    assert site.listed(listener) == [(default, True)]
    remove = site.elb.remove_listener_certificates
    site.lab.refused("OperationNotPermitted", remove, ListenerArn=listener, Certificates=[{"CertificateArn": default}])
    site.lab.refused("CertificateNotFound", remove, ListenerArn=listener, Certificates=[{"CertificateArn": other}])


@pytest.mark.correction(
    "elbv2:ModifyListener", "A new default certificate leaves the list as it is; with HTTP, both and the policy end."
)
def test_a_listener_changes_its_certificate_and_its_protocol(site: Site) -> None:
    before, after, other = www(), www(), www()
    listener = site.listener(before, SslPolicy=RECOMMENDED)
    site.add(listener, other)
    site.elb.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": after}])
    assert site.listed(listener) == [(after, True), (other, False)]
    assert site.described(listener)["SslPolicy"] == RECOMMENDED
    site.elb.modify_listener(ListenerArn=listener, Protocol="HTTP")
    told = site.described(listener)
    assert (told["Protocol"], told.get("SslPolicy"), told.get("Certificates", [])) == ("HTTP", None, [])
    site.lab.refused("ValidationError", site.elb.modify_listener, ListenerArn=listener, Protocol="HTTPS")
    modified = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": before}]}
    site.elb.modify_listener(ListenerArn=listener, **modified)
    assert site.listed(listener) == [(before, True)]


@pytest.mark.correction(
    "elbv2:DescribeSSLPolicies",
    "Policies are as on the page.",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",
)
def test_security_policies(site: Site) -> None:
    found = {each["Name"]: each for each in site.elb.describe_ssl_policies()["SslPolicies"]}
    restricted = found[RECOMMENDED]
    assert [each["Name"] for each in restricted["Ciphers"]] == [
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ]
    assert restricted["SslProtocols"] == ["TLSv1.2", "TLSv1.3"]
    [extended] = site.elb.describe_ssl_policies(Names=["ELBSecurityPolicy-TLS13-1-2-Ext1-PQ-2025-09"])["SslPolicies"]
    assert not [each["Name"] for each in extended["Ciphers"] if each["Name"].endswith("-SHA")]
    assert len(extended["Ciphers"]) == 15
    oldest = found["ELBSecurityPolicy-TLS13-1-0-2021-06"]
    assert (len(oldest["Ciphers"]), oldest["SslProtocols"][0]) == (21, "TLSv1")
    assert len(found["ELBSecurityPolicy-TLS13-1-2-2021-06"]["Ciphers"]) == 11


@pytest.mark.correction("elbv2:DescribeSSLPolicies", "A name that does not exist is refused.")
def test_a_security_policy_that_does_not_exist(site: Site) -> None:
    site.lab.refused("SSLPolicyNotFound", site.elb.describe_ssl_policies, Names=["ELBSecurityPolicy-2030-01"])


def attributes(site: Site, listener: str) -> dict[str, str]:
    found = site.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    return {each["Key"]: each.get("Value", "") for each in found}


HSTS = "routing.http.response.strict_transport_security.header_value"
VERSION = "routing.http.request.x_amzn_tls_version.header_name"


@pytest.mark.correction("elbv2:DescribeListenerAttributes", "All attributes have their defaults.")
def test_attributes_of_listeners(site: Site) -> None:
    secure, plain = site.listener(www()), site.listener(port=80, Protocol="HTTP")
    assert attributes(site, secure)[VERSION] == "X-Amzn-Tls-Version"
    assert VERSION not in attributes(site, plain)
    assert attributes(site, plain)[HSTS] == ""
    site.elb.modify_listener_attributes(ListenerArn=secure, Attributes=[{"Key": HSTS, "Value": "max-age=300"}])
    assert attributes(site, secure)[HSTS] == "max-age=300"
    assert site.lab.plane.snapshot().load_balancers[site.balancer].listeners[0].attributes == {HSTS: "max-age=300"}


@pytest.mark.correction("elbv2:ModifyListenerAttributes", "Keys and values are checked, as the protocol permits them.")
@pytest.mark.parametrize(
    ("code", "port", "key", "value"),
    [
        ("ValidationError", 80, "routing.http.response.unknown.header_value", "x"),
        ("ValidationError", 80, VERSION, "X-Tls"),
        ("ValidationError", 443, VERSION, "no name"),
        ("ValidationError", 443, "routing.http.response.x_content_type_options.header_value", "sniff"),
        ("ValidationError", 443, HSTS, "max-age=1\r\nX: y"),
        (
            "InvalidConfigurationRequest",
            443,
            "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name",
            "X-Leaf",
        ),
    ],
)
def test_attributes_that_are_refused(site: Site, code: str, port: int, key: str, value: str) -> None:
    listener = site.listener(port=80, Protocol="HTTP") if port == 80 else site.listener(www())
    modify = site.elb.modify_listener_attributes
    site.lab.refused(code, modify, ListenerArn=listener, Attributes=[{"Key": key, "Value": value}])


LOOP = "The redirect configuration is not valid because it creates a loop."


@pytest.mark.correction("elbv2:CreateListener", "A redirect that creates a loop is refused.")
@pytest.mark.parametrize(
    "config",
    [
        {},
        {"Query": "a=b"},
        {"Protocol": "HTTPS", "Port": "443"},
        {"Protocol": "#{protocol}", "Port": "443", "Host": "#{host}", "Path": "/#{path}"},
    ],
)
def test_a_redirect_that_loops(site: Site, config: dict[str, str]) -> None:
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **config}}
    refused = site.lab.refused("InvalidLoadBalancerAction", site.listener, certificate=www(), DefaultActions=[action])
    assert refused == LOOP


def test_a_redirect_to_https(site: Site) -> None:
    config = {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}
    site.listener(port=80, Protocol="HTTP", DefaultActions=[{"Type": "redirect", "RedirectConfig": config}])


def test_the_world_has_the_certificates_with_their_keys(site: Site) -> None:
    first, other = issued("www.example.com"), issued("static.example.com")
    arn = imported(first)
    listener = site.listener(arn, SslPolicy=RECOMMENDED)
    site.add(listener, imported(other))
    [told] = site.lab.plane.snapshot().load_balancers[site.balancer].listeners
    assert told.tls is not None
    assert (told.tls.default.chain, told.tls.default.key.strip()) == (first.certificate, first.key.strip())
    assert [each.chain for each in told.tls.certificates] == [other.certificate]
    assert told.tls.protocols == ("TLSv1.2", "TLSv1.3")
    assert "PRIVATE" not in repr(told)
    renewed = issued("www.example.com", days=30)
    imported(renewed, arn=arn)
    [told] = site.lab.plane.snapshot().load_balancers[site.balancer].listeners
    assert told.tls is not None
    assert told.tls.default.chain == renewed.certificate


def test_the_load_balancers_that_use_a_certificate(site: Site) -> None:
    default, other, unused = www(), www(), www()
    site.add(site.listener(default), other)
    context = site.lab.plane.context
    assert [certificates.users(context, each) for each in (default, other, unused)] == [
        [site.balancer],
        [site.balancer],
        [],
    ]
