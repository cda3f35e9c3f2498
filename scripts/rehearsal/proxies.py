"""Two small servers of the rehearsals: one that records which function calls what, one that invokes deployed functions."""

import http.client
import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Handler(BaseHTTPRequestHandler):
    """Reads a body and writes an answer; subclasses decide what it is."""

    protocol_version = "HTTP/1.1"

    def answer_to(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        raise NotImplementedError

    def serve(self) -> None:
        status, headers, answer = self.answer_to(self.rfile.read(int(self.headers.get("content-length", 0))))
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1000

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no news."""


def start(handler: type[Handler]) -> int:
    """Serves on a free port of the loopback, in threads that end with the process. Returns the port."""
    server = Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def action(method: str, path: str, headers: Mapping[str, str]) -> str | None:
    """The IAM action of a request, with the method where policies tell methods apart."""
    if "/@connections/" in path or "/%40connections/" in path:
        return f"execute-api:ManageConnections/{method}"
    if target := headers.get("x-amz-target"):
        service, _, operation = target.partition(".")
        return f"{service.split('_')[0].lower()}:{operation}"
    if (method, path) == ("POST", "/v2/email/outbound-emails"):
        return "ses:SendEmail"
    return None


class Recorder:
    """Passes the calls of functions on and records them by function, which is known by the SDK's application id."""

    def __init__(self, aws: int) -> None:
        """`aws` is the emulator's port."""
        self.seen: dict[str, set[str]] = defaultdict(set)
        # The port that serves @connections; the emulator itself until somebody else does.
        self.connections = aws
        # The function that calls while none has been given an application id.
        self.unnamed: str | None = None
        recorder = self

        class Forward(Handler):
            def answer_to(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
                call = action(self.command, self.path, self.headers)
                agent = f"{self.headers.get('user-agent', '')} {self.headers.get('x-amz-user-agent', '')}"
                named = re.search(r"\bapp/(\w+)", agent)
                if call and (name := named[1] if named else recorder.unnamed):
                    recorder.seen[name].add(call)
                port = recorder.connections if call and call.startswith("execute-api") else aws
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                try:
                    upstream.request(self.command, self.path, body, dict(self.headers))
                    response = upstream.getresponse()
                    return response.status, response.getheaders(), response.read()
                except OSError as error:
                    return 502, [], str(error).encode()
                finally:
                    upstream.close()

        self.port = start(Forward)


def invoker(invoke: Callable[[str, bytes], tuple[bytes, bool]]) -> int:
    """Serves Lambda's Invoke API. `invoke` takes a function's name and an event, and returns the answer and whether the
    function failed. Returns the port.

    Sixteen run at once and the others wait: AWS would start an environment for each, which two cores cannot."""
    turns = threading.BoundedSemaphore(16)

    class Invoke(Handler):
        def answer_to(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            name = self.path.split("/")[3]
            try:
                with turns:
                    answer, failed = invoke(name, body)
            except Exception as error:  # The gateway shall show it.
                return 500, [], json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()
            return 200, [("X-Amz-Function-Error", "Unhandled")] if failed else [], answer

    return start(Invoke)
