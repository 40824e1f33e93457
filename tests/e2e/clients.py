"""Mail programs: one function for each protocol makes a connection, logs in
and tells what the server said. For longer talks connect_imap() and the like
return the connection.

client: the address to connect from; any address of either family will do. A
loopback address connects to the server's loopback address.
tls: "none", "starttls" or "implicit".
mechanism: a SASL mechanism, or None for the protocol's own way (the LOGIN
command of IMAP, USER and PASS of POP3).
proxy: 1 or 2, to come through a proxy on the server's own host that tells
client and port in a PROXY protocol header of that version.
"""

import base64
import imaplib
import ipaddress
import poplib
import re
import smtplib
import socket
import ssl

from dataclasses import dataclass, field
from typing import Optional

import dovecot
import postfix
import proxy_protocol

from dovecot import PASSWORD
from namespaces import DOVECOT_ADDRESSES, HOST_NAME, POSTFIX_ADDRESSES
from sasl import Exchange

GERMANY = "78.46.5.205"
TIMEOUT = 30
IPV6_FREEBIND = 78  # linux/in6.h; the socket module does not name it

IMAP_PORTS = {"none": 143, "starttls": 143, "implicit": 993}
POP3_PORTS = {"none": 110, "starttls": 110, "implicit": 995}


@dataclass
class Reply:
    accepted: bool
    text: str


@dataclass
class MailReply:
    """How sending a mail went. login is None when nobody logged in."""

    login: Optional[Reply] = None
    recipients: list[Reply] = field(default_factory=list)
    data: Optional[Reply] = None

    @property
    def accepted(self):
        return self.data is not None and self.data.accepted

    @property
    def text(self):
        """The last thing that the client was told."""
        if self.data is not None:
            return self.data.text
        return self.recipients[-1].text if self.recipients else self.login.text


def make_tls_context(version=None):
    """version: an ssl.TLSVersion, the only one that it speaks."""
    # The certificate is the server's own; who the server is, is not the question here.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version is not None:
        # What OpenSSL 3 takes no more by itself.
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


TLS_CONTEXT = make_tls_context()


