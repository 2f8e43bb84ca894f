"""Binds, forks three children, and all of them accept at the one socket, as servers of that school do."""

import json
import os
import socket

listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind((os.environ["HOST"], int(os.environ["PORT"])))
listening.listen(64)
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        while True:
            connection, _ = listening.accept()
            connection.recv(65536)
            body = json.dumps({"pod": os.environ["HOSTNAME"], "pid": os.getpid()}).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            connection.sendall(head.encode() + body)
            connection.close()
    children.append(child)
for child in children:
    os.waitpid(child, 0)
