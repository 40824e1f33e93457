"""The client's side of the SASL mechanisms.

A mechanism is a function of user and password that makes a generator: it is
primed with next(), yields the client's messages and is sent the server's
challenges. The first message is the initial response; None stands for a
mechanism in which the server speaks first.
"""

import base64
import hashlib
import hmac
import os


def plain(user, password, authorise_as=""):
    yield f"{authorise_as}\0{user}\0{password}".encode()


def login(user, password):
    yield None
    yield user.encode()
    yield password.encode()


def cram_md5(user, password):
    """RFC 2195."""
    challenge = yield None
    digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
    yield f"{user} {digest}".encode()


def scram_sha_256(user, password, binding=None):
    """RFC 5802 and RFC 7677; SCRAM-SHA-256-PLUS if binding is given, which is
    the type and the data of a channel binding. The server must prove that it
    knows the password too."""
    header, bound = b"n,,", b""
    if binding is not None:
        header, bound = f"p={binding[0]},,".encode(), binding[1]
    nonce = base64.b64encode(os.urandom(18)).decode()
    client_first = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
    server_first = (yield header + client_first.encode()).decode()

    fields = dict(field.split("=", 1) for field in server_first.split(","))
    assert fields["r"].startswith(nonce)
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    client_final = f"c={base64.b64encode(header + bound).decode()},r={fields['r']}"
    message = f"{client_first},{server_first},{client_final}".encode()
    signature = hmac.digest(stored_key, message, "sha256")
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    server_final = yield f"{client_final},p={base64.b64encode(proof).decode()}".encode()

    server_key = hmac.digest(salted, b"Server Key", "sha256")
    expected = base64.b64encode(hmac.digest(server_key, message, "sha256"))
    assert server_final == b"v=" + expected, server_final
    yield b""


MECHANISMS = {
    "PLAIN": plain,
    "LOGIN": login,
    "CRAM-MD5": cram_md5,
    "SCRAM-SHA-256": scram_sha_256,
    "SCRAM-SHA-256-PLUS": scram_sha_256,
}


class Exchange:
    """Runs a mechanism: initial() first, then answer() for each challenge."""

    def __init__(self, mechanism, user, password, **options):
        self._messages = MECHANISMS[mechanism](user, password, **options)
        self._first = next(self._messages)

    def initial(self):
        """The initial response, or None."""
        first, self._first = self._first, None
        return first

    def answer(self, challenge):
        """The answer to the server's next challenge. An initial response that
        has not been sent is the answer to the empty first one."""
        first = self.initial()
        if first is not None:
            return first
        return self._messages.send(challenge)
