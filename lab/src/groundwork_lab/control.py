"""The daemon's control socket: HTTP over a Unix socket in the state folder, for root only."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from groundwork_lab.errors import LabError, not_up
from groundwork_lab.settings import Settings

_log = logging.getLogger(__name__)

# A route receives the rest of the path and the JSON body of the request. It returns bytes, or an object for JSON.
Route = Callable[[str, Any], object]


@dataclass(frozen=True)
class RefusalError(Exception):
    """A request that is refused. The message is shown to the user."""

    message: str
    status: int = 400


class Server:
    """Serves `routes`, keyed by `METHOD /word`. The rest of the path is the first argument of the route."""

    def __init__(self, path: Path, routes: Mapping[str, Route]) -> None:
        handler = type("Handler", (_Handler,), {"routes": routes})
        self._server = socketserver.ThreadingUnixStreamServer(str(path), handler)
        self._server.daemon_threads = True
        path.chmod(0o600)
        self._path = path
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.1], name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)


class _Handler(BaseHTTPRequestHandler):
    routes: Mapping[str, Route]

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has disconnected

    def _answer(self) -> None:
        _, word, rest = (*unquote(self.path).split("/", 2), "")[:3]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            route = self.routes.get(f"{self.command} /{word}")
            if route is None:
                raise RefusalError(f"{self.command} {self.path} is unknown; the daemon may be of another version.", 404)
            self._send(200, route(rest, json.loads(body) if body else None))
        except RefusalError as refusal:
            self._send(refusal.status, {"error": refusal.message})
        except Exception as error:  # a failed request must not end the server
            _log.exception("%s %s failed", self.command, self.path)
            self._send(500, {"error": f"The daemon failed to answer ({type(error).__name__}: {error}); see its log."})

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 (the names that BaseHTTPRequestHandler calls)

    def _send(self, status: int, answer: object) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Do nothing: a `status` command in a loop would fill the log."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("lab", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(settings: Settings, method: str, path: str, body: object = None) -> bytes:
    """Send a request to the daemon and return its answer. Raise LabError if it is refused or the daemon is not up."""
    connection = _Connection(settings.control)
    try:
        connection.request(method, path, body=json.dumps(body).encode() if body is not None else None)
        response = connection.getresponse()
        content = response.read()
    except (FileNotFoundError, ConnectionRefusedError) as error:
        raise not_up(settings) from error
    except PermissionError as error:
        raise LabError("The lab's control socket requires root; run this with sudo.") from error
    except TimeoutError as error:
        raise LabError(f"Timed out waiting for the daemon to answer; see {settings.log}.") from error
    finally:
        connection.close()
    if response.status != 200:
        raise LabError(json.loads(content)["error"])
    return content
