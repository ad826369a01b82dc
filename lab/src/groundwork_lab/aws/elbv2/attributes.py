"""The attributes of load balancers and target groups: default and permitted values. Pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ListenerAttribute.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from groundwork_lab.aws.context import refuse


@dataclass(frozen=True)
class Attribute:
    """An attribute with `choices` or a range of integers. `lab` are the values that the lab supports, None for all."""

    default: str
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    lab: tuple[str, ...] | None = None
    pattern: str = ""

    def wrong(self, value: str) -> str | None:
        """Return what is wrong with a value, in AWS' words, or None if it is valid."""
        if self.choices and value not in self.choices:
            return f"must be one of [{', '.join(self.choices)}]"
        if self.low is not None and self.high is not None:
            extra_zero = self.default == "0" and value == "0"
            if not extra_zero and not (value.isdigit() and self.low <= int(value) <= self.high):
                return f"must be between '{self.low}-{self.high}' inclusive"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return "is not valid"
        return None


def _switch(default: str, *, lab: tuple[str, ...] | None = None) -> Attribute:
    return Attribute(default, choices=("true", "false"), lab=lab)


OFF = ("false",)
LOGS = {
    f"{kind}.s3.{part}": attribute
    for kind in ("access_logs", "connection_logs")
    for part, attribute in (
        ("enabled", _switch("false", lab=OFF)),
        ("bucket", Attribute("")),
        ("prefix", Attribute("")),
    )
}
LOAD_BALANCER: Mapping[str, Attribute] = {
    **LOGS,
    "client_keep_alive.seconds": Attribute("3600", low=60, high=604800),
    "deletion_protection.enabled": _switch("false"),
    "idle_timeout.timeout_seconds": Attribute("60", low=1, high=4000),
    "load_balancing.cross_zone.enabled": _switch("true", lab=("true",)),  # always on for an Application Load Balancer
    "routing.http.desync_mitigation_mode": Attribute(
        "defensive", choices=("monitor", "defensive", "strictest"), lab=("defensive",)
    ),
    "routing.http.drop_invalid_header_fields.enabled": _switch("false"),
    "routing.http.preserve_host_header.enabled": _switch("false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": _switch("false"),
    "routing.http.xff_client_port.enabled": _switch("false"),
    "routing.http.xff_header_processing.mode": Attribute("append", choices=("append", "preserve", "remove")),
    "routing.http2.enabled": _switch("true"),
    "waf.fail_open.enabled": _switch("false"),
    "zonal_shift.config.enabled": _switch("false", lab=OFF),
}
_HEALTH = "target_group_health"
_COOKIE_SECONDS = Attribute("86400", low=1, high=604800)
TARGET_GROUP: Mapping[str, Attribute] = {
    "deregistration_delay.timeout_seconds": Attribute("300", low=0, high=3600),
    "load_balancing.algorithm.anomaly_mitigation": Attribute("off", choices=("on", "off"), lab=("off",)),
    "load_balancing.algorithm.type": Attribute(
        "round_robin", choices=("round_robin", "least_outstanding_requests", "weighted_random")
    ),
    "load_balancing.cross_zone.enabled": Attribute(
        "use_load_balancer_configuration", choices=("true", "false", "use_load_balancer_configuration")
    ),
    "slow_start.duration_seconds": Attribute("0", low=30, high=900),
    "stickiness.app_cookie.cookie_name": Attribute("", pattern=r"[!#$%&'*+\-.^_`|~0-9A-Za-z]*"),
    "stickiness.app_cookie.duration_seconds": _COOKIE_SECONDS,
    "stickiness.enabled": _switch("false"),
    "stickiness.lb_cookie.duration_seconds": _COOKIE_SECONDS,
    "stickiness.type": Attribute("lb_cookie", choices=("lb_cookie", "app_cookie")),
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.count": Attribute("1", lab=("1", "off")),
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.percentage": Attribute("off", lab=("off",)),
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.count": Attribute("1", lab=("1",)),
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute("off", lab=("off",)),
}
_HEADER = r"[ -~]{0,1024}"
_HEADER_NAME = r"[A-Za-z0-9_-]{1,40}"
_RESPONSES = {  # the values of headers that are added to responses, by header
    "strict_transport_security": _HEADER,
    "access_control_allow_origin": _HEADER,
    "access_control_allow_methods": _HEADER,
    "access_control_allow_headers": _HEADER,
    "access_control_allow_credentials": "(true)?",
    "access_control_expose_headers": _HEADER,
    "access_control_max_age": r"(-1|\d{1,5})?",
    "content_security_policy": _HEADER,
    "x_content_type_options": "(nosniff)?",
    "x_frame_options": r"(DENY|SAMEORIGIN|ALLOW-FROM [!-~]+)?",
}
_LISTENER: Mapping[str, Attribute] = {
    "routing.http.response.server.enabled": _switch("true"),
    **{
        f"routing.http.response.{header}.header_value": Attribute("", pattern=pattern)
        for header, pattern in _RESPONSES.items()
    },
}
_MTLS = ("clientcert_serial_number", "clientcert_issuer", "clientcert_subject", "clientcert_validity")
_REQUESTS = {
    f"routing.http.request.{header}.header_name": "-".join(word.capitalize() for word in header.split("_"))
    for header in (
        *(f"x_amzn_mtls_{each}" for each in (*_MTLS, "clientcert_leaf", "clientcert")),
        "x_amzn_tls_version",
        "x_amzn_tls_cipher_suite",
    )
}
_HTTPS_LISTENER: Mapping[str, Attribute] = {
    **_LISTENER,
    **{
        key: Attribute(name, pattern=_HEADER_NAME, lab=(name,) if "mtls" in key else None)
        for key, name in _REQUESTS.items()
    },
}


def listener(protocol: str) -> Mapping[str, Attribute]:
    """Return the attributes of a listener with this protocol."""
    return _HTTPS_LISTENER if protocol == "HTTPS" else _LISTENER


def defaults(known: Mapping[str, Attribute]) -> dict[str, str]:
    return {key: attribute.default for key, attribute in known.items()}


def check(kind: str, known: Mapping[str, Attribute], wanted: Mapping[str, str]) -> None:
    """Refuse unknown keys, values that AWS does not accept, and values that the lab does not support."""
    for key, value in wanted.items():
        attribute = known.get(key)
        if attribute is None:
            refuse("ValidationError", f"{kind} attribute key '{key}' is not recognized")
        wrong = attribute.wrong(value)
        if wrong:
            refuse("ValidationError", f"'{key}' value '{value}' {wrong}")
        if attribute.lab is not None and value not in attribute.lab:
            message = f"The lab does not do '{key}' with the value '{value}'; it takes {' or '.join(attribute.lab)}."
            refuse("InvalidConfigurationRequest", message)


def check_target_group(merged: Mapping[str, str]) -> None:
    """Refuse combinations of target group attributes that AWS does not accept."""
    application = merged["stickiness.type"] == "app_cookie"
    name = merged["stickiness.app_cookie.cookie_name"]
    if application and not name:
        message = "You must set an application cookie name to enable stickiness of type 'app_cookie'"
        refuse("InvalidConfigurationRequest", message)
    if name.startswith(("AWSALB", "AWSALBAPP", "AWSALBTG")):
        refuse("InvalidConfigurationRequest", f"The application cookie name '{name}' is reserved")
    algorithm = merged["load_balancing.algorithm.type"]
    if merged["slow_start.duration_seconds"] != "0" and algorithm != "round_robin":
        message = f"Slow start mode is not supported with the load balancing algorithm '{algorithm}'"
        refuse("InvalidConfigurationRequest", message)
