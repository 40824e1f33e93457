"""The files of conf-examples/portcullis with their cases' dates, and what each promises:
before, while and after it comes true. All dates are moved by the same number of days,
so that a day of the case's timetable is today. The hour is that of a time zone made
for it.
"""

import datetime
import re

from functools import partial

import pytest

import cases
import clients

from clock import Clock
from mmdb import CLIENTS
from processes import wait_until

USER = "alice@example.org"
CAMPUS, WEBMAIL = "192.0.2.77", "198.51.100.25"
RELAY, STRANGER = "198.51.100.1", CLIENTS["US"][0]


def _load(host, case, today, now):
    """Puts a case's file in force as if it were this day and hour."""
    clock = Clock(now)
    shift = datetime.date.fromisoformat(clock.day()) - datetime.date.fromisoformat(today)

    def moved(match):
        return str(datetime.date.fromisoformat(match[0]) + shift)

    text = re.sub(r"\b\d{4}-\d\d-\d\d\b", moved, cases.dated(case))
    host.apply("", site=text, timezone=clock.timezone)


def imap(tls="none", **options):
    return partial(clients.imap, USER, tls=tls, **options)


def pop3(tls="none", **options):
    return partial(clients.pop3, USER, tls=tls, **options)


def send(port, tls="none", **options):
    return partial(clients.smtp, port, USER, tls=tls, **options)


def deliver(client):
    """Mail to port 25 without a login."""
    return partial(clients.smtp, 25, client=client)


IN, OUT = True, False

