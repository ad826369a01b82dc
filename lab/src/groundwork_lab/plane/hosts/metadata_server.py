"""The HTTP server of the instance metadata service, one in the router of each VPC."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address

from groundwork_lab import processes
from groundwork_lab.model import World
from groundwork_lab.plane.hosts import metadata
from groundwork_lab.settings import Settings

ADDRESS = "169.254.169.254"
SYSTEM_TTL = -1  # ip(7): resets it to net.ipv4.ip_default_ttl


class MetadataService:
    """Serves all VPCs of the latest `World`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tokens = metadata.Tokens(secrets.token_bytes(32))
        self._world = World()
        self._servers: dict[str, _Server] = {}
        self._lock = threading.Lock()

    def follow(self, world: World) -> None:
        """Answer from `world` from now on, and close the servers of deleted VPCs: a socket keeps a namespace alive."""
        self._world = world
        with self._lock:
            gone = [self._servers.pop(vpc_id) for vpc_id in set(self._servers) - set(world.vpcs)]
        for server in gone:
            server.close()

    def serve(self, vpc_id: str) -> None:
        """Listen in the VPC's router, if it does not yet. Raise OSError if the router is not ready."""
        with self._lock:
            if vpc_id not in self._servers:
                bound = processes.listen(self._settings.namespace(vpc_id), ADDRESS, 80)
                self._servers[vpc_id] = _Server(vpc_id, bound, self._respond)

    def close(self) -> None:
        self.follow(World())

    def _respond(self, request: metadata.Request, vpc_id: str, source: IPv4Address) -> metadata.Response:
        world = self._world
        who = metadata.caller(world, vpc_id, source)
        return metadata.respond(request, who, world, self._tokens, int(time.time()))


Respond = Callable[[metadata.Request, str, IPv4Address], metadata.Response]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, vpc_id: str, bound: socket.socket, respond: Respond) -> None:
        super().__init__((ADDRESS, 80), _Handler, bind_and_activate=False)
        self.socket.close()  # the base class created it in this process' own namespace
        self.socket = bound
        self.vpc_id = vpc_id
        self.respond = respond
        self._thread = threading.Thread(target=self.serve_forever, name=f"metadata-{vpc_id}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 30  # seconds until an idle connection is closed
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = metadata.Request(
            method=self.command,
            path=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        self._send(self.server.respond(request, self.server.vpc_id, IPv4Address(self.client_address[0])))

    def _send(self, response: metadata.Response) -> None:
        hops = SYSTEM_TTL if response.hop_limit is None else response.hop_limit
        self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' signature
        """Do nothing: the hosts' own logs contain their requests."""
