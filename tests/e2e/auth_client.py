"""A client of Dovecot's auth process by its own protocol, as a login process or
Postfix is one: for thousands of logins in a second, from any address, and no
login process in between that has limits of its own."""

import base64
import socket

from dovecot import AUTH_SOCKET

TIMEOUT = 30


class AuthClient:
    def __init__(self, path=AUTH_SOCKET):
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.settimeout(TIMEOUT)
        self._connection.connect(path)
        self._connection.sendall(b"VERSION\t1\t2\nCPID\t4711\n")
        self._lines = self._connection.makefile("rb")
        while self._read() != ["DONE"]:
            pass
        self._last = 0

    def _read(self):
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the auth process hung up")
        return line.rstrip(b"\n").decode().split("\t")

    def log_in(self, attempts, fields=("service=imap", "lport=143")):
        """Sends all attempts (user, password, client) by PLAIN and returns the
        auth process' answers: lists that begin with OK or FAIL."""
        request = ""
        for user, password, client in attempts:
            self._last += 1
            secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
            words = ["AUTH", str(self._last), "PLAIN", *fields, f"rip={client}", f"resp={secret}"]
            request += "\t".join(words) + "\n"
        self._connection.sendall(request.encode())
        answers = []
        while len(answers) < len(attempts):
            answer = self._read()
            if answer[0] in ("OK", "FAIL"):
                answers.append(answer)
        return answers

    def close(self):
        self._lines.close()
        self._connection.close()
