"""Every kind of rule in every phase, for every protocol, mechanism and state of
TLS, from IPv4 and IPv6 clients: what the client is told, and what is recorded."""

from dataclasses import dataclass
from typing import Optional

import pytest

import clients

from mailhost import HELP_URL
from mmdb import CLIENTS

USER = "alice@example.org"
RELAY = "198.51.100.25"  # in network webmail
ON_CAMPUS = "192.0.2.77"

DATES = {
    "off": 'observe = "2037-01-01"',
    "observe": 'observe = "2020-01-01"',
    "notify": 'observe = "2020-01-01" notify = "2020-06-01" enforce = "2037-01-01"',
    "enforce": 'notify = "2020-06-01" enforce = "2020-09-20"',
    "always": 'enforce = "always"',
    "brown-out": 'notify = "2020-06-01" brownouts = { "2020-07-01 00:00 +9999d" }',
}
RECORDED = {"always": "enforce", "brown-out": "enforce"}


@dataclass(frozen=True)
class Attempt:
    protocol: str
    tls: str = "none"
    mechanism: Optional[str] = "PLAIN"
    country: str = "DE"
    version: int = 4
    port: int = 0
    client: str = ""
    login: bool = True

    @property
    def address(self):
        return self.client or CLIENTS[self.country][self.version == 6]

    @property
    def local_port(self):
        if self.port:
            return self.port
        ports = {"imap": clients.IMAP_PORTS, "pop3": clients.POP3_PORTS}
        return ports[self.protocol][self.tls] if self.protocol in ports else 4190

    @property
    def service(self):
        if self.protocol != "smtp":
            return self.protocol
        return "submission" if self.login else "smtp"

    def make(self, password=clients.PASSWORD):
        """Whether the user got what he wanted, and the last thing he was told."""
        arguments = {"client": self.address, "tls": self.tls, "mechanism": self.mechanism}
        if self.protocol == "smtp":
            user = USER if self.login else None
            return clients.smtp(self.port, user, password, **arguments)
        return getattr(clients, self.protocol)(USER, password, **arguments)

    def __str__(self):
        return (
            f"{self.protocol} {self.local_port} {self.tls} {self.mechanism} from {self.address}"
        )


