"""names.py ADDRESS NAME=IP...: answers DNS questions for these names on ADDRESS, and 'no such name' for all others."""
import socket
import sys

known = dict(pair.split("=") for pair in sys.argv[2:])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
while True:
    question, sender = server.recvfrom(512)
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1:at + 1 + question[at]].decode("ascii", "replace"))
        at += 1 + question[at]
    ip = known.get(".".join(labels).lower())
    is_address = question[at + 1:at + 3] == b"\0\1"  # type A; others of a known name have no answer
    answers = [b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4" + socket.inet_aton(ip)] if ip and is_address else []
    flags = b"\x81\x80" if ip else b"\x81\x83"
    server.sendto(question[:2] + flags + b"\0\1" + len(answers).to_bytes(2, "big") + b"\0\0\0\0" + question[12:at + 5]
                  + b"".join(answers), sender)