def open_socket(addresses, port, client, tls="none", proxy=None, proxy_ports=None):
    """A connection to one of the server's addresses, the one that suits the
    client; with implicit TLS the handshake is done."""
    family = ipaddress.ip_address(client).version
    loopback = ipaddress.ip_address(client).is_loopback
    local = ("127.0.0.1", "::1")[family == 6]
    server = local if loopback else addresses[family == 6]
    if proxy:
        connection = socket.create_connection(("127.0.0.1", proxy_ports[port]), TIMEOUT)
        connection.sendall(proxy_protocol.header(proxy, client, (server, port)))
    else:
        connection = socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET)
        connection.settimeout(TIMEOUT)
        if family == 6:
            connection.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        connection.bind((client, 0))
        connection.connect((server, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls == "implicit":
        return TLS_CONTEXT.wrap_socket(connection)
    return connection


imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH"))


class _Imap(imaplib.IMAP4):
    def __init__(self, connection):
        self._connection = connection
        super().__init__(HOST_NAME)

    def _create_socket(self, timeout):
        return self._connection

    def exchange(self, mechanism, user, password):
        exchange = Exchange(mechanism, user, password)
        return self.authenticate(mechanism, exchange.answer)

    def introduce(self, name, version):
        """Says what program it is (RFC 2971)."""
        self._simple_command("ID", f'("name" "{name}" "version" "{version}")')


class _Pop3(poplib.POP3):
    def __init__(self, connection):
        self._connection = connection
        super().__init__(HOST_NAME, timeout=TIMEOUT)

    def _create_socket(self, timeout):
        return self._connection

    def exchange(self, mechanism, user, password):
        exchange = Exchange(mechanism, user, password)
        reply = self._shortcmd(f"AUTH {mechanism}")
        while reply.startswith(b"+ "):
            answer = exchange.answer(base64.b64decode(reply[2:]))
            reply = self._shortcmd(base64.b64encode(answer).decode())
        return reply


class _Smtp(smtplib.SMTP):
    def __init__(self, connection, name):
        self._connection = connection
        super().__init__(local_hostname=name, timeout=TIMEOUT)  # without a host: not yet

    def _get_socket(self, host, port, timeout):
        return self._connection

    def exchange(self, mechanism, user, password):
        """Returns the last reply's code and text."""
        exchange = Exchange(mechanism, user, password)
        initial = exchange.initial()
        # RFC 4954: an empty initial response is sent as "=".
        argument = "" if initial is None else " " + (base64.b64encode(initial).decode() or "=")
        code, text = self.docmd("AUTH", mechanism + argument)
        while code == 334:
            answer = exchange.answer(base64.b64decode(text))
            code, text = self.docmd(base64.b64encode(answer).decode())
        return code, text


class Sieve:
    """ManageSieve (RFC 5804), as much as a login needs."""

    def __init__(self, connection):
        self._use(connection)
        self.read_reply()

    def _use(self, connection):
        self._connection = connection
        self._file = connection.makefile("rb")

    def _read_line(self):
        """A line; a literal in it is put in its place, in quotes."""
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server hung up")
        line = line.rstrip(b"\r\n").decode()
        literal = re.search(r"\{(\d+)\}$", line)
        if literal:
            text = self._file.read(int(literal[1])).decode()
            self._file.readline()
            line = f'{line[:literal.start()]}"{text}"'
        return line

    def read_reply(self):
        """Reads to the OK, NO or BYE."""
        while True:
            line = self._read_line()
            if re.match(r"(OK|NO|BYE)\b", line):
                return Reply(line.startswith("OK"), line.partition(" ")[2])

    def send(self, line):
        self._connection.sendall(line.encode() + b"\r\n")

    def starttls(self):
        self.send("STARTTLS")
        assert self.read_reply().accepted
        self._use(TLS_CONTEXT.wrap_socket(self._connection))
        self.read_reply()

    def exchange(self, mechanism, user, password):
        exchange = Exchange(mechanism, user, password)
        initial = exchange.initial()
        argument = "" if initial is None else f' "{base64.b64encode(initial).decode()}"'
        self.send(f'AUTHENTICATE "{mechanism}"{argument}')
        while True:
            line = self._read_line()
            if not line.startswith('"'):
                return Reply(line.startswith("OK"), line.partition(" ")[2])
            answer = exchange.answer(base64.b64decode(line.strip('"')))
            self.send(f'"{base64.b64encode(answer).decode()}"')

    def close(self):
        self._file.close()
        self._connection.close()


def _text(data):
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)


def connect_imap(client=GERMANY, tls="none", port=None, proxy=None):
    port = port or IMAP_PORTS[tls]
    connection = _Imap(
        open_socket(DOVECOT_ADDRESSES, port, client, tls, proxy, dovecot.PROXY_PORTS)
    )
    if tls == "starttls":
        connection.starttls(TLS_CONTEXT)
    return connection


def imap(
    user,
    password=PASSWORD,
    client=GERMANY,
    tls="none",
    mechanism=None,
    port=None,
    proxy=None,
    program=None,
):
    """program: its name and version, if it shall say them."""
    connection = connect_imap(client, tls, port, proxy)
    try:
        if program is not None:
            connection.introduce(*program)
        if mechanism is None:
            _, data = connection.login(user, password)
        else:
            _, data = connection.exchange(mechanism, user, password)
        return Reply(True, _text(data[-1]))
    except imaplib.IMAP4.error as error:
        return Reply(False, _text(error.args[0]))
    finally:
        connection.shutdown()


def connect_pop3(client=GERMANY, tls="none", port=None, proxy=None):
    port = port or POP3_PORTS[tls]
    connection = _Pop3(
        open_socket(DOVECOT_ADDRESSES, port, client, tls, proxy, dovecot.PROXY_PORTS)
    )
    if tls == "starttls":
        connection.stls(TLS_CONTEXT)
    return connection


def pop3(
    user,
    password=PASSWORD,
    client=GERMANY,
    tls="none",
    mechanism=None,
    port=None,
    proxy=None,
):
    connection = connect_pop3(client, tls, port, proxy)
    try:
        if mechanism is None:
            connection.user(user)
            reply = connection.pass_(password)
        else:
            reply = connection.exchange(mechanism, user, password)
        return Reply(True, _text(reply))
    except poplib.error_proto as error:
        return Reply(False, _text(error.args[0]))
    finally:
        connection.close()


def sieve(user, password=PASSWORD, client=GERMANY, tls="none", mechanism="PLAIN", proxy=None):
    connection = Sieve(
        open_socket(DOVECOT_ADDRESSES, 4190, client, "none", proxy, dovecot.PROXY_PORTS)
    )
    try:
        if tls == "starttls":
            connection.starttls()
        return connection.exchange(mechanism, user, password)
    finally:
        connection.close()


def connect_smtp(
    port, client=GERMANY, tls="none", proxy=None, addresses=POSTFIX_ADDRESSES, helo="laptop"
):
    proxy_ports = postfix.PROXY_PORTS
    if addresses == DOVECOT_ADDRESSES:
        proxy_ports = dovecot.PROXY_PORTS
    connection = _Smtp(open_socket(addresses, port, client, tls, proxy, proxy_ports), helo)
    connection._host = HOST_NAME  # for starttls()
    code, text = connection.connect(HOST_NAME, port)
    if code != 220:
        raise smtplib.SMTPConnectError(code, text)
    if tls == "starttls":
        connection.ehlo()
        connection.starttls(context=TLS_CONTEXT)
    connection.ehlo()
    return connection


def connect_smtp_by_xclient(port, client, tls="none", helo="laptop"):
    """From the server's own host, which says on whose behalf (Postfix's XCLIENT)."""
    connection = connect_smtp(port, "127.0.0.1", tls, helo=helo)
    code, text = connection.docmd("XCLIENT", f"ADDR={client}")
    if code != 220:
        raise smtplib.SMTPConnectError(code, text)
    connection.ehlo()
    return connection


def _smtp_reply(code, text):
    return Reply(code // 100 == 2, f"{code} {_text(text)}")


def submission(
    user, password=PASSWORD, client=GERMANY, tls="none", mechanism="PLAIN", proxy=None
):
    """A login to Dovecot's own submission service."""
    port = 465 if tls == "implicit" else 587
    connection = connect_smtp(port, client, tls, proxy, DOVECOT_ADDRESSES)
    try:
        return _smtp_reply(*connection.exchange(mechanism, user, password))
    finally:
        connection.close()


def smtp(
    port,
    user=None,
    password=PASSWORD,
    client=GERMANY,
    tls="none",
    mechanism="PLAIN",
    recipients=("someone@example.org",),
    sender="sender@example.org",
    proxy=None,
):
    """Sends a mail through Postfix, having logged in if a user is given."""
    if port == 465:
        tls = "implicit"
    connection = connect_smtp(port, client, tls, proxy)
    result = MailReply()
    try:
        if user is not None:
            result.login = _smtp_reply(*connection.exchange(mechanism, user, password))
            if not result.login.accepted:
                return result
        connection.mail(sender)
        for recipient in recipients:
            result.recipients.append(_smtp_reply(*connection.rcpt(recipient)))
        if any(reply.accepted for reply in result.recipients):
            mail = f"From: {sender}\r\nSubject: a test\r\n\r\nA test.\r\n"
            result.data = _smtp_reply(*connection.data(mail))
        return result
    finally:
        connection.close()