def _logins():
    """Each protocol with each mechanism and each state of TLS, from both
    families of addresses by turns."""
    attempts = []
    for tls in ("none", "starttls", "implicit"):
        for mechanism in (None, "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
            version = 6 if len(attempts) % 4 else 4
            attempts.append(Attempt("imap", tls, mechanism, version=version))
            attempts.append(Attempt("pop3", tls, mechanism, version=10 - version))
    for tls in ("none", "starttls"):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
            attempts.append(Attempt("sieve", tls, mechanism, version=6))
            attempts.append(Attempt("submission", tls, mechanism, port=587))
            attempts.append(Attempt("smtp", tls, mechanism, port=25, version=6))
            attempts.append(Attempt("smtp", tls, mechanism, port=587))
    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
        attempts.append(Attempt("smtp", "implicit", mechanism, port=465, version=6))
        attempts.append(Attempt("submission", "implicit", mechanism, port=465))
    return attempts


def _countries():
    attempts = []
    for country, version in (("DE", 4), ("AT", 6), ("US", 4), ("unknown", 6)):
        place = {"country": country, "version": version}
        attempts.append(Attempt("imap", "implicit", "PLAIN", **place))
        attempts.append(Attempt("pop3", "none", None, **place))
        attempts.append(Attempt("sieve", "starttls", "PLAIN", **place))
        attempts.append(Attempt("submission", "none", "CRAM-MD5", port=587, **place))
        for port in (25, 587, 465):
            tls = "implicit" if port == 465 else "starttls"
            attempts.append(Attempt("smtp", tls, "PLAIN", port=port, **place))
    for country, version in (("AT", 4), ("DE", 6), ("unknown", 4), ("US", 6)):
        place = {"country": country, "version": version}
        attempts.append(Attempt("imap", "starttls", "SCRAM-SHA-256", **place))
    # Addresses that no country has.
    for client in ("127.0.0.1", "::1", "10.1.2.3", "fd00::1", "169.254.9.9"):
        attempts.append(Attempt("imap", client=client))
    return attempts


def _without_login():
    attempts = []
    for client in (RELAY, ON_CAMPUS, "", "2001:db8::77"):
        for tls in ("none", "starttls"):
            attempts.append(Attempt("smtp", tls, "", port=25, client=client, login=False))
    return attempts


@dataclass(frozen=True)
class Kind:
    name: str
    options: str
    breaks: object  # a function of the attempt
    attempts: list
    before: bool  # refused before the password by default
    message: str  # how the default message begins
    smtp: str = "550 5.7.1"  # what Postfix answers


KINDS = [
    Kind(
        "encryption",
        "",
        lambda a: a.login and a.tls == "none",
        _logins() + _without_login() + [Attempt("imap", client="127.0.0.1")],
        False,
        "Access without encryption has been retired.",
        "530 5.7.0",
    ),
    Kind(
        "implicit-tls",
        "",
        lambda a: a.login and a.local_port not in (993, 995, 465),
        _logins() + _without_login(),
        False,
        "Access by this port, also with STARTTLS, has been retired.",
    ),
    Kind(
        "mechanism",
        "",
        lambda a: a.mechanism in ("CRAM-MD5", "SCRAM-SHA-256"),
        _logins() + _without_login(),
        False,
        "This authentication method has been retired.",
        "534 5.7.9",
    ),
    Kind(
        "country",
        'allow = { "DE", "AT", "CH", "FR" }',
        lambda a: a.login and not a.client and a.country not in ("DE", "AT", "CH", "FR"),
        _countries(),
        True,
        "Mail access from this country is not open.",
    ),
    Kind(
        "protocol",
        'services = { "pop3" }',
        lambda a: a.protocol == "pop3",
        _logins(),
        True,
        "Access by POP3 has been retired.",
    ),
    Kind(
        "submission-port",
        'client-networks = { "campus" }',
        lambda a: a.protocol == "smtp"
        and a.port == 25
        and (a.login or a.address in (ON_CAMPUS, "2001:db8::77")),
        _logins() + _without_login(),
        False,
        "Sending mail by this port has been retired.",
    ),
    Kind(
        "relay",
        'allow-networks = { "webmail" }',
        lambda a: not a.login and a.address != RELAY,
        [a for a in _logins() if a.protocol == "smtp"] + _without_login(),
        True,
        "This server takes mail from the central relays only.",
    ),
]


def _expected_text(kind, attempt, at_rcpt):
    """How the last reply to a rejected attempt begins, up to the rule's message."""
    if attempt.protocol == "imap":
        return "[ALERT] " if kind.before else "[CONTACTADMIN] "
    if attempt.protocol == "pop3":
        return "-ERR [AUTH] "
    if attempt.protocol == "sieve":
        return '"'
    if attempt.protocol == "submission":
        return "535 5.7.8 " if kind.before else "525 5.7.13 "
    if not at_rcpt:
        return "535 5.7.8 Error: authentication failed: "
    return f"{kind.smtp} <someone@example.org>: Recipient address rejected: "


def _check(host, kind, attempt, phase):
    """Makes one attempt and compares reply and record with the policy."""
    reply = attempt.make()
    broken = kind.breaks(attempt) and phase != "off"
    rejected = broken and phase == "enforce"
    at_rcpt = attempt.protocol == "smtp" and not (kind.before and attempt.login)

    assert reply.accepted == (not rejected), f"{attempt}: {reply}"
    if rejected:
        begin = _expected_text(kind, attempt, at_rcpt) + kind.message
        assert reply.text.startswith(begin), f"{attempt}: {reply.text}"
        assert reply.text.rstrip('"').endswith(f" See {HELP_URL}"), f"{attempt}: {reply.text}"
    if not broken:
        return

    by_postfix = attempt.protocol == "smtp" and (at_rcpt or not rejected)
    journal = host.postfix_journal if by_postfix else host.dovecot_journal
    events = []
    while not events:
        events = [event for event in journal.wait(1) if event["rules"]]
    assert len(events) == 1, f"{attempt}: {events}"
    event = events[0]
    assert event["rules"] == {kind.name: phase}, f"{attempt}: {event}"
    assert event["action"] == ("reject" if rejected else "allow"), f"{attempt}: {event}"
    assert event["source"] == ("postfix" if by_postfix else "dovecot"), f"{attempt}: {event}"
    assert event["service"] == attempt.service, f"{attempt}: {event}"
    assert event["client"] == attempt.address, f"{attempt}: {event}"
    assert event["verified"] == (attempt.login and not (rejected and kind.before)), event
    if attempt.login:
        assert event["user"] == USER, f"{attempt}: {event}"
        assert event["mechanism"] == (attempt.mechanism or "PLAIN"), f"{attempt}: {event}"
    # Of a login Postfix tells Dovecot neither the port nor what kind of TLS.
    if attempt.protocol != "smtp" or by_postfix:
        assert event["port"] == attempt.local_port, f"{attempt}: {event}"
        assert event["tls"] == attempt.tls, f"{attempt}: {event}"
    if kind.name == "country":
        known = attempt.country != "unknown"
        assert event["country"] == (attempt.country if known else ""), f"{attempt}: {event}"


@pytest.mark.parametrize("dates", DATES)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            id=kind.name,
            marks=[pytest.mark.daemon] if kind.name in ("submission-port", "relay") else [],
        )
        for kind in KINDS
    ],
)
def test_kind_in_phase(host, kind, dates):
    host.apply(f"rule {kind.name} {{\n    {kind.options}\n    {DATES[dates]}\n}}\n")
    attempts = kind.attempts
    if dates in ("always", "brown-out"):
        # Why it is enforced makes no difference to what that means: some will do.
        breaking = [attempt for attempt in attempts if kind.breaks(attempt)]
        keeping = [attempt for attempt in attempts if not kind.breaks(attempt)]
        attempts = breaking[::6] + keeping[::6]
    for attempt in attempts:
        _check(host, kind, attempt, RECORDED.get(dates, dates))
    # And nothing more than what has been looked at.
    assert not [event for event in host.recorded() if event["rules"] and event["user"] == USER]
