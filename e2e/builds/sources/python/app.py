import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from harbour_greeting import greet


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = (greet("python") + "\n").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
