"""Mailboxes that mail arrives in, by Postfix and Dovecot's LMTP."""

import contextlib
import imaplib
import subprocess

import pytest

import dovecot

from processes import wait_until

LMTP = """
service lmtp {
  inet_listener lmtp {
    %s = 127.0.0.1
    port = 24
  }
  unix_listener lmtp {
    mode = 0600
  }
}
"""


@pytest.fixture(scope="module")
def mail_host(_installed_host):
    """Dovecot that takes mail by LMTP, and Postfix that gives it all to Dovecot."""
    host = _installed_host
    listen = "address" if host.dovecot.version == (2, 3) else "listen"
    host.apply("", dovecot=LMTP % listen)
    before = {
        name: subprocess.run(
            ["postconf", "-h", name], check=True, capture_output=True, text=True
        ).stdout.strip()
        for name in ("virtual_transport", "virtual_mailbox_maps")
    }
    known = "inline:{ alice@example.org=x, -f@example.org=x, bob@example.org=x }"
    host.postfix.postconf(
        "-e", "virtual_transport=lmtp:inet:127.0.0.1:24", f"virtual_mailbox_maps={known}"
    )
    host.postfix.restart()
    yield host
    host.postfix.postconf("-e", *(f"{name}={value}" for name, value in before.items()))
    host.postfix.restart()


def queue_is_empty():
    """Asked twice: a mail that goes from one of the queue's folders into another
    while they are read, one after the other, may be missed once."""
    command = ["postqueue", "-j"]
    return not any(subprocess.run(command, check=True, capture_output=True).stdout for _ in "12")


class Mailbox:
    def __init__(self, user):
        self.client = imaplib.IMAP4("127.0.0.1")
        self.client.login(user, dovecot.PASSWORD)
        self.client.select("INBOX")
        _, [numbers] = self.client.search(None, "ALL")
        if numbers:
            self.client.store("1:*", "+FLAGS", r"\Deleted")
            self.client.expunge()

    def wait(self, count):
        def enough():
            self.client.noop()
            _, [numbers] = self.client.search(None, "ALL")
            return len(numbers.split()) >= count and numbers.split()

        numbers = wait_until(enough, f"{count} mails", interval=0.05)
        assert len(numbers) == count
        return [self.client.fetch(number, "(RFC822)")[1][0][1] for number in numbers]

    def close(self):
        with contextlib.suppress(imaplib.IMAP4.error):  # the server was restarted
            self.client.logout()
