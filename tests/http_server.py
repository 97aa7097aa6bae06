"""A real HTTP server on 127.0.0.1 whose answers a test writes down beforehand."""

import contextlib
import socket
import struct
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """One answer: a status, headers, and a body of which `sent` bytes are sent before the connection closes.

    A `stalls` answer keeps the connection open, silent, until the server stops, `held_until` until that is set; one
    that `resets` ends with a TCP reset in place of an orderly end.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    stalls: bool = False
    held_until: threading.Event | None = None
    resets: bool = False


@dataclass(frozen=True)
class File:
    """A file that is served with ranges, as a good server does: RFC 9110, sections 13 and 14."""

    body: bytes
    etag: str = '"one"'

    def answer(self, headers):
        """Return the answer to a request with these headers."""
        if "Range" not in headers or headers.get("If-Range", self.etag) != self.etag:
            return Answer(200, self.body, {"ETag": self.etag})
        first, last = headers["Range"].removeprefix("bytes=").split("-")
        start, stop = int(first), min(int(last) + 1, len(self.body)) if last else len(self.body)
        if start >= len(self.body):
            return Answer(416, b"", {"Content-Range": f"bytes */{len(self.body)}"})
        content_range = f"bytes {start}-{stop - 1}/{len(self.body)}"
        return Answer(206, self.body[start:stop], {"ETag": self.etag, "Content-Range": content_range})


class ScriptedServer(ThreadingHTTPServer):
    """Give the answers of `script[path]` one after the other, the last one for ever; keep the requests' headers."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = {}
        self.requests = defaultdict(list)
        self.stopping = threading.Event()

    def url(self, path):
        """Return the address of `path` on this server."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def answer(self, path, headers):
        """Note a request and return its answer; 404 for a path that no script names."""
        self.requests[path].append(headers)
        steps = self.script.get(path, [Answer(404)])
        step = steps[min(len(self.requests[path]), len(steps)) - 1]
        return step.answer(headers) if isinstance(step, File) else step


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        answer = self.server.answer(self.path, dict(self.headers))
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the client may be killed, as some tests do
            self.wfile.write(answer.body[: answer.sent])
        if answer.held_until:
            answer.held_until.wait()
        if answer.stalls:
            self.server.stopping.wait()
        if answer.resets:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            socket.close(self.connection.detach())

    def log_message(self, *_args):
        """Keep the test's output clean."""


@contextlib.contextmanager
def running_server():
    """Yield a ScriptedServer that answers until the block ends."""
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.stopping.set()
            server.shutdown()
            thread.join()
