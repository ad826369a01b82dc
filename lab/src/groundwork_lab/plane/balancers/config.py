"""HAProxy's configuration for one node of a load balancer. Pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html and
https://docs.haproxy.org/2.6/configuration.html
"""

from __future__ import annotations

from pathlib import Path

from groundwork_lab.model import HealthCheck, Listener, LoadBalancer
from groundwork_lab.plane.balancers import limits, names, pages, rules, tls
from groundwork_lab.plane.balancers.nodes import CHECKS, OPEN, Node, Pool
from groundwork_lab.plane.balancers.syntax import literal, quoted

CONNECT_TIMEOUT = 10  # seconds; "the load balancer failed to establish a connection … before the timeout (10 seconds)"
TARGET_COOKIE = "AWSALB"
APPLICATION_COOKIE = "AWSALBAPP-0"
DEFAULT_STICKINESS = "86400"  # seconds
COOKIE_SECONDS = (
    7 * 86400
)  # until a browser forgets the load balancer's cookie, whatever the duration of the stickiness
ALGORITHMS = {"round_robin": "roundrobin", "least_outstanding_requests": "leastconn", "weighted_random": "random"}


def render(node: Node, folder: Path) -> str:
    """Return the complete file. `folder` contains the admin socket, the servers' states and the certificates."""
    sections = [_global(folder), _defaults(node.balancer)]
    for listener in node.balancer.listeners:
        sections += [_frontend(node.balancer, listener, folder), _successor(listener)]
    for pool in node.pools:
        sections += [_checks(pool), _backend(pool), _open_backend(pool)]
    return "\n".join("\n    ".join(section) + "\n" for section in sections)


def _global(folder: Path) -> list[str]:
    return [
        "global",
        "log stdout format raw local0 notice",  # changes of the servers' states; requests have level info
        "user haproxy",
        "group haproxy",
        "nbthread 1",
        "maxconn 4000",
        *limits.tuning(),
        *names.adjusted(),
        "max-spread-checks 200ms",  # otherwise the first checks of many servers are spread over the whole interval
        f"stats socket {folder / 'admin.sock'} mode 600 level admin expose-fd listeners",
        f"server-state-file {folder / 'servers.state'}",
    ]


def _defaults(balancer: LoadBalancer) -> list[str]:
    idle = balancer.attributes.get("idle_timeout.timeout_seconds", "60")
    return [
        "defaults",
        "mode http",
        "log global",
        f"timeout connect {CONNECT_TIMEOUT}s",
        f"timeout client {idle}s",
        f"timeout server {idle}s",
        f"timeout tunnel {idle}s",
        f"timeout http-request {idle}s",
        f"timeout http-keep-alive {idle}s",
        "retries 0",  # as ELB: if a target refuses, the answer is 502, and no other target is tried
        "option disable-h2-upgrade",  # HTTP/2 needs HTTPS
        "option h1-case-adjust-bogus-client",
        "option h1-case-adjust-bogus-server",
        "option idle-close-on-response",  # after a reload, open connections get the answer to their next request
        "load-server-state-from-file global",
        *(_error(status) for status in (400, 408, 502, 503, 504)),
    ]


def _error(status: int) -> str:
    return f"http-error status {status} content-type text/html string {quoted(pages.page(status))} {pages.SENT_BY}"


def _frontend(balancer: LoadBalancer, listener: Listener, folder: Path) -> list[str]:
    return [
        f"frontend listener-{listener.port}",
        f"bind :{listener.port}{tls.bind(balancer, listener, folder)}",
        f"bind {_inner(listener)} accept-proxy",
        *tls.told(balancer, listener),
        "http-request allow if { stopping }",
        f"use_backend successor-{listener.port} if {{ stopping }}",
        *limits.requests(),
        *_clean(balancer),
        *rules.selection(listener),
        *rules.carried_out(listener),
        *_forwarded(balancer, listener),
        *_traced(),
        *_added(listener),
        # if no target is healthy, all targets get requests: ELB fails open
        f"use_backend %[var(txn.pool)]{OPEN} if {{ var(txn.pool),nbsrv eq 0 }}",
        "use_backend %[var(txn.pool)]",
    ]


def _inner(listener: Listener) -> str:
    """Return the socket on which a worker accepts requests from its predecessors. It is local to the namespace."""
    return f"abns@listener-{listener.port}"


def _successor(listener: Listener) -> list[str]:
    """Return the backend to which a replaced worker forwards requests on connections that it still has.

    The replaced worker itself does not know later changes of the targets and their health.
    """
    return [f"backend successor-{listener.port}", f"server successor {_inner(listener)} send-proxy-v2"]


