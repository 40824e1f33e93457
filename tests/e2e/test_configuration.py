"""A configuration that is broken when a server reads it: at SIGHUP, and at a
start."""

import imaplib
import shutil
import subprocess
import time

from pathlib import Path

import pytest

import clients
import clock

from journal import DIRECTORY as JOURNAL_DIRECTORY
from mailhost import CONFIG, EXEMPTIONS, LAST_VALID, SITE
from policyd import SOCKET
from policyd import USER as GROUP
from processes import wait_until

USER = "alice@example.org"
ENCRYPTION = 'rule encryption { enforce = "always" message = "first policy" }\n'
POP3 = """
rule pop3 {
    kind     = "protocol"
    services = { "pop3" }
    enforce  = "always"
    message  = "second policy"
}
"""

# Two things are wrong with it; the lines are counted from the end of SITE.
BROKEN = """rule pop3 {
    kind     = "protocol"
    services = { "pop3" }
    enforce  = "2024-02-30"
    colour   = "blue"
}
"""
WRONG_DATE, WRONG_KEY = (f"{CONFIG}:{SITE.count(chr(10)) + line}: " for line in (4, 5))


def _copies():
    """Of all files and both servers, wherever they may lie."""
    folders = (LAST_VALID, JOURNAL_DIRECTORY)
    return [path for folder in folders for path in folder.glob("last-valid-*")]


def _first_policy_holds():
    reply = clients.imap(USER)
    assert not reply.accepted and reply.text == "[CONTACTADMIN] first policy"
    assert clients.imap(USER, tls="implicit").accepted
    assert clients.pop3(USER, tls="implicit").accepted


def _second_policy_holds():
    reply = clients.pop3(USER, tls="implicit")
    assert not reply.accepted and reply.text == "-ERR [AUTH] second policy"
    assert clients.imap(USER).accepted


def _mail(tls):
    return clients.smtp(587, USER, tls=tls)


def _nobody_gets_in():
    """The login process hangs up: its auth process does not come up."""
    for tls in ("none", "implicit"):
        with pytest.raises((OSError, imaplib.IMAP4.error)):
            clients.connect_imap(tls=tls).login(USER, clients.PASSWORD)


def _last_valid_is_said(host, offset):
    """By the gate, in Dovecot's log since then."""
    last_valid = "THE LAST VALID CONFIGURATION IS IN FORCE"
    wait_until(lambda: last_valid in host.dovecot.log()[offset:], f"line with {last_valid}")


def _errors(server, offset, last):
    """What the server has said of BROKEN since then, up to something that comes
    last; both errors in one go."""
    wait_until(lambda: last in server.log()[offset:], f"line with {last}")
    log = server.log()[offset:]
    assert WRONG_KEY in log
    assert WRONG_DATE in log and "2024-02-30" in log
    assert "colour" in log
    return log


def test_daemon_reloads_a_good_configuration(host):
    host.apply(ENCRYPTION)
    assert not _mail("none").accepted
    host.write_policy(POP3)
    host.policyd.reload()
    wait_until(lambda: _mail("none").accepted, "new policy in force")


def test_daemon_keeps_the_old_policy_when_the_new_one_is_broken(host):
    host.apply(ENCRYPTION)
    pid, offset = host.policyd.pid, len(host.policyd.log())
    host.write_policy(BROKEN)
    host.policyd.reload()
    _errors(host.policyd, offset, f"{CONFIG}: the old policy stays in force")
    for _ in range(3):
        assert _mail("none").text.endswith("first policy")
        assert _mail("starttls").accepted
    assert host.policyd.pid == pid and host.policyd.running
    # And out of it again.
    host.write_policy(POP3)
    host.policyd.reload()
    wait_until(lambda: _mail("none").accepted, "new policy in force")


