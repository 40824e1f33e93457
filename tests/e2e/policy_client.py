"""A client of the policy daemon by its protocol, as Postfix is one: for thousands of
requests in a second, and for what Postfix would never send."""

import socket

from policyd import SOCKET
from processes import PATIENCE


def request(**attributes):
    """One policy request; an attribute may be bytes. Allowed unless it says otherwise."""
    everything = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "client_address": "203.0.113.5",
        "server_port": "587",
        "sasl_method": "PLAIN",
        "sasl_username": "alice",
        "encryption_protocol": "TLSv1.3",
        **attributes,
    }
    lines = []
    for name, value in everything.items():
        value = value if isinstance(value, bytes) else str(value).encode()
        lines.append(name.encode() + b"=" + value + b"\n")
    return b"".join(lines) + b"\n"


def ask_all(requests, path=SOCKET):
    """Asks one after another on one connection; the actions that are answered."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(path))
        answers = client.makefile("rb")
        actions = []
        for text in requests:
            client.sendall(text)
            actions.append(answers.readline().decode().rstrip("\n").partition("=")[2])
            assert answers.readline() == b"\n"
        return actions
