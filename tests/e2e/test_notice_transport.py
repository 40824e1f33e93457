"""Mails handed over: by Postfix's sendmail, by SMTP, by LMTP to Dovecot; fetched
from the mailbox again; and what is said when they are not taken."""

import contextlib
import imaplib
import os
import signal
import socket
import subprocess

import pytest

import dovecot

from mailboxes import Mailbox, mail_host, queue_is_empty  # noqa: F401 (a fixture)
from notices import TOOL, compose, notice, write_config
from processes import PATIENCE, command_name, descendants, wait_until

SENDMAIL = "sendmail:/usr/sbin/sendmail"
SMTP = "smtp://127.0.0.1:25"
LMTP_TCP = "lmtp://127.0.0.1"
LMTP_UNIX = "lmtp:unix:/run/dovecot/lmtp"


@pytest.fixture
def alice(mail_host):
    mailbox = Mailbox("alice@example.org")
    yield mailbox
    mailbox.close()


def start(config, *recipients, mail=b"Subject: x\n\ny\n"):
    process = subprocess.Popen(
        [TOOL, config, "hand-over", *recipients], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    process.stdin.write(mail)
    process.stdin.close()
    return process


def hand_over(config, *recipients, mail=b"Subject: x\n\ny\n"):
    """(what became of it, why) for each recipient."""
    process = start(config, *recipients, mail=mail)
    output = process.stdout.read().decode()
    assert process.wait() == 0
    return [tuple(line.split(" ", 1)) for line in output.splitlines()]


def site(directory, transport):
    return write_config(directory, f'transport = "{transport}"')


@pytest.mark.parametrize("transport", [SENDMAIL, SMTP, LMTP_TCP, LMTP_UNIX])
def test_a_notice_arrives(tmp_path, alice, transport):
    config = site(tmp_path, transport)
    sent = compose(config, notice())
    assert hand_over(config, "alice@example.org", mail=sent.raw) == [("taken", "")]
    [raw] = alice.wait(1)
    # What the servers put before it, and then every byte of it.
    lines = raw.replace(b"\r\n", b"\n").rstrip(b"\n")
    assert lines.endswith(sent.raw.split(b"\n\n", 1)[1].rstrip(b"\n"))
    header = lines.split(b"\n\n")[0] + b"\n"
    assert b"Return-Path: <mail@example.org>\n" in header
    assert header.count(b"\nSubject: ") == 1 and b"\nMessage-Id: <4711@example.org>\n" in header


@pytest.mark.parametrize("transport", [SENDMAIL, SMTP, LMTP_TCP])
def test_lines_with_dots(tmp_path, alice, transport):
    body = b".\n..\n.x\n\nFrom here\n.\nend\n"
    assert hand_over(
        site(tmp_path, transport), "alice@example.org", mail=b"Subject: dots\n\n" + body
    ) == [("taken", "")]
    [raw] = alice.wait(1)
    assert raw.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1].rstrip(b"\n") == body.rstrip(b"\n")


def test_many_by_one_connection(tmp_path, mail_host, alice):
    config = site(tmp_path, LMTP_TCP)
    log = mail_host.dovecot.log()
    assert hand_over(config, *["alice@example.org"] * 20) == [("taken", "")] * 20
    alice.wait(20)
    new = wait_until(
        lambda: (text := mail_host.dovecot.log()[len(log):]).count("Disconnect") and text,
        "a closed connection",
    )
    assert new.count("Connect from") == 1


@pytest.mark.parametrize("transport", [SMTP, LMTP_TCP])
def test_an_unknown_recipient_is_refused_and_the_next_is_not(tmp_path, alice, transport):
    first, second, third = hand_over(
        site(tmp_path, transport), "nobody@example.org", "alice@example.org", "nobody@example.org"
    )
    assert first[0] == third[0] == "refused"
    assert first[1].startswith("RCPT TO: 550 5.1.1 <nobody@example.org>")
    assert second == ("taken", "")
    alice.wait(1)


def test_sendmail_with_an_address_like_an_option(tmp_path, mail_host):
    """It is an address for Postfix, too, and is tried as one."""
    log = mail_host.postfix.log()
    assert hand_over(site(tmp_path, SENDMAIL), "-f@example.org")[0][0] in ("taken", "refused")
    wait_until(lambda: "-f@example.org" in mail_host.postfix.log()[len(log):], "log line")


@pytest.mark.parametrize("transport", [SMTP, LMTP_TCP])
def test_the_server_is_restarted_meanwhile(tmp_path, mail_host, alice, transport):
    process = start(site(tmp_path, transport), "alice@example.org", "-", "alice@example.org")
    assert process.stdout.readline() == b"taken \n"
    assert process.stdout.readline() == b"waiting\n"
    if transport == SMTP:
        # One that is being delivered meanwhile would be delivered once more.
        wait_until(queue_is_empty, "an empty queue", interval=0.05)
        mail_host.postfix.restart()
    else:
        mail_host.dovecot.restart()
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == b"taken \n"
    assert process.wait() == 0
    if transport == SMTP:
        alice.wait(2)
    else:
        mailbox = imaplib.IMAP4("127.0.0.1")
        mailbox.login("alice@example.org", dovecot.PASSWORD)
        assert mailbox.select("INBOX")[1] == [b"2"]
        mailbox.logout()