def test_daemon_goes_on_with_the_last_valid_configuration(host):
    host.apply(ENCRYPTION)
    host.policyd.stop()
    host.write_policy(BROKEN)
    offset = len(host.policyd.log())
    host.policyd.start()
    _errors(host.policyd, offset, "THE LAST VALID CONFIGURATION IS IN FORCE")
    assert _mail("none").text.endswith("first policy")
    # It reads the file again, and not the copy.
    host.write_policy(POP3)
    host.policyd.reload()
    wait_until(lambda: _mail("none").accepted, "new policy in force")


def test_daemon_without_a_valid_copy_does_not_start(host):
    host.apply("")
    assert _mail("starttls").accepted
    host.policyd.stop()
    for copy in _copies():
        if "postfix" in copy.name:
            copy.unlink()
    host.write_policy(BROKEN)
    result = subprocess.run(
        ["portcullis-policyd", "-c", CONFIG, "-l", f"unix:{SOCKET}"],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 78  # EX_CONFIG
    assert WRONG_DATE in result.stderr and WRONG_KEY in result.stderr
    assert not SOCKET.exists()
    # Without the daemon mail goes on.
    assert _mail("starttls").accepted


def test_dovecot_reload(host):
    host.apply(ENCRYPTION)
    _first_policy_holds()
    host.write_policy(POP3)
    host.dovecot.reload()
    _second_policy_holds()


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_dovecot_goes_on_with_the_last_valid_configuration(host, how):
    host.apply(ENCRYPTION)
    _first_policy_holds()
    offset = len(host.dovecot.log())
    host.write_policy(BROKEN)
    getattr(host.dovecot, how)()
    _first_policy_holds()
    log = _errors(host.dovecot, offset, "THE LAST VALID CONFIGURATION IS IN FORCE")
    assert f"{CONFIG} is broken and NOT in force" in log
    # Not once only: the copy is not lost by being used.
    host.dovecot.restart()
    _first_policy_holds()
    # And out of it again.
    host.write_policy(POP3)
    host.dovecot.restart()
    _second_policy_holds()


def test_dovecot_with_a_missing_configuration(host):
    host.apply(ENCRYPTION)
    _first_policy_holds()
    offset = len(host.dovecot.log())
    CONFIG.unlink()
    host.dovecot.restart()
    _first_policy_holds()
    _last_valid_is_said(host, offset)


@pytest.mark.parametrize(
    "broken", [None, "", "# nothing\n", "journal = /srv/j\n" + BROKEN, "journal = {\n", SITE]
)
def test_a_copy_is_found_wherever_the_journal_was(host, broken):
    """Deleted, emptied, cut off, or with another mistake behind the journal's."""
    journal = Path("/srv/j")
    journal.mkdir(exist_ok=True)
    shutil.chown(journal, GROUP, GROUP)
    journal.chmod(0o2770)
    host.apply(ENCRYPTION, site=SITE.replace(f'"{JOURNAL_DIRECTORY}"', str(journal)))
    _first_policy_holds()
    offset = len(host.dovecot.log())
    if broken is None:
        CONFIG.unlink()
    else:
        CONFIG.write_text(broken)
    host.dovecot.restart()
    _first_policy_holds()
    _last_valid_is_said(host, offset)


def test_a_policy_that_was_emptied_is_not_all_rules_off(host):
    host.apply(ENCRYPTION)
    for text in ("", SITE):
        offset = len(host.policyd.log())
        CONFIG.write_text(text)
        host.reload()
        assert f"{CONFIG}: there is no rule in it" in host.policyd.log()[offset:]
        assert f"{CONFIG}: the old policy stays in force" in host.policyd.log()[offset:]
        _first_policy_holds()
        assert _mail("none").text.endswith("first policy")
        assert f"{CONFIG}: there is no rule in it" in host.dovecot.log()
        checked = subprocess.run(
            ["portcullis", "check-config"], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 78 and "there is no rule in it" in checked.stderr


def test_what_the_servers_accounts_cannot_read(host):
    """Root, who asks, can read everything."""
    host.apply(ENCRYPTION)
    run = lambda *command: subprocess.run(
        ["portcullis", *command], capture_output=True, text=True, check=False
    )
    said = lambda path, account: f"{path}: the servers' account '{account}' cannot read it: "
    assert run("check-config").returncode == 0 and not run("check-config").stderr
    EXEMPTIONS.chmod(0o600)
    CONFIG.chmod(0o600)
    try:
        checked = run("check-config")
        assert checked.returncode == 1
        assert said(EXEMPTIONS, "portcullis") in checked.stderr
        assert said(EXEMPTIONS, "dovecot") in checked.stderr
        assert said(CONFIG, "portcullis") in checked.stderr
        # Dovecot reads that one as root.
        assert said(CONFIG, "dovecot") not in checked.stderr
        assert said(EXEMPTIONS, "dovecot") in run("import").stderr
        status = run("status")
        assert said(EXEMPTIONS, "dovecot") in status.stderr and status.returncode == 1
        # The group that the snippet gives to Dovecot's auth process.
        for path in (CONFIG, EXEMPTIONS):
            shutil.chown(path, "root", GROUP)
            path.chmod(0o640)
        assert run("check-config").returncode == 0
    finally:
        for path in (CONFIG, EXEMPTIONS):
            shutil.chown(path, "root", "root")
            path.chmod(0o644)


def test_both_say_what_is_in_force(host):
    offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
    host.apply(ENCRYPTION + 'rule pop3 { kind = protocol services = pop3 observe = "always" }\n')
    clients.imap(USER)
    _mail("none")
    said = [server.log()[offset:] for server, offset in zip((host.dovecot, host.policyd), offsets)]
    lines = [
        line[line.index(str(CONFIG)) :]
        for log in said
        for line in log.splitlines()
        if f"{CONFIG}: read, 2 rules, enforced now: encryption (edition " in line
    ]
    assert len(lines) == 2 and lines[0] == lines[1], said
    # The same stands in the journals, in the first lines of what is new.
    for journal in (host.dovecot_journal, host.postfix_journal):
        assert f"(edition {journal.wait_one()['edition']})" in lines[0]
    # Those of this configuration: other tests start daemons with theirs.
    name = str(CONFIG).replace("/", "%2F")
    kept = [LAST_VALID / f"last-valid-{server}{name}.edition" for server in ("", "postfix-")]
    wait_until(
        lambda: all(path.exists() and f"(edition {path.read_text()})" in lines[0] for path in kept),
        "editions beside the copies",
    )
    host.write_policy(POP3)
    host.reload()
    clients.imap(USER)
    for server in (host.dovecot, host.policyd):
        assert ", 1 rule, enforced now: pop3 (edition " in server.log(), server


def test_last_valid_exemptions(host):
    host.apply(ENCRYPTION, exemptions=f"{USER} encryption 2099-12-31\n")
    assert clients.imap(USER).accepted and _mail("none").accepted
    # Read while the servers run, as their own users.
    offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
    EXEMPTIONS.write_text("bob@example.org encryption 2099-12-31\n")
    for server, offset in zip((host.dovecot, host.policyd), offsets):
        wait_until(lambda: "exemptions: read again" in server.log()[offset:], "exemptions")
    EXEMPTIONS.unlink()
    host.dovecot.restart()
    host.policyd.stop()
    host.policyd.start()
    assert clients.imap("bob@example.org").accepted and not clients.imap(USER).accepted
    assert clients.smtp(587, "bob@example.org", tls="none").accepted
    assert not _mail("none").accepted
    for server, offset in zip((host.dovecot, host.policyd), offsets):
        assert "THE LAST VALID COPY IS IN FORCE INSTEAD" in server.log()[offset:]


def test_without_exemptions_nobody_who_could_be_exempt_is_refused(host):
    host.apply(ENCRYPTION)
    host.dovecot.stop()
    host.policyd.stop()
    for copy in _copies():
        copy.unlink()
    EXEMPTIONS.unlink()
    offsets = [len(server.log()) for server in (host.dovecot, host.policyd)]
    host.dovecot.start()
    host.policyd.start()
    assert clients.imap(USER).accepted and _mail("none").accepted
    for server, offset in zip((host.dovecot, host.policyd), offsets):
        assert "NO USER IS REFUSED ANYTHING" in server.log()[offset:]
    # And the policy holds again when the file is there.
    EXEMPTIONS.write_text("")
    wait_until(lambda: not clients.imap(USER).accepted, "exemptions known")
    wait_until(lambda: not _mail("none").accepted, "exemptions known to the daemon")


def test_another_time_zone(host):
    """It is another day in Kiritimati than in Niue, at any time."""
    with clock.host_time_zone() as set_zone:
        set_zone("Pacific/Niue")
        # The day that has begun in Kiritimati and not yet in Niue.
        east = time.gmtime(time.time() + 14 * 3600)
        host.apply(f'rule encryption {{ enforce = "{time.strftime("%Y-%m-%d", east)}" }}\n')
        assert clients.imap(USER).accepted and _mail("none").accepted
        set_zone("Pacific/Kiritimati")
        wait_until(lambda: not clients.imap(USER).accepted, "the day has come")
        wait_until(lambda: not _mail("none").accepted, "the day has come for the daemon")
        for server in (host.dovecot, host.policyd):
            assert "the time zone has changed" in server.log()


def test_another_time_zone_while_the_exemptions_are_gone(host):
    """It is not forgotten when it cannot be taken over at once."""
    with clock.host_time_zone() as set_zone:
        set_zone("Pacific/Niue")
        east = time.gmtime(time.time() + 14 * 3600)
        host.apply(f'rule encryption {{ enforce = "{time.strftime("%Y-%m-%d", east)}" }}\n')
        # Dovecot's auth process runs by then.
        assert clients.imap(USER).accepted
        servers = (host.dovecot, host.policyd)
        offsets = [len(server.log()) for server in servers]
        EXEMPTIONS.unlink()
        set_zone("Pacific/Kiritimati")
        refused = f"{CONFIG}: the old policy stays in force"
        for server, offset in zip(servers, offsets):
            wait_until(lambda: refused in server.log()[offset:], "refusal")
        assert clients.imap(USER).accepted and _mail("none").accepted
        EXEMPTIONS.write_text("# nobody\n")
        wait_until(lambda: not clients.imap(USER).accepted, "the day has come")
        wait_until(lambda: not _mail("none").accepted, "the day has come for the daemon")
        for server, offset in zip(servers, offsets):
            for once in (refused, "the time zone has changed"):
                assert server.log()[offset:].count(once) == 1, server


def test_dovecot_without_a_valid_copy_refuses(host):
    """Nobody can know whom to let in; it says so rather than let in everybody."""
    host.apply(ENCRYPTION)
    _first_policy_holds()
    host.dovecot.stop()
    assert _copies()
    for copy in _copies():
        copy.unlink()
    offset = len(host.dovecot.log())
    host.write_policy(BROKEN)
    host.dovecot.start()
    _nobody_gets_in()
    log = _errors(host.dovecot, offset, f"Cannot use {CONFIG}, see the errors above")
    assert f"{CONFIG}: there is no last valid configuration to fall back on" in log


def test_a_copy_of_somebody_else_is_not_trusted(host):
    """The journal's directory belongs to a group; who can write there shall not
    make policy."""
    host.apply(ENCRYPTION)
    _first_policy_holds()
    host.dovecot.stop()
    for copy in _copies():
        shutil.chown(copy, GROUP, GROUP)
    offset = len(host.dovecot.log())
    host.write_policy(BROKEN)
    host.dovecot.start()
    _nobody_gets_in()
    _errors(host.dovecot, offset, f"Cannot use {CONFIG}, see the errors above")
