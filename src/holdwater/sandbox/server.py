"""Serves a simulated business on loopback, in the dialects of the CRMs the sandbox speaks."""

from __future__ import annotations

import json
import random
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from holdwater.sandbox.business import Business
from holdwater.sandbox.dialect import Answer, Dialect
from holdwater.sandbox.hubspot import PORTAL_ID, HubSpot
from holdwater.sandbox.hubspot_search import CAP

Reply = tuple[int, dict[str, str], bytes]  # status, headers, body


class Sandbox:
    """A running sandbox; one request is answered at a time.

    `requests` has the method and path of every request so far. `on_request`, when set, is called with the number
    of the request (from 1) and its path before it is answered; a reply that it returns goes out instead. `on_reply`,
    when set, may change every reply before it goes out.
    """

    def __init__(self, business: Business, token: str, dialects: tuple[Dialect, ...]) -> None:
        self.business = business
        self.token = token
        self.url = ""
        self.authority = ""  # who vouches for its certificate, as PEM
        self.requests: list[tuple[str, str]] = []
        self.on_request: Callable[[int, str], Reply | None] | None = None
        self.on_reply: Callable[[str, Reply], Reply] | None = None
        self._dialects = dialects
        self._turn = threading.Lock()

    def reply(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The reply to one request for `target`, a path with its query."""
        path, _, query = target.partition("?")
        with self._turn:
            self.requests.append((method, path))
            instead = self.on_request(len(self.requests), path) if self.on_request else None
            if instead is not None:
                return instead
            answer = Answer(404, {}, {"status": "error", "message": f"No CRM of the sandbox has {path}."})
            for dialect in self._dialects:
                if path.startswith(dialect.prefixes):
                    answer = dialect.answer(method, path, query, body, headers)
                    break
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, separators=(",", ":"))
            reply = answer.status, {"Content-Type": "application/json;charset=utf-8", **answer.headers}, text.encode()
            return self.on_reply(path, reply) if self.on_reply else reply


@contextmanager
def serve(
    business: Business,
    *,
    token: str = "simulated-token",  # noqa: S107 - opens the sandbox and nothing else
    search_cap: int = CAP,
    portal_id: int = PORTAL_ID,
    shuffle: random.Random | None = None,
) -> Iterator[Sandbox]:
    """Serve a business in HubSpot's dialect on a free port of 127.0.0.1 until the block ends.

    `search_cap` lowers HubSpot's wall of 10,000 results, so that a small business reaches it. `portal_id` is HubSpot's
    number of the account, with `shuffle` its searches keep to no order.
    """
    dialect = HubSpot(business, token=token, search_cap=search_cap, portal_id=portal_id, shuffle=shuffle)
    with serving(business, token, dialect) as sandbox:
        yield sandbox


@contextmanager
def serving(business: Business, token: str, *dialects: Dialect, tls: ssl.SSLContext | None = None) -> Iterator[Sandbox]:
    """The same in the dialects of any vendors; each checks the token itself. `tls` has the certificate for https."""
    sandbox = Sandbox(business, token, dialects)
    server = _Server(sandbox, tls)
    sandbox.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox")
    thread.start()
    try:
        yield sandbox
    finally:
        server.shutdown()
        thread.join()
        server.hang_up()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them, and leaves no socket open

    def __init__(self, sandbox: Sandbox, tls: ssl.SSLContext | None) -> None:
        self.sandbox = sandbox
        self._tls = tls
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the network for this machine's name, as HTTPServer does."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls:  # the handshake waits for the handler's thread: a silent client holds up nobody else
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that clients keep alive: their handlers would wait forever."""
        for connection in list(self._connections):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client may go away in the middle of a reply, or not trust the certificate.
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # a reply leaves in one piece: in two, the client's delayed acknowledgement costs 40 ms
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = {name.lower(): value for name, value in self.headers.items()}
        status, headers, content = self.server.sandbox.reply(self.command, self.path, body, asked)
        self.send_response(status)
        # A reply that states a length of its own is cut off there.
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names that the base class looks for

    def end_headers(self) -> None:
        self.send_header("X-Holdwater-Simulated", "true")
        super().end_headers()

    def version_string(self) -> str:
        return "Holdwater sandbox"

    def date_time_string(self, timestamp: float | None = None) -> str:
        """For the Date header: the moment the business has come to, so that clients live in its time."""
        return format_datetime(self.server.sandbox.business.now, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""
