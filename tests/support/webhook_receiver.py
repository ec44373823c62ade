#!/usr/bin/python3
"""A webhook's other end, for tests: HTTPS on a port of 127.0.0.1. Checks the signature with the secret, and adds each
request to a file as one line of JSON. What it answers stands in a file: "STATUS [RETRY-AFTER]", or "hang".

usage: webhook_receiver.py PORT CERTIFICATE-AND-KEY SECRET-FILE ANSWER-FILE LOG-FILE"""
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import threading
import time

PORT, PEM, SECRET, ANSWER, LOG = sys.argv[1:]
LOCK = threading.Lock()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = pathlib.Path(ANSWER).read_text(encoding="ascii").split()
        signed = self.headers["Veerdienst-Timestamp"].encode() + b"." + body
        right = "sha256=" + hmac.new(pathlib.Path(SECRET).read_bytes(), signed, hashlib.sha256).hexdigest()
        line = {"path": self.path, "answer": answer, "type": self.headers["Content-Type"],
                "id": self.headers["Veerdienst-Id"], "at": int(self.headers["Veerdienst-Timestamp"]),
                "signed": hmac.compare_digest(right, self.headers["Veerdienst-Signature"] or ""),
                "body": json.loads(body)}
        with LOCK, open(LOG, "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if answer[0] == "hang":
            time.sleep(60)
            return
        self.send_response(int(answer[0]))
        if len(answer) > 1:
            self.send_header("Retry-After", answer[1])
        if answer[0].startswith("3"):
            self.send_header("Location", f"https://localhost:{PORT}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(PORT)), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(PEM)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