def _clean(balancer: LoadBalancer) -> list[str]:
    if balancer.attributes.get("routing.http.drop_invalid_header_fields.enabled") != "true":
        return []
    return ["http-request del-header [^-A-Za-z0-9] -m reg"]


def _forwarded(balancer: LoadBalancer, listener: Listener) -> list[str]:
    """Return the lines for the X-Forwarded headers.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    lines = [
        f"http-request set-header X-Forwarded-Proto {listener.protocol.lower()}",
        f"http-request set-header X-Forwarded-Port {listener.port}",
    ]
    with_port = balancer.attributes.get("routing.http.xff_client_port.enabled") == "true"
    client = "%[src]:%[src_port]" if with_port else "%[src]"
    match balancer.attributes.get("routing.http.xff_header_processing.mode", "append"):
        case "append":
            has_one = "{ req.fhdr_cnt(X-Forwarded-For) eq 1 }"
            lines += [
                f'http-request replace-header X-Forwarded-For (.*) "\\1, {client}" if {has_one}',
                f"http-request add-header X-Forwarded-For {client} unless {has_one}",
            ]
        case "remove":
            lines.append("http-request del-header X-Forwarded-For")
    if balancer.attributes.get("routing.http.preserve_host_header.enabled") != "true":
        lines += _host(listener)
    return lines


def _host(listener: Listener) -> list[str]:
    """Return the lines that add the listener's port to a Host header that is not preserved, except for 80 and 443.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    (host header preservation)
    """
    if listener.port in (80, 443):
        return []
    return [f'http-request replace-header Host ^([^:]+)$ "\\1:{listener.port}"']


def _traced() -> list[str]:
    """Return the lines for X-Amzn-Trace-Id: a new Root, or a Self in addition to the client's Root.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
    """
    identifier = '"1-%{+X}Ts-%[uuid,regsub(-,,g),bytes(0,24)]"'
    lower = "%[var(txn.trace),lower]"
    header = "req.fhdr(X-Amzn-Trace-Id)"
    return [
        f"http-request set-var-fmt(txn.trace) {identifier}",
        "http-request replace-header X-Amzn-Trace-Id (^|;)Self=[^;]*;? \\1",
        f'http-request replace-header X-Amzn-Trace-Id (.*Root=.*) "Self={lower};\\1"',
        f'http-request replace-header X-Amzn-Trace-Id ^((?!.*Root=).+)$ "Root={lower};\\1"',
        f"http-request set-header X-Amzn-Trace-Id Root={lower} unless {{ {header} -m len gt 0 }}",
    ]


def _added(listener: Listener) -> list[str]:
    """Return the lines for the headers of all responses, also of those that the load balancer generates.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html
    """
    prefix, suffix = "routing.http.response.", ".header_value"
    headers = {
        key.removeprefix(prefix).removesuffix(suffix): value
        for key, value in listener.attributes.items()
        if key.startswith(prefix) and key.endswith(suffix) and value
    }
    lines = [
        f"http-after-response set-header {_header(name)} {quoted(literal(value))}"
        for name, value in sorted(headers.items())
    ]
    without = listener.attributes.get("routing.http.response.server.enabled") == "false"
    return [*lines, *(["http-after-response del-header Server"] if without else [])]


def _header(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("_"))


def _checks(pool: Pool) -> list[str]:
    """Return the backend of the health checks, with their own connect timeout. It gets no requests."""
    check = pool.group.health_check
    lines = [f"backend {pool.name}{CHECKS}", f"timeout connect {check.timeout}s", *_check_request(check)]
    return lines + [_server_line(pool, server.name, _check_words(pool)) for server in pool.servers]


def _backend(pool: Pool) -> list[str]:
    """Return the backend that uses the healthy servers."""
    slow_start = pool.group.attributes.get("slow_start.duration_seconds", "0")
    slowly = [f"slowstart {slow_start}s"] if slow_start != "0" else []
    lines = [f"backend {pool.name}", *_balance(pool), *limits.responses(), *_sticky(pool), *_failures(pool)]
    return lines + [
        _server_line(pool, server.name, [f"track {pool.name}{CHECKS}/{server.name}", *slowly])
        for server in pool.servers
    ]


def _open_backend(pool: Pool) -> list[str]:
    """Return the backend that uses all servers, regardless of their health."""
    lines = [f"backend {pool.name}{OPEN}", *_balance(pool), *limits.responses(), *_sticky(pool), *_failures(pool)]
    return lines + [_server_line(pool, server.name, []) for server in pool.servers]


def _balance(pool: Pool) -> list[str]:
    return [f"balance {ALGORITHMS[pool.group.attributes.get('load_balancing.algorithm.type', 'round_robin')]}"]


def _check_request(check: HealthCheck) -> list[str]:
    """Return the lines for the request of a health check.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    host = "%[srv_name]" if check.port == "traffic-port" else f"%[srv_name,field(1,:)]:{check.port}"
    return [
        f"timeout check {check.timeout}s",
        "option httpchk",
        f'http-check send meth GET uri {quoted(check.path)} ver HTTP/1.1 hdr Host "{host}" '
        "hdr Connection close hdr User-Agent ELB-HealthChecker/2.0",
        f"http-check expect status {check.matcher}",
    ]


