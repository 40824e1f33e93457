"""The file of exemptions, edited while the servers run. They look at it every
five seconds; Dovecot and the policy daemon each for itself."""

import itertools
import os

import clients

from mailhost import EXEMPTIONS
from mmdb import CLIENTS
from processes import wait_until

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"

RULES = """
rule encryption {
    services = { "imap", "submission" }
    enforce  = "always"
}
rule country {
    services = { "imap" }
    allow    = { "DE" }
    enforce  = "always"
}
"""


def _edit(host, text):
    """Writes the file and waits until both servers have read it."""
    offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
    EXEMPTIONS.write_text(text)

    def read_by_both():
        logs = [host.dovecot.log()[offsets[0] :], host.policyd.log()[offsets[1] :]]
        return logs if all("exemptions: read again" in log for log in logs) else None

    return wait_until(read_by_both, "edited exemptions in force")


def _plain_imap(user):
    return clients.imap(user).accepted


def _plain_smtp(user):
    return clients.smtp(587, user, tls="none").accepted


def _abroad(user, country):
    return clients.imap(user, client=CLIENTS[country][0], tls="implicit").accepted


def test_added_expired_and_edited_while_the_servers_run(host):
    host.apply(RULES)
    for user in (ALICE, BOB, CAROL):
        assert not _plain_imap(user) and not _plain_smtp(user)
    servers = host.dovecot.processes("auth"), host.policyd.pid

    _edit(
        host,
        f"""# comes with a comment and a blank line

{ALICE}   encryption   2037-12-31    # ticket 4711
{BOB}     encryption   2020-12-31
{BOB}     country=US,CA  2020-01-01..2037-12-31
{CAROL}   encryption   2037-01-01..2037-12-31
{CAROL}   country=US   2020-01-01..2020-12-31
""",
    )
    assert _plain_imap(ALICE) and _plain_smtp(ALICE)
    # Not recorded as a rule that is broken, either.
    assert not [event for event in host.recorded() if event["action"] == "allow" and event["rules"]]
    assert not _plain_imap(BOB) and not _plain_smtp(BOB), "expired"
    assert not _plain_imap(CAROL) and not _plain_smtp(CAROL), "has not begun"
    # It adds to the home countries; another one stays closed.
    assert _abroad(BOB, "US") and _abroad(BOB, "CA") and _abroad(BOB, "DE")
    assert not _abroad(BOB, "JP")
    assert not _abroad(CAROL, "US"), "expired"
    assert not _abroad(ALICE, "US"), "let off another rule"

    # A wrong line is told with its number; it alone is left out, and takes nothing away.
    logs = _edit(
        host,
        f"""{BOB}     encryption   2037-12-31
{ALICE}   encryptoin   2037-12-31
{ALICE}   country=US   2037-02-30
{CAROL}   encryption   2037-12-31
""",
    )
    for log in logs:
        assert f"{EXEMPTIONS}:2: " in log and f"{EXEMPTIONS}:3: " in log, log
        assert f"{EXEMPTIONS}:1: " not in log and f"{EXEMPTIONS}:4: " not in log, log
        assert "wrong lines: 2. WHOEVER WAS LET OFF BEFORE STAYS LET OFF" in log, log
    assert _plain_imap(BOB) and _plain_smtp(BOB)
    assert _plain_imap(CAROL) and _plain_smtp(CAROL)
    assert _plain_imap(ALICE) and _plain_smtp(ALICE)
    assert _abroad(BOB, "US")
    for log in _edit(host, f"{BOB} encryption 2037-12-31\n{CAROL} encryption 2037-12-31\n"):
        assert "read again, 2 lines" in log, log
    assert _plain_imap(BOB) and _plain_smtp(CAROL)
    assert not _plain_imap(ALICE) and not _plain_smtp(ALICE)
    assert not _abroad(BOB, "US")

    # The file is gone: who is let off stays so, until the operator says otherwise.
    offset = len(host.dovecot.log())
    EXEMPTIONS.unlink()
    wait_until(
        lambda: "the ones read before stay in force" in host.dovecot.log()[offset:],
        "warning of the missing file",
    )
    assert _plain_imap(BOB)

    # Nobody was started anew for all that.
    assert (host.dovecot.processes("auth"), host.policyd.pid) == servers


