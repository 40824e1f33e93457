"""The policy daemon behind a real Postfix."""

import threading

import pytest

import clients

from clients import GERMANY
from processes import wait_until

pytestmark = pytest.mark.daemon

RECIPIENTS = ("one@example.org", "two@example.org", "three@example.org")
STRANGER = "203.0.113.77"

PORT_25 = """
rule smtp-port-25 {
    kind    = "submission-port"
    %s      = "always"
}
"""

RELAYS_ONLY = f"""
network germany {{ addresses = {{ "{GERMANY}" }} }}
rule inbound {{
    kind           = "relay"
    allow-networks = {{ "campus", "germany" }}
    enforce        = "always"
    message        = "Mail comes in by the relays"
}}
"""


@pytest.mark.parametrize("date", ["observe", "enforce"])
def test_three_recipients_are_one_record(host, date):
    host.apply(PORT_25 % date)
    for _ in range(2):
        mail = clients.smtp(25, "alice@example.org", tls="starttls", recipients=RECIPIENTS)
        assert mail.accepted == (date == "observe")
        assert len(mail.recipients) == len(RECIPIENTS)
        for recipient, reply in zip(RECIPIENTS, mail.recipients):
            if date == "enforce":
                assert reply.text.startswith(f"550 5.7.1 <{recipient}>: ")
        event = host.postfix_journal.wait_one()
        assert event["rules"] == {"smtp-port-25": date}
        assert event["user"] == "alice@example.org"
        assert event["verified"]
    assert not [event for event in host.recorded() if event["source"] == "postfix"]


def test_killed_and_restarted_under_load(host):
    """Mail goes on without it, and never gets a permanent error that is not the
    policy's."""
    host.apply(RELAYS_ONLY)
    stop = threading.Event()
    replies = {GERMANY: [], STRANGER: []}

    def send(client):
        while not stop.is_set():
            mail = clients.smtp(25, client=client)
            replies[client].append(mail)

    def some_mails():
        wanted = {client: len(mails) + 8 for client, mails in replies.items()}
        enough = lambda: all(len(replies[client]) >= wanted[client] for client in wanted)
        wait_until(enough, "mails of both")

    threads = [threading.Thread(target=send, args=(client,)) for client in replies for _ in "123"]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            some_mails()
            host.policyd.kill()
            some_mails()
            host.policyd.start(host.environment)
        # With the daemon back, the policy holds again.
        wait_until(lambda: not clients.smtp(25, client=STRANGER).accepted, "rejection")
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    for mail in replies[GERMANY]:
        assert mail.accepted, mail
    for mail in replies[STRANGER]:
        assert mail.accepted or (
            mail.recipients[0].text.startswith("550 5.7.1 <someone@example.org>: ")
            and "Mail comes in by the relays" in mail.recipients[0].text
        ), mail
    assert any(not mail.accepted for mail in replies[STRANGER])


def test_no_daemon_at_all(host):
    host.apply(RELAYS_ONLY)
    assert not clients.smtp(25, client=STRANGER).accepted
    host.policyd.stop()
    try:
        assert clients.smtp(25, client=STRANGER).accepted
    finally:
        host.policyd.start(host.environment)
