"""A site behind the edge: its balancer opens for CloudFront's addresses and its secret alone. Run with `-m lab`.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/restrict-access-to-load-balancer.html
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from distributions import counted, distribution
from fabric_world import ALL, world

from groundwork_lab.authority import Authority
from groundwork_lab.aws.cloudfront.managed import CACHE_POLICIES, ORIGIN_REQUEST_POLICIES
from groundwork_lab.aws.elbv2.security import POLICIES
from groundwork_lab.journal import Journal
from groundwork_lab.model import (
    Action,
    Certificate,
    Condition,
    HealthCheck,
    HostedZone,
    Listener,
    ListenerRule,
    ListenerTls,
    LoadBalancer,
    RecordSet,
    SecurityGroup,
    SecurityGroupRule,
    Target,
    TargetGroup,
    World,
)
from groundwork_lab.plane.balancers import BalancerManager
from groundwork_lab.plane.edges import EdgeManager
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.plane.names import Names
from groundwork_lab.processes import in_namespace, listen
from groundwork_lab.settings import API, EDGE, LAPTOP, ORIGIN_FACING, VISITOR, Settings, name_servers

__all__ = ["world"]
pytestmark = pytest.mark.lab

SITE, ORIGIN = "www.example.test", "origin.example.test"
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/wwww"
SECRET = "0123456789abcdef"
DISABLED, OPTIMIZED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
METHODS = counted("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")
NODES = {"one": ("eni-web1", "198.19.0.11"), "two": ("eni-web3", "198.19.0.13")}  # of load balancers, by name
PATIENCE = 0.6  # seconds until a connection counts as refused


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


@dataclass
class Site:
    """A lab with an application behind two load balancers. `asked` are the requests that it got."""

    settings: Settings
    authority: Authority
    parts: list[Any]
    network: World
    asked: list[tuple[str, str, Message, bytes]] = field(default_factory=list)

    def certificate(self, name: str) -> Certificate:
        return Certificate(name, *self.authority.issue([name]))

    def serve(self, *, balancer: str = "one", certified: str = ORIGIN) -> None:
        """Serve the site, with the origin's name leading to a load balancer with a certificate for a name."""
        certificate = self.certificate(certified)
        made = replace(
            self.network,
            security_groups={**self.network.security_groups, "sg-edge": GROUP_OF_THE_EDGE},
            interfaces={
                **self.network.interfaces,
                **{
                    eni: replace(
                        self.network.interfaces[eni],
                        owner="load-balancer",
                        owner_id=f"arn:{name}",
                        security_group_ids=("sg-edge",),
                    )
                    for name, (eni, _) in NODES.items()
                },
            },
            target_groups={GROUP: TARGETS},
            load_balancers={f"arn:{name}": load_balancer(name, certificate) for name in NODES},
            hosted_zones={"Z1": zone(balancer)},
            distributions={"E1": self._distribution()},
            cache_policies=CACHE_POLICIES,
            origin_request_policies=ORIGIN_REQUEST_POLICIES,
        )
        for part in self.parts:
            part.reconcile(made)

    def _distribution(self) -> Any:
        server = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only", "OriginReadTimeout": 5}
        origin = {
            "Id": "site",
            "DomainName": ORIGIN,
            "CustomHeaders": counted({"HeaderName": "X-Origin-Secret", "HeaderValue": SECRET}),
            "CustomOriginConfig": server,
            "ConnectionTimeout": 2,
        }
        behavior = {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https"}
        default = {
            **behavior,
            "CachePolicyId": DISABLED,
            "OriginRequestPolicyId": ALL_VIEWER,
            "AllowedMethods": METHODS,
        }
        static = {**behavior, "PathPattern": "/static/*", "CachePolicyId": OPTIMIZED}
        return distribution(
            identifier="E1",
            origins=[origin],
            default=default,
            behaviors=[static],
            Aliases=counted(SITE),
            certificate=self.certificate(SITE),
        )

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, *, at: object = EDGE, **options: Any
    ) -> Answer:
        """Send a request over verified TLS, with the options `headers`, `place` and `source`."""
        name = SITE if at == EDGE else ORIGIN
        plain = self.connect(at, place=options.get("place", "visitor"), source=options.get("source"))
        context = ssl.create_default_context(cafile=str(self.settings.bundle))
        connection = http.client.HTTPConnection(name)
        with closing(connection):
            connection.sock = context.wrap_socket(plain, server_hostname=name)
            connection.request(method, path, body, options.get("headers", {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def connect(self, address: object, *, place: str, source: object = None) -> socket.socket:
        """Open a connection to port 443. Raise TimeoutError if it is not accepted in time."""

        def work() -> socket.socket:
            bound = (str(source), 0) if source else None
            return socket.create_connection((str(address), 443), PATIENCE, source_address=bound)

        opened = in_namespace(self.settings.namespace(place), work)
        opened.settimeout(20)
        return opened


GROUP_OF_THE_EDGE = SecurityGroup(
    "sg-edge",
    "vpc-1",
    "edge",
    ingress=(SecurityGroupRule("tcp", 443, 443, (IPv4Network(ORIGIN_FACING),)),),
    egress=(ALL,),
)
CHECK = HealthCheck(True, "HTTP", "traffic-port", "/healthz", 5, 2, 2, 2, "200")
TARGETS = TargetGroup(GROUP, "web", "vpc-1", "HTTP", 80, "ip", CHECK, (Target("10.0.0.12", 80),), (), {})


def load_balancer(name: str, certificate: Certificate) -> LoadBalancer:
    """Return a load balancer that answers 403 to requests without the secret."""
    policy = POLICIES["ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"]
    tls = ListenerTls(certificate, (), policy.protocols, policy.ciphers)
    forward = Action("forward", {"TargetGroups": [{"TargetGroupArn": GROUP, "Weight": 1}]})
    secret = Condition("http-header", ("other", SECRET), "X-Origin-Secret")
    forbidden = Action("fixed-response", {"StatusCode": "403"})
    listener = Listener("l", 443, "HTTPS", (forbidden,), (ListenerRule("r", 1, (secret,), (forward,)),), tls)
    dns = f"{name}.eu-central-1.elb.amazonaws.com"
    return LoadBalancer(f"arn:{name}", name, dns, "internet-facing", "vpc-1", (NODES[name][0],), (listener,), {})


def zone(balancer: str) -> HostedZone:
    servers = tuple(f"{each}." for each in name_servers(0))
    soa = RecordSet(
        "example.test.", "SOA", 900, (f"{servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",)
    )
    apex = (soa, RecordSet("example.test.", "NS", 172800, servers))
    alias = RecordSet(f"{ORIGIN}.", "A", 60, (), alias=f"{balancer}.eu-central-1.elb.amazonaws.com.")
    return HostedZone("Z1", "example.test.", 0, 1, (*apex, alias))


def application(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path != "/healthz":
                site.asked.append((self.command, self.path, self.headers, body))
            answer = b"ok"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(answer)))
            if self.command == "POST":
                self.send_header("Set-Cookie", "session=1; Secure; HttpOnly")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class' name)
            pass

    for method in ("GET", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.serve)
    return Handler


@pytest.fixture(scope="module")
def site(world: World) -> Iterator[Site]:
    with ExitStack() as stack:
        # not below pytest's own folder, which the workers of nginx cannot enter
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="groundwork-site-")))
        state.chmod(0o711)
        settings = Settings(f"site{os.getpid()}", state, state)
        journal, authority = Journal(settings.journal), Authority(settings)
        fabric = stack.enter_context(closing(Fabric(settings, journal)))
        fabric.start()
        authority.start()
        names = stack.enter_context(closing(Names(settings, journal, ["iam"])))
        names.start()
        names.register("example.test", name_servers(0))
        balancers = stack.enter_context(closing(BalancerManager(settings, journal)))
        edges = stack.enter_context(closing(EdgeManager(settings, journal, authority, lambda *_log: None)))
        made = Site(settings, authority, [fabric, names, balancers, edges], world)
        fabric.reconcile(world)
        server = ThreadingHTTPServer(("127.0.0.1", 0), application(made), bind_and_activate=False)
        server.socket.close()
        server.socket = listen(settings.namespace("eni-web2"), "10.0.0.12", 80)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        yield made


