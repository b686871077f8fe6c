"""A proxy in front of the service. It remembers each request, and does to the next ones what `faults` says."""

import http.client
import json
import re
import ssl
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

Seen = namedtuple("Seen", "method path headers body status")

# Headers of one connection.
OWN = {"host", "connection", "content-length", "transfer-encoding", "keep-alive"}


class Proxy(ThreadingHTTPServer):
    """`faults`: for each next request `None` (pass it on), `"lost"` (pass it on, and close the connection without the answer), or
    `(status, headers)` (answer that, and pass nothing on). With `at_once`, the service is asked not to wait, so that a caller has to look again."""

    daemon_threads = True

    def __init__(self, service):
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = urlsplit(service)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.faults = []
        self.at_once = False
        self.seen = []
        self.lock = threading.Lock()

    def fault(self):
        with self.lock:
            return self.faults.pop(0) if self.faults else None

    def handle_error(self, *_):
        pass

    def bodies(self, path="/refreshes"):
        """The bodies of POSTs to a path."""
        return [json.loads(seen.body) for seen in self.seen if seen.method == "POST" and seen.path == path]

    def statuses(self, method=None):
        return [seen.status for seen in self.seen if method in (None, seen.method)]

    def __contains__(self, text):
        """Whether a body or path that passed has the text."""
        return any(text in seen.path or text.encode() in seen.body for seen in self.seen)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        fault = server.fault()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OWN}
        if isinstance(fault, tuple):
            status, answer_headers = fault
            answer = b'{"message":"Service Unavailable"}'
            answer_headers = {"Content-Type": "application/json", **answer_headers}
        else:
            kind = http.client.HTTPSConnection if server.service.scheme == "https" else http.client.HTTPConnection
            more = {"context": ssl.create_default_context()} if server.service.scheme == "https" else {}
            connection = kind(server.service.hostname, server.service.port, timeout=60, **more)
            path, sent = self.path, body
            if server.at_once:
                path = re.sub(r"\?wait_seconds=\d+", "", path)
                sent = re.sub(rb'"wait_seconds": ?\d+', b'"wait_seconds":0', body)
            connection.request(self.command, path, sent, headers)
            answered = connection.getresponse()
            status, answer = answered.status, answered.read()
            answer_headers = {name: value for name, value in answered.getheaders() if name.lower() not in OWN}
            connection.close()
        server.seen.append(Seen(self.command, self.path, dict(self.headers), body, "lost" if fault == "lost" else status))
        if fault == "lost":
            self.close_connection = True
            self.connection.shutdown(2)
            return
        self.send_response(status)
        for name, value in answer_headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = pass_on
