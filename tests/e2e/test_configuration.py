"""A configuration that is broken when a server reads it: at SIGHUP, and at a
start."""

import imaplib
import shutil
import subprocess

import pytest

import clients

from journal import DIRECTORY as JOURNAL_DIRECTORY
from mailhost import CONFIG, SITE
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


def test_daemon_does_not_start_with_a_broken_configuration(host):
    host.apply("")
    host.policyd.stop()
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
    assert "THE LAST VALID CONFIGURATION IS IN FORCE" in host.dovecot.log()[offset:]


def test_dovecot_without_a_valid_copy_refuses(host):
    """Nobody can know whom to let in; it says so rather than let in everybody."""
    host.apply(ENCRYPTION)
    _first_policy_holds()
    host.dovecot.stop()
    copies = list(JOURNAL_DIRECTORY.glob("last-valid-*"))
    assert copies
    for copy in copies:
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
    (copy,) = JOURNAL_DIRECTORY.glob("last-valid-*")
    shutil.chown(copy, GROUP, GROUP)
    offset = len(host.dovecot.log())
    host.write_policy(BROKEN)
    host.dovecot.start()
    _nobody_gets_in()
    _errors(host.dovecot, offset, f"Cannot use {CONFIG}, see the errors above")
