"""Answers requests until SIGTERM, then finishes those under way."""

import json
import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from greeting import VERSION, greet


class Handler(BaseHTTPRequestHandler):
    # A client that opens a connection and says nothing is let go.
    timeout = 30

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path == "/":
            self.answer(200, "text/plain; charset=utf-8", greet(parse_qs(parts.query)))
        elif parts.path == "/healthz":
            self.answer(200, "application/json", '{"status": "ok"}\n')
        elif parts.path == "/version":
            about = {"version": VERSION, "instance": socket.gethostname()}
            self.answer(200, "application/json", json.dumps(about) + "\n")
        else:
            self.answer(404, "text/plain; charset=utf-8", "there is no such page\n")

    def answer(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, text, *values):
        if self.path != "/healthz":
            print(text % values, flush=True)


class Server(ThreadingHTTPServer):
    # The end waits for the threads that still answer.
    daemon_threads = False


def main():
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    server = Server(address, Handler)

    def end(number, frame):
        print("SIGTERM: finishing the requests under way", flush=True)
        # shutdown() waits for serve_forever(), which runs in this very thread.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, end)
    print(f"python-web {VERSION} listens at http://{address[0]}:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    print("ended", flush=True)


if __name__ == "__main__":
    sys.exit(main())
