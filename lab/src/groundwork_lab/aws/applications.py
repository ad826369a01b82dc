"""The applications that answer the requests of the services."""

from __future__ import annotations

from typing import Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import run_wsgi_app

from groundwork_lab.aws.corrections import Application, Corrections
from groundwork_lab.aws.errors import Answer
from groundwork_lab.aws.services import Service


def make_application(service: Service, corrections: Corrections | None) -> Application:
    """Return the application that answers the service's requests: its own one, or moto's."""
    if corrections is not None and corrections.application is not None:
        return corrections.application
    flask = make_flask_application(service)

    def answered(environ: dict[str, Any]) -> Answer:
        chunks, status, headers = run_wsgi_app(flask, environ, buffered=True)
        return Answer(int(status.split()[0]), tuple(headers.items()), b"".join(chunks))

    return answered


def make_flask_application(service: Service) -> Any:
    """Create moto's Flask application for one service. Exceptions of moto are raised, not handled."""
    application = create_backend_app(service.moto)
    application.debug = False
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return application
