"""A web server on this machine that serves one file, and misbehaves as told."""

import http.server
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Server:
    """`faults` are taken off one a request, the first first; after them all goes well."""

    content: bytes
    faults: list[str] = field(default_factory=list)
    ranges: bool = True
    etag: str | None = '"v1"'
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request

    def __enter__(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                server.answer(self)

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}/file.bin"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def answer(self, request):
        asked = request.headers.get("Range")
        self.asked.append(asked)
        fault = self.faults.pop(0) if self.faults else ""
        if fault.isdecimal():
            request.send_error(int(fault))
            return
        unchanged = request.headers.get("If-Range") in (None, self.etag)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges and unchanged else 0
        if start >= len(self.content):
            request.send_error(416)
            return
        body = self.content[start:]
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if fault != "no length":
            request.send_header("Content-Length", str(len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        if fault == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault in ("cut", "stall", "no length"):
            body = body[: len(body) // 2]
        try:
            request.wfile.write(body)
            request.wfile.flush()
            if fault == "stall":
                time.sleep(2)
        except OSError:
            pass  # the other side has given up
        request.close_connection = True