def test_a_site_behind_the_edge(site: Site) -> None:
    site.serve()
    page = site.ask("/page?a=b", headers={"Cookie": "session=0; theme=dark", "X-Origin-Secret": "guessed"})
    assert (page.status, page.body, page.headers["X-Cache"]) == (200, b"ok", "Miss from cloudfront")
    _, path, told, _ = site.asked[-1]
    wanted = {
        "Host": SITE,
        "Cookie": "session=0; theme=dark",
        "X-Origin-Secret": SECRET,
        "X-Forwarded-For": f"{VISITOR}, {ORIGIN_FACING}",
        "X-Forwarded-Proto": "https",
        "X-Amz-Cf-Id": page.headers["X-Amz-Cf-Id"],
    }
    assert (path, {name: told.get(name) for name in wanted}) == ("/page?a=b", wanted)

    login = site.ask("/login", "POST", b"user=a", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert login.headers["Set-Cookie"] == "session=1; Secure; HttpOnly"
    method, _, told, body = site.asked[-1]
    assert (method, told["Content-Type"], body) == ("POST", "application/x-www-form-urlencoded", b"user=a")

    outcomes = [site.ask("/static/a.css").headers["X-Cache"] for _ in range(2)]
    assert outcomes == ["Miss from cloudfront", "Hit from cloudfront"]

    node = IPv4Address(NODES["one"][1])
    assert site.ask("/", at=node, place="aws", source=ORIGIN_FACING).status == 403
    for place, source in (("visitor", VISITOR), ("laptop", LAPTOP), ("aws", API), ("aws", EDGE)):
        with pytest.raises(TimeoutError):
            site.connect(node, place=place, source=source)


def test_the_edge_follows_the_name_and_the_certificate_of_its_origin(site: Site) -> None:
    site.serve(balancer="one")
    assert site.ask("/").status == 200
    site.serve(balancer="two", certified="elsewhere.test")
    answer = site.ask("/")
    deadline = time.monotonic() + 5
    while answer.status == 200 and time.monotonic() < deadline:  # as long as the edge knows the old address
        answer = site.ask("/")
    assert (answer.status, answer.headers["X-Cache"]) == (502, "Error from cloudfront")
    assert b"CloudFront wasn't able to connect to the origin." in answer.body
    site.serve(balancer="two", certified=SITE)
    assert site.ask("/", "DELETE").status == 200