NOTHING = "exemptions: there is nothing in it"
WRONG = "WHOEVER WAS LET OFF BEFORE STAYS LET OFF"
VALID = "".join(
    f"{user} encryption 2037-12-31\n"
    for user in (ALICE, BOB, *(f"user{number}@example.org" for number in range(9)))
)

# What becomes of the file (None: it is removed), and what the log says of it.
BROKEN = {
    "emptied": ("", NOTHING),
    "removed": (None, "exemptions: No such file or directory"),
    "wrong lines": (VALID.replace("encryption", "encryptoin"), WRONG),
    "half written": (VALID[:-14], WRONG),
    "zeroes": ("\0" * 100, WRONG),
}


_LONG_AGO = itertools.count(1000)


def _write_long_ago(text):
    """So that nobody can be writing into it."""
    if text is None:
        EXEMPTIONS.unlink()
        return
    EXEMPTIONS.write_text(text)
    os.utime(EXEMPTIONS, (next(_LONG_AGO),) * 2)


def _all_are_let_off():
    return all(_plain_imap(user) and _plain_smtp(user) for user in (ALICE, BOB))


def test_a_broken_file_locks_nobody_out(host):
    """While the servers run, and at a start."""
    servers = (host.dovecot, host.policyd)
    host.apply(RULES)
    _write_long_ago(VALID)
    for server in servers:
        server.restart()
    assert _all_are_let_off() and not _plain_imap(CAROL) and not _plain_smtp(CAROL)
    for what, (text, said) in BROKEN.items():
        offsets = [len(server.log()) for server in servers]
        _write_long_ago(text)
        for server, offset in zip(servers, offsets):
            wait_until(lambda: said in server.log()[offset:], f"{server}: {what}")
        assert _all_are_let_off(), what
        offsets = [len(server.log()) for server in servers]
        for server in servers:
            server.restart()
        assert _all_are_let_off(), what
        assert not _plain_imap(CAROL) and not _plain_smtp(CAROL), what
        for server, offset in zip(servers, offsets):
            assert said in server.log()[offset:], what
    # The operator means it.
    offsets = [len(server.log()) for server in servers]
    _write_long_ago("# nobody\n")
    for server, offset in zip(servers, offsets):
        wait_until(lambda: "NOBODY IS LET OFF ANY MORE" in server.log()[offset:], "the end")
    wait_until(lambda: not _plain_imap(ALICE) and not _plain_smtp(ALICE), "nobody let off")
    for server in servers:
        server.restart()
    assert not _plain_imap(BOB) and not _plain_smtp(BOB)


def test_the_last_lines_may_be_deleted(host):
    """By hand, as whoever ends the last exemptions does; also where a server starts anew."""
    host.apply(RULES)
    assert not _plain_imap(ALICE) and not _plain_smtp(ALICE)
    for log in _edit(host, f"{ALICE} encryption 2037-12-31\n"):
        assert "read again, 1 line" in log
    assert _plain_imap(ALICE) and _plain_smtp(ALICE)
    for log in _edit(host, ""):
        assert "NOBODY IS LET OFF ANY MORE" in log
    assert not _plain_imap(ALICE) and not _plain_smtp(ALICE)
    for server in (host.dovecot, host.policyd):
        server.restart()
    assert not _plain_imap(ALICE) and not _plain_smtp(ALICE)


def test_a_hundred_thousand_lines(host):
    """As from an operator who lets off everyone who still offends."""
    host.apply(RULES)
    assert not _plain_imap(ALICE) and not _plain_smtp(ALICE)
    lines = [f"user{i}@example.org encryption,country 2037-12-31\n" for i in range(99_998)]
    lines.insert(5, f"{ALICE} encryption 2037-12-31\n")
    lines.append(f"{BOB} encryption 2037-12-31\n")
    for log in _edit(host, "".join(lines)):
        assert "read again, 100000 lines" in log
    for user in (ALICE, BOB):
        assert _plain_imap(user) and _plain_smtp(user)
    assert not _plain_imap(CAROL) and not _plain_smtp(CAROL)

    # And at a start.
    host.apply(RULES, exemptions="".join(lines))
    for user in (ALICE, BOB):
        assert _plain_imap(user) and _plain_smtp(user)
    assert not _plain_imap(CAROL) and not _plain_smtp(CAROL)