@pytest.mark.parametrize(
    "transport, reason",
    [
        ("smtp://127.0.0.1:9", "127.0.0.1: Connection refused"),
        ("lmtp:unix:/run/nothing", "/run/nothing: No such file or directory"),
        ("sendmail:/usr/sbin/nothing", "/usr/sbin/nothing: No such file or directory"),
        ("smtp://nowhere.invalid", "nowhere.invalid: "),
    ],
)
def test_nobody_there(tmp_path, mail_host, transport, reason):
    [(result, error)] = hand_over(site(tmp_path, transport), "alice@example.org")
    assert result == "unavailable" and error.startswith(reason)


def test_the_wrong_protocol(tmp_path, mail_host):
    """LHLO to an SMTP server: the way is broken, not the mail."""
    [(result, error)] = hand_over(site(tmp_path, "lmtp://127.0.0.1:25"), "alice@example.org")
    assert result == "unavailable" and error.startswith("LHLO: 5")


@contextlib.contextmanager
def settings(postfix, **values):
    """A Postfix with other settings. (After a reload, old processes go on for a
    while.)"""
    postfix.postconf("-e", *(f"{name}={value}" for name, value in values.items()))
    postfix.restart()
    try:
        yield
    finally:
        postfix.postconf("-X", *values)
        postfix.restart()


def test_a_sender_that_is_refused(tmp_path, mail_host):
    with settings(
        mail_host.postfix, smtpd_sender_restrictions="reject", smtpd_delay_reject="no"
    ):
        [(result, error)] = hand_over(site(tmp_path, SMTP), "alice@example.org")
    assert result == "unavailable" and error.startswith("MAIL FROM: 554 5.7.1")


def test_not_now(tmp_path, mail_host):
    """What greylisting says."""
    with settings(mail_host.postfix, smtpd_end_of_data_restrictions="defer"):
        [(result, error)] = hand_over(site(tmp_path, SMTP), "alice@example.org")
    assert result == "later" and error.startswith("end of data: 450 4.")


def test_too_large(tmp_path, mail_host):
    mail = b"Subject: x\n\n" + b"x" * 70 * 1000 + b"\n"
    with settings(mail_host.postfix, message_size_limit=10000):
        [(result, error)] = hand_over(site(tmp_path, SMTP), "alice@example.org", mail=mail)
    assert result == "refused" and "552 5.3.4" in error


def test_the_server_dies_before_it_answers(tmp_path, mail_host):
    """Nobody knows then whether the mail was taken."""
    # It has the whole mail when it asks a policy service, which then says nothing.
    service = socket.create_server(("127.0.0.1", 0))
    service.settimeout(PATIENCE)
    restriction = f"check_policy_service inet:127.0.0.1:{service.getsockname()[1]}"
    with service, settings(mail_host.postfix, smtpd_end_of_data_restrictions=restriction):
        process = start(site(tmp_path, SMTP), "alice@example.org")
        with service.accept()[0]:
            for pid in descendants(mail_host.postfix.pid):
                if command_name(pid) == "smtpd":
                    os.kill(pid, signal.SIGKILL)
        output = process.stdout.read().decode()
    assert process.wait() == 0
    assert output == "unknown end of data: the connection broke\n"


@pytest.mark.parametrize(
    "status, result",
    [(0, "taken"), (64, "unavailable"), (65, "refused"), (67, "refused"), (68, "refused"),
     (69, "unavailable"), (71, "later"), (75, "later"), (77, "unavailable"), (78, "unavailable"),
     (1, "unavailable")],
)  # fmt: skip
def test_what_a_sendmail_may_say(tmp_path, mail_host, status, result):
    """Other mail systems' programs, by their exit status."""
    program = tmp_path / "sendmail"
    program.write_text(
        f'#!/bin/sh\nprintf "%s|" "$@" >{tmp_path}/arguments\ncat >{tmp_path}/mail\n'
        f'printf "no\\nway\\n" >&2\nexit {status}\n'
    )
    program.chmod(0o755)
    [(got, error)] = hand_over(site(tmp_path, f"sendmail:{program}"), "alice@example.org")
    assert got == result
    assert error == ("" if status == 0 else f"sendmail ended with {status}: no way")
    assert (tmp_path / "arguments").read_text() == "-i|-f|mail@example.org|--|alice@example.org|"
    assert (tmp_path / "mail").read_bytes() == b"Subject: x\n\ny\n"


def test_a_sendmail_that_is_killed(tmp_path, mail_host):
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    [(result, error)] = hand_over(site(tmp_path, f"sendmail:{program}"), "alice@example.org")
    assert (result, error) == ("unknown", "sendmail was killed by signal 9:")