def _server_line(pool: Pool, name: str, words: list[str]) -> str:
    # ELB does not verify its targets' certificates either
    secured = ["ssl verify none"] if pool.group.protocol == "HTTPS" else []
    return " ".join(["server", name, name, *secured, *words])


def _check_words(pool: Pool) -> list[str]:
    check = pool.group.health_check
    words = ["check", f"inter {check.interval}s"]
    words += [f"rise {check.healthy_threshold}", f"fall {check.unhealthy_threshold}"]
    if check.port != "traffic-port":
        words.append(f"port {check.port}")
    if check.protocol != pool.group.protocol:
        words.append("check-ssl verify none" if check.protocol == "HTTPS" else "no-check-ssl")
    return words


def _sticky(pool: Pool) -> list[str]:
    """Return the lines for sticky sessions.

    If the server in a cookie is down, another server is used, and the cookie in the answer names that one.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html
    """
    attributes = pool.group.attributes
    if attributes.get("stickiness.enabled") != "true":
        return []
    names = [server.name for server in pool.servers]
    kind = attributes.get("stickiness.type", "lb_cookie")
    seconds = int(attributes.get(f"stickiness.{kind}.duration_seconds", DEFAULT_STICKINESS))
    if kind == "lb_cookie":
        lines = [
            f"http-request set-var(txn.cookie) req.cook({TARGET_COOKIE})",
            f"http-request set-var(txn.cookie) req.cook({TARGET_COOKIE}CORS) if !{{ var(txn.cookie) -m found }}",
            "http-request set-var(txn.issued) var(txn.cookie),field(2,-),add(0)",
            "http-request set-var(txn.age) date(),sub(txn.issued)",
        ]
        lines += [
            f"use-server {name} if {{ var(txn.cookie),field(1,-) {rules.token(name)} }} "
            f"{{ var(txn.age) -m int le {seconds} }}"
            for name in names
        ]
        return lines + rules.set_cookie(TARGET_COOKIE, "%[srv_name,sha1,hex,lower]-%[date()]", COOKIE_SECONDS)
    cookie = attributes.get("stickiness.app_cookie.cookie_name", "")
    lines = [
        f"use-server {name} if {{ req.cook({cookie}) -m found }} "
        f"{{ req.cook({APPLICATION_COOKIE}) {rules.token(name)} }}"
        for name in names
    ]
    value = f"{APPLICATION_COOKIE}=%[srv_name,sha1,hex,lower]; Expires=%[date({seconds}),http_date]; Path=/"
    return [*lines, f'http-response add-header Set-Cookie "{value}" if {{ res.cook({cookie}) -m found }}']


def _failures(pool: Pool) -> list[str]:
    """Return the lines for unreachable targets: 502, or 504 if the connection timed out. HAProxy's status is 503.

    For a group without targets the status stays 503.
    """
    if not pool.servers:
        return []
    unanswered = "!{ var(txn.answered) -m bool } { status 503 }"
    waited = "date(0,ms),sub(txn.began)"
    set_status = "http-after-response set-status"
    limit = (CONNECT_TIMEOUT * 1000) - 100
    words = f"%[{waited},div({limit}),bool,iif({pages.title(504)},{pages.title(502)})]"
    return [
        f"http-error status 503 content-type text/html lf-string {quoted(pages.page_titled(words))} {pages.SENT_BY}",
        "http-request set-var(txn.began) date(0,ms)",
        "http-response set-var(txn.answered) bool(true)",
        f"http-after-response set-var(txn.waited) {waited} if {unanswered}",
        f'{set_status} 504 reason "{pages.REASONS[504]}" if {unanswered} {{ var(txn.waited) -m int ge {limit} }}',
        f'{set_status} 502 reason "{pages.REASONS[502]}" if {unanswered}',
    ]
