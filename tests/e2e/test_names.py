"""What strangers type for a user's name: it must find nobody else's exemption, nor
put anything odd into journal and log."""

import base64
import imaplib

import pytest

import clients

from clients import PASSWORD

ALICE, BOB, DAVE = "alice@example.org", "bob@example.org", "dave"

RULES = 'rule encryption { enforce = "always" message = "no TLS" }\n'

# Alice may do without TLS, and so may Dave, who has no domain where he logs in.
EXEMPTIONS = f"{ALICE} encryption 2037-12-31\n{DAVE}@example.org encryption 2037-12-31\n"


def _plain(response, program=None):
    """A login by PLAIN whose response is any bytes."""
    connection = clients.connect_imap()
    if program is not None:
        connection.introduce(*program)
    responses = iter([response])
    try:
        # What follows an error is to be confirmed by an empty response.
        _, data = connection.authenticate("PLAIN", lambda challenge: next(responses, b""))
        return clients.Reply(True, data[-1].decode())
    except imaplib.IMAP4.error as error:
        return clients.Reply(False, str(error.args[0]))
    finally:
        connection.shutdown()


def _response(user, password=PASSWORD, authorise_as=""):
    return b"\0".join(part.encode() for part in (authorise_as, user, password))


def _broken(events):
    return [event for event in events if event["rules"]]


@pytest.mark.parametrize("name", [ALICE, "ALICE@Example.ORG", DAVE, "Dave"])
def test_an_exemption_is_found_by_every_spelling(host, name):
    host.apply(RULES, EXEMPTIONS)
    assert clients.imap(name).accepted
    assert _plain(_response(name)).accepted
    assert not _broken(host.recorded())


@pytest.mark.parametrize("name, password, recorded", [
    (f"{ALICE}@x", "wrong", f"{ALICE}@x"),
    (f"x@{ALICE}", "wrong", f"x@{ALICE}"),
    ("alice@", "wrong", "alice@"),
    ("@example.org", "wrong", "@example.org"),
    # The name behind the separator is whose password it is.
    (f"{ALICE}*{BOB}", PASSWORD, BOB),
    (f"{ALICE}*master", PASSWORD, "master@example.org"),
    # Longer than anybody's name.
    # As long as Dovecot 2.4.5 takes it; whoever it is that invents it.
    (ALICE + "x" * 1007, "wrong", (ALICE + "x" * 1007)[:320] + "\u2026"),
])
def test_an_exemption_is_nobody_elses(host, name, password, recorded):
    host.apply(RULES, EXEMPTIONS)
    reply = _plain(_response(name, password))
    assert not reply.accepted and reply.text.endswith("] no TLS"), reply
    event = host.dovecot_journal.wait_one()
    assert event["rules"] == {"encryption": "enforce"} and event["action"] == "reject"
    assert event["user"] == recorded
    assert event["verified"] == (recorded == "master@example.org")


def test_to_act_for_somebody_exempted(host):
    """PLAIN's other name, as whom somebody wants to act, is not who is judged."""
    host.apply(RULES, EXEMPTIONS)
    for user, verified in ((BOB, False), ("master", True)):
        reply = _plain(_response(user, authorise_as=ALICE))
        assert not reply.accepted and reply.text.endswith("] no TLS"), reply
        event = host.dovecot_journal.wait_one()
        assert event["user"].partition("@")[0] == user.partition("@")[0]
        assert event["verified"] == verified


@pytest.mark.parametrize("program", [None, ("Thunderbird", "140")], ids=["nameless", "named"])
@pytest.mark.parametrize("response", [
    b"",
    b"x",
    b"\0" + ALICE.encode(),
    b"\0\0" + PASSWORD.encode(),
    b"\0" + ALICE.encode() + b"\0x\0" + PASSWORD.encode(),
    b"\0bob\n@example.org\0x",
    b"\0\xff\xfe@example.org\0x",
    "\0älice@example.org\0x".encode(),
    f"\0{ALICE}*\0x".encode(),
])
def test_what_is_no_name_is_not_recorded(host, response, program):
    """Dovecot refuses it by itself and asks no passdb, hence no gate."""
    host.apply(RULES, EXEMPTIONS)
    start = len(host.dovecot.log())
    assert not _plain(response, program).accepted
    # Somebody else's attempt comes behind it in journal and log.
    assert not clients.imap(BOB).accepted
    assert host.dovecot_journal.wait_one()["user"] == BOB
    log = host.dovecot.log()[start:]
    assert "portcullis: allowed" not in log and "Panic: " not in log


@pytest.mark.parametrize("commands, recorded", [
    # Dovecot 2.4 forgets the first one and does not pass on the second.
    (['("name" "first")', '("name" "second" "os" NIL)'], ("name=second os=", "")),
    (['("name" "first")', "NIL"], ("",)),
    (['("name" "\\"\x1b[31m,\\"")'], ('name="\x1b[31m,"',)),
    ([f'("name" "{"x" * 800}")'], ("name=" + "x" * 251 + "…",)),
])
def test_what_a_program_says_of_itself(host, commands, recorded):
    """The last IMAP ID before the login, cut short."""
    host.apply(RULES)
    connection = clients.connect_imap()
    try:
        for command in commands:
            connection.send(f"a ID {command}\r\n".encode())
            assert connection.readline().startswith(b"* ID")
            assert connection.readline().startswith(b"a OK")
        with pytest.raises(imaplib.IMAP4.error):
            connection.login(BOB, PASSWORD)
    finally:
        connection.shutdown()
    assert host.dovecot_journal.wait_one()["client_id"] in recorded


def test_cancelled_exchanges(host):
    """Nobody is locked out, or let in, by what was begun before on a connection."""
    host.apply(RULES)
    connection = clients.connect_imap()

    def send(line):
        connection.send(line + b"\r\n")
        return connection.readline()

    try:
        for mechanism in (b"CRAM-MD5", b"PLAIN", b"LOGIN"):
            assert send(b"a AUTHENTICATE " + mechanism).startswith(b"+ ")
            assert send(b"*").startswith(b"a BAD ")
        assert send(b"a AUTHENTICATE LOGIN").startswith(b"+ ")
        assert send(base64.b64encode(ALICE.encode())).startswith(b"+ ")
        assert send(base64.b64encode(PASSWORD.encode())) == b"a NO [CONTACTADMIN] no TLS\r\n"
        connection.starttls(clients.TLS_CONTEXT)
        connection.login(ALICE, PASSWORD)
        events = host.dovecot_journal.wait(2)
        assert [(event["mechanism"], event["tls"], event["action"]) for event in events] == [
            ("LOGIN", "none", "reject"),
            ("PLAIN", "starttls", "allow"),
        ]
    finally:
        connection.shutdown()
