"""The services of the lab, and the applications that answer their requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.test import run_wsgi_app

from groundwork_lab.aws.errors import Answer, Protocol

Application = Callable[[dict[str, Any]], Answer]


@dataclass(frozen=True)
class Service:
    """A service. `client` is boto3's name for it, `backend` is moto's."""

    client: str
    backend: str
    protocol: Protocol


SERVICES = {  # by signing name
    "ec2": Service("ec2", "ec2", "ec2"),
    "elasticloadbalancing": Service("elbv2", "elbv2", "query"),
    "autoscaling": Service("autoscaling", "autoscaling", "query"),
    "s3": Service("s3", "s3", "s3"),
    "ssm": Service("ssm", "ssm", "json"),
    "iam": Service("iam", "iam", "query"),
    "sts": Service("sts", "sts", "query"),
    "cloudfront": Service("cloudfront", "cloudfront", "rest-xml"),
    "route53": Service("route53", "route53", "rest-xml"),
    "acm": Service("acm", "acm", "json"),
    "kms": Service("kms", "kms", "json"),
    "tagging": Service("resourcegroupstaggingapi", "resourcegroupstaggingapi", "json"),
}


def make_application(service: Service) -> Application:
    """Return the application that answers the service's requests."""
    if service.backend == "s3":
        from groundwork_lab.aws.s3.application import application  # noqa: PLC0415 - heavy

        return application
    flask = make_flask_application(service)

    def answered(environ: dict[str, Any]) -> Answer:
        chunks, status, headers = run_wsgi_app(flask, environ, buffered=True)
        return Answer(int(status.split()[0]), tuple(headers.items()), b"".join(chunks))

    return answered


def make_flask_application(service: Service) -> Any:
    """Create moto's Flask application for one service. Exceptions of moto are raised, not handled."""
    from moto.moto_server.werkzeug_app import create_backend_app  # noqa: PLC0415 - heavy

    application = create_backend_app(service.backend)
    application.debug = False
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return application