# Case, day, hour: attempts with what becomes of them and the rules that they break.
TIMETABLE = {
    "a 2024-07-14 12:00:00": [
        (imap(), IN, {}),
        (pop3("starttls"), IN, {}),
    ],
    "a 2024-11-16 12:00:00": [
        (imap(), IN, {"plain-text": "notify", "starttls": "observe"}),
        (pop3(), IN, {"plain-text": "notify", "starttls": "observe"}),
        (imap("starttls"), IN, {"starttls": "observe"}),
        (imap("implicit"), IN, {}),
    ],
    "a 2024-11-17 12:00:00": [
        (imap(), OUT, {"plain-text": "enforce", "starttls": "notify"}),
        (pop3(), OUT, {"plain-text": "enforce", "starttls": "notify"}),
        (imap("starttls"), IN, {"starttls": "notify"}),
        (pop3("implicit"), IN, {}),
    ],
    "a 2025-03-17 12:00:00": [
        (imap(), OUT, {"plain-text": "enforce", "starttls": "enforce"}),
        (imap("starttls"), OUT, {"starttls": "enforce"}),
        (pop3("starttls"), OUT, {"starttls": "enforce"}),
        (imap("implicit"), IN, {}),
        (pop3("implicit"), IN, {}),
        (send(587, "starttls"), IN, {}),
    ],
    "b 2024-04-30 12:00:00": [
        (imap(), IN, {}),
        (send(587, mechanism="CRAM-MD5"), IN, {}),
    ],
    "b 2024-09-19 12:00:00": [
        (imap(), IN, {"encryption": "notify"}),
        (pop3("implicit", mechanism="CRAM-MD5"), IN, {"mechanism": "notify"}),
        (send(25), IN, {"encryption": "notify"}),
    ],
    "b 2024-09-20 12:00:00": [
        (imap(), OUT, {"encryption": "enforce"}),
        (pop3(), OUT, {"encryption": "enforce"}),
        (send(25), OUT, {"encryption": "enforce"}),
        (send(587), OUT, {"encryption": "enforce"}),
        (imap("starttls", mechanism="CRAM-MD5"), OUT, {"mechanism": "enforce"}),
        (pop3("implicit", mechanism="SCRAM-SHA-256"), OUT, {"mechanism": "enforce"}),
        (send(465, mechanism="CRAM-MD5"), OUT, {"mechanism": "enforce"}),
        (imap("starttls"), IN, {}),
        (pop3("implicit", mechanism="LOGIN"), IN, {}),
        (send(587, "starttls", mechanism="LOGIN"), IN, {}),
        (send(465), IN, {}),
        # Nobody who only brings us mail is concerned.
        (deliver(STRANGER), IN, {}),
    ],
    "c 2024-05-01 12:00:00": [
        *((imap("implicit", client=CLIENTS[c][0]), IN, {}) for c in ("DE", "AT", "CH", "FR")),
        *((pop3("implicit", client=CLIENTS[c][1]), IN, {}) for c in ("DE", "AT", "CH", "FR")),
        (imap("implicit", client=CLIENTS["US"][0]), OUT, {"country": "enforce"}),
        (pop3("implicit", client=CLIENTS["JP"][1]), OUT, {"country": "enforce"}),
        (imap("implicit", client=CLIENTS["unknown"][0]), OUT, {"country": "enforce"}),
        (imap(), OUT, {"ssl-only": "enforce"}),
        (imap("starttls"), OUT, {"ssl-only": "enforce"}),
        (imap("starttls", client=STRANGER), OUT, {"ssl-only": "enforce", "country": "enforce"}),
        # The VPN's addresses are the campus'.
        (imap("implicit", client=CAMPUS), IN, {}),
        (imap("starttls", client=CAMPUS), OUT, {"ssl-only": "enforce"}),
        (imap(client=WEBMAIL), IN, {}),
        (send(587, "starttls", client=STRANGER), IN, {}),
    ],
    "d 2024-09-30 23:00:00": [
        (pop3("implicit"), IN, {"pop3": "observe"}),
        (imap("implicit"), IN, {}),
    ],
    "d 2024-10-01 00:10:00": [
        (pop3(), OUT, {"pop3": "enforce"}),
        (pop3("implicit"), OUT, {"pop3": "enforce"}),
        (imap(), IN, {}),
        (imap("implicit"), IN, {}),
    ],
    "e 2024-02-29 12:00:00": [
        (send(25), IN, {}),
        (deliver(STRANGER), IN, {}),
        (deliver(CAMPUS), IN, {}),
    ],
    "e 2024-08-20 09:00:00": [
        (send(25, "starttls"), IN, {"smtp-port-25": "notify"}),
        (deliver(CAMPUS), IN, {"smtp-port-25": "notify"}),
        (deliver(STRANGER), IN, {"inbound-relays": "observe"}),
    ],
    # The brown-out.
    "e 2024-08-20 12:00:00": [
        (send(25, "starttls"), OUT, {"smtp-port-25": "enforce"}),
        (deliver(CAMPUS), OUT, {"smtp-port-25": "enforce"}),
        (deliver(STRANGER), IN, {"inbound-relays": "observe"}),
        (send(587, "starttls"), IN, {}),
    ],
    "e 2024-09-20 05:00:00": [
        (send(25), IN, {"smtp-port-25": "notify", "submission-tls": "notify"}),
        (deliver(STRANGER), IN, {"inbound-relays": "observe"}),
    ],
    "e 2024-09-20 07:00:00": [
        (send(25), OUT, {"smtp-port-25": "enforce", "submission-tls": "enforce"}),
        (send(25, "starttls"), OUT, {"smtp-port-25": "enforce"}),
        (deliver(CAMPUS), OUT, {"smtp-port-25": "enforce"}),
        (deliver(STRANGER), OUT, {"inbound-relays": "enforce"}),
        (deliver(RELAY), IN, {}),
        (send(587), OUT, {"submission-tls": "enforce"}),
        (send(587, "starttls"), IN, {}),
        (send(465), IN, {}),
    ],
}


def _new_events(host):
    """The events that name a rule."""
    journals = (host.dovecot_journal, host.postfix_journal)
    return [event for journal in journals for event in journal.read() if event["rules"]]


@pytest.mark.parametrize("moment", TIMETABLE)
def test_case(host, moment):
    _load(host, *moment.split())
    for attempt, accepted, rules in TIMETABLE[moment]:
        reply = attempt()
        assert reply.accepted == accepted, f"{attempt}: {reply}"
        if not accepted:
            assert " See https://www.example." in reply.text, reply
        if not rules:
            continue
        (event,) = wait_until(lambda: _new_events(host), f"record of {attempt}")
        assert event["rules"] == rules, f"{attempt}: {event}"
        assert event["action"] == ("allow" if accepted else "reject"), f"{attempt}: {event}"
    assert not [event for event in host.recorded() if event["rules"]]


def test_every_case_is_here():
    assert cases.PATHS.keys() == {moment.split()[0] for moment in TIMETABLE}
