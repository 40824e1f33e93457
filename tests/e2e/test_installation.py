"""The steps of the README, run as they stand there on a machine that has a Dovecot and a
Postfix; and who may do what on a machine that was set up so."""

import ctypes
import grp
import json
import os
import pwd
import re
import shutil
import subprocess

from pathlib import Path

import pytest

import accounts
import clients

from mailhost import BUILD, CONFIG, EXEMPTIONS, ROOT, USER
from processes import wait_until

README = (ROOT / "README.md").read_text()
STATE = Path("/var/lib/portcullis")
STORE = STATE / "portcullis.db"
ALICE = "alice@example.org"
READERS = "portcullis-read"
HELP_DESK = "anna"

CLONE_NEWUSER = 0x10000000
PR_SET_NO_NEW_PRIVS = 38

# There is no systemd here. What it would start is started by the test; the import runs as
# its unit would run it.
PRELUDE = f"""
set -e
DOC=/usr/share/doc/portcullis/conf-examples
sudo() {{ "$@"; }}
make() {{ command make -s BUILD={os.path.relpath(BUILD, ROOT)} "$@"; }}
systemctl() {{
	echo "asked for: systemctl $*"
	case "$*" in
	*portcullis-import) (umask 077
		setpriv --reuid portcullis --regid portcullis --init-groups portcullis import) ;;
	esac
}}
postfix() {{ echo "asked for: postfix $*"; }}
"""


def commands_of(step):
    """The lines of the code in a numbered step."""
    text = re.search(rf"^{step}\. .*?(?=^\d+\. |^\S)", README + "\nend", re.M | re.S)[0]
    [code] = re.findall(r"```\n(.*?)```", text, re.S)
    return re.sub("^ +", "", code, flags=re.M)


def commands_after(words):
    """The lines of the first code that follows."""
    text = README[README.index(words) :]
    return re.search(r"^```\n(.*?)^```", text, re.S | re.M)[1]


def run(commands):
    return subprocess.run(
        ["bash", "-c", PRELUDE + commands], cwd=ROOT, capture_output=True, text=True
    )


def follow(step):
    done = run(commands_of(step))
    assert done.returncode == 0, done
    return done.stdout


@pytest.fixture(scope="module")
def machine(_installed_host):
    """Set up by the README, up to the import."""
    host = _installed_host
    host.stop()
    host.dovecot.install()
    host.postfix.install()
    subprocess.run(["make", "-s", "uninstall", f"BUILD={BUILD}"], cwd=ROOT, check=True)
    for name in (USER, READERS):
        accounts.remove(name)
    for directory in (CONFIG.parent, STATE):
        shutil.rmtree(directory)

    follow(1)
    follow(2)
    follow(3)
    assert "allow" in follow(4)
    assert "asked for: systemctl restart dovecot" in follow(5)
    host.dovecot.start()
    assert "portcullis-policyd.socket" in follow(6)
    host.policyd.start()
    follow(7)
    host.postfix.start()
    host.dovecot_journal.skip()
    host.postfix_journal.skip()
    yield host
    host.stop()
    accounts.remove(READERS)
    # With what the steps gave to those who may ask.
    for directory in (CONFIG.parent, STATE):
        shutil.rmtree(directory)
    host.install()


def run_as(user, *command, groups=None):
    """With the account's groups, or with these."""
    chosen = ["--init-groups"] if groups is None else ["--groups", ",".join(groups)]
    return subprocess.run(
        ["setpriv", "--reuid", user, "--regid", user, *chosen, *map(str, command)],
        capture_output=True,
        text=True,
    )


def test_a_login_is_recorded_and_nobody_is_refused(machine):
    assert clients.imap(ALICE, tls="none").accepted
    assert machine.dovecot_journal.wait_one()["rules"] == {"encryption": "observe"}
    assert clients.smtp(587, ALICE, tls="none").accepted
    assert machine.postfix_journal.wait_one()["rules"] == {"encryption": "observe"}
    assert ALICE in follow(8)
    assert "asked for: systemctl try-reload-or-restart" in follow(9)
    follow(10)


def test_libraries_stay_when_headers_go(machine):
    """Without libmaxminddb0 the gate could not be loaded, and nobody would get in."""
    subprocess.run(["apt-mark", "auto", "libmaxminddb0"], check=True, capture_output=True)
    purge = ["apt-get", "--simulate", "--autoremove", "purge", "libmaxminddb-dev"]
    assert "Purg libmaxminddb0" in subprocess.run(purge, capture_output=True, text=True).stdout
    follow(1)
    done = subprocess.run(purge, capture_output=True, text=True)
    assert "Purg libmaxminddb-dev" in done.stdout and "Purg libmaxminddb0" not in done.stdout, done


def test_what_has_no_packages_libraries_marks_none(machine):
    subprocess.run(["apt-mark", "auto", "libmaxminddb0"], check=True, capture_output=True)
    subprocess.run([ROOT / "packaging/keep-libraries", BUILD / "policy/judge.o"], check=True)
    automatic = subprocess.run(["apt-mark", "showauto"], capture_output=True, text=True).stdout
    assert "libmaxminddb0" in automatic.split()


def test_the_gate_is_the_first_passdb(machine):
    passdbs = subprocess.run(["doveconf", "-n", "passdb"], capture_output=True, text=True).stdout
    assert "portcullis" in re.search(r"passdb.*?}", passdbs, re.S)[0]


def test_steps_may_be_followed_twice(machine):
    policy = CONFIG.read_text()
    CONFIG.write_text(policy + "# dates\n")
    EXEMPTIONS.write_text("dave@example.org encryption 2099-01-01\n")
    follow(2)
    follow(3)
    assert CONFIG.read_text() == policy + "# dates\n"
    assert EXEMPTIONS.read_text() == "dave@example.org encryption 2099-01-01\n"
    EXEMPTIONS.write_text("")


@pytest.fixture
def help_desk(machine):
    if not STORE.exists():
        follow(8)
    accounts.add(HELP_DESK, 6001, groups=[READERS])
    # The store that an older version made is given to the group by systemd-tmpfiles.
    yield machine
    accounts.remove(HELP_DESK)


QUESTIONS = [
    "offenders",
    "forecast",
    f"user {ALICE}",
    "check-config",
    f"explain --service imap --port 143 --tls none --mechanism PLAIN --client ::1 --user {ALICE}",
]


def ask(question):
    return run_as(HELP_DESK, "portcullis", *question.split(), "--json")


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_help_desk_may_ask(help_desk, question):
    done = ask(question)
    assert "ermission" not in done.stderr and "may not" not in done.stderr, done
    assert done.returncode == 0, done
    json.loads(done.stdout)


def status_of_help_desk():
    done = ask("status")
    assert "ermission" not in done.stderr and "may not" not in done.stderr, done
    health = json.loads(done.stdout)["health"]
    wrong = {check["check"] for check in health if not check["healthy"]}
    assert done.returncode == (1 if wrong else 0), done
    return wrong, {check["check"]: check["text"] for check in health}


def test_the_help_desk_sees_whether_all_is_healthy(help_desk):
    """What she cannot see is no illness; all else is told."""
    assert clients.imap(ALICE, tls="none").accepted

    def imported():
        follow(8)
        return "servers" not in status_of_help_desk()[0]

    wait_until(imported, "record of a login")
    wrong, texts = status_of_help_desk()
    assert (wrong, texts["backlog"]) == (set(), "the journal is not yours to see")
    EXEMPTIONS.write_text("alice nonsense 2024-01-01\n")
    assert status_of_help_desk()[0] == {"files"}
    EXEMPTIONS.write_text("")
    journal = STATE / "journal"
    journal.rename(STATE / "elsewhere")
    assert status_of_help_desk()[0] == {"backlog"}
    journal.mkdir(mode=0o700)
    shutil.chown(journal, HELP_DESK)
    try:
        assert status_of_help_desk()[1]["backlog"] == "everything is imported"
    finally:
        journal.rmdir()
        (STATE / "elsewhere").rename(journal)


def test_the_help_desk_need_not_see_who_is_written_to(help_desk):
    addresses = CONFIG.parent / "addresses"
    addresses.write_text("")
    addresses.chmod(0o600)  # whatever the folder's access control list says
    policy = CONFIG.read_text()
    named = f'notices {{ address-map = "file:{addresses}"'
    CONFIG.write_text(policy.replace("notices {", named, 1))
    try:
        wrong, texts = status_of_help_desk()
        assert texts["notices"] == "who is written to is not yours to see"
        assert "notices" not in wrong
        addresses.unlink()
        assert "notices" in status_of_help_desk()[0]
    finally:
        CONFIG.write_text(policy)
        addresses.unlink(missing_ok=True)


def test_who_imports_must_see_the_journal(machine):
    journal = STATE / "journal"
    journal.chmod(0)
    done = run_as(USER, "portcullis", "status")
    journal.chmod(0o2770)
    assert "WRONG  backlog" in done.stdout, done


def test_the_help_desk_may_ask_after_an_edit(help_desk):
    """Which puts another file in the place of the exemptions."""
    command = ["portcullis", "exempt", "carol@example.org", "encryption", "--until", "2099-01-01"]
    subprocess.run([*command, "--reason", "old scanner"], check=True, capture_output=True)
    done = ask("user carol@example.org")
    assert "ermission" not in done.stderr, done
    assert run_as(HELP_DESK, "cat", EXEMPTIONS).stdout.startswith("carol@example.org")
    EXEMPTIONS.write_text("")


CHANGES = [
    f"touch {STATE}/new",
    f"touch {STATE}/journal/new",
    f"cat {STATE}/journal/dovecot.jsonl",
    f"ls {STATE}/journal",
    f"tee -a {STATE}/journal/dovecot.jsonl",
    f"tee -a {STORE}",
    f"tee -a {STORE}-shm",
    f"rm -f {STORE}",
    f"tee -a {CONFIG}",
    f"tee -a {EXEMPTIONS}",
    "portcullis import",
    f"portcullis forget {ALICE}",
    f"portcullis exempt {ALICE} encryption --until 2099-01-01 --reason x",
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_help_desk_changes_nothing(help_desk, change):
    done = subprocess.run(
        ["setpriv", "--reuid", HELP_DESK, "--regid", HELP_DESK, "--init-groups", *change.split()],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0, done


def test_the_servers_do_not_read_the_store(help_desk):
    """Dovecot's auth process is in the journal's group, and in that one only."""
    groups = {"groups": ["portcullis"]}
    assert run_as("dovecot", "test", "-w", STATE / "journal", **groups).returncode == 0
    for path in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        assert run_as("dovecot", "cat", path, **groups).returncode != 0
    assert run_as("dovecot", "ls", STATE, **groups).returncode != 0


def test_others_see_nothing(help_desk):
    for path in (STORE, CONFIG, EXEMPTIONS, STATE / "journal/dovecot.jsonl"):
        assert run_as("nobody", "cat", path, groups=["nogroup"]).returncode != 0


def test_an_older_store_is_given_to_the_help_desk(help_desk):
    for path in STATE.glob("portcullis.db*"):
        shutil.chown(path, USER, USER)
        path.chmod(0o600)
    assert ask("offenders").returncode != 0
    follow(2)
    assert ask("offenders").returncode == 0


def run_in_private_users(user, *command, groups=()):
    """As PrivateUsers=yes of a unit has it: all users but root and its own are nobody."""
    entry = pwd.getpwnam(user).pw_uid, grp.getgrnam(user).gr_gid
    others = [grp.getgrnam(group).gr_gid for group in groups]
    libc = ctypes.CDLL(None)
    mapped, unshared = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([entry[1], *others])
            os.setresgid(entry[1], entry[1], entry[1])
            if libc.unshare(CLONE_NEWUSER) != 0:
                os._exit(126)
            os.write(unshared[1], b"x")
            os.read(mapped[0], 1)
            os.setresuid(entry[0], entry[0], entry[0])
            assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.execvp(command[0], list(map(str, command)))
        finally:
            os._exit(126)
    os.close(unshared[1])
    if not os.read(unshared[0], 1):
        os.waitpid(child, 0)
        pytest.skip("no user namespace may be made here, as in a chroot")
    for name, number in zip(("uid_map", "gid_map"), entry):
        Path(f"/proc/{child}/{name}").write_text(f"0 0 1\n{number} {number} 1\n")
    os.write(mapped[1], b"x")
    for descriptor in (*mapped, unshared[0]):
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_private_users_see_enough(machine):
    """What the units do: take the journal in, and hand a mail to Postfix."""
    bob = "bob@example.org"
    assert clients.imap(bob, tls="none").accepted

    def imported():
        assert run_in_private_users(USER, "portcullis", "import", "--quiet") == 0
        return bob in subprocess.run(["portcullis", "offenders"], stdout=subprocess.PIPE,
                                     text=True, check=True).stdout  # fmt: skip

    wait_until(imported, "record of a login")
    before = machine.postfix.log().count("uid=")
    sending = ["/usr/sbin/sendmail", "-f", "mail@example.org", bob]
    assert run_in_private_users(USER, *sending, groups=["postdrop"]) == 0
    wait_until(lambda: machine.postfix.log().count("uid=") > before, "mail from the maildrop")


GATE = Path("/etc/dovecot/conf.d/05-portcullis.conf")


def test_no_gate_without_a_policy(machine):
    """It would let nobody in."""
    kept = CONFIG.with_suffix(".kept")
    CONFIG.rename(kept)
    GATE.unlink()
    try:
        done = run(commands_of(5))
    finally:
        kept.rename(CONFIG)
    assert done.returncode != 0 and "asked for" not in done.stdout, done
    assert not GATE.exists()
    follow(5)
    assert GATE.exists()


LAST_STEP = Path("/etc/dovecot/conf.d/99-last-step.conf")
LOCAL_CONF = Path("/etc/dovecot/local.conf")


@pytest.fixture
def before_the_last_step(machine):
    yield machine
    LAST_STEP.unlink(missing_ok=True)
    machine.dovecot.configure()


def test_the_last_step(before_the_last_step):
    host = before_the_last_step
    settings = re.compile("^(ssl|auth_allow_cleartext|disable_plaintext_auth) = .*", re.M)
    LOCAL_CONF.write_text(settings.sub("", LOCAL_CONF.read_text()))
    done = run(commands_after("When a rule has been in force"))
    assert done.returncode == 0 and "asked for: systemctl reload dovecot" in done.stdout, done
    host.dovecot.restart()
    host.postfix.restart()
    assert not clients.imap(ALICE, tls="none").accepted
    assert clients.imap(ALICE, tls="starttls").accepted
    assert not clients.smtp(25, ALICE, tls="starttls").login.accepted
    assert clients.smtp(587, ALICE, tls="starttls").accepted


def test_the_last_step_beside_another_setting(before_the_last_step):
    """Dovecot 2.4 would not start any more, and leaves the operator with nothing."""
    LOCAL_CONF.write_text(re.sub("^ssl = .*", "", LOCAL_CONF.read_text(), flags=re.M))
    done = run(commands_after("When a rule has been in force"))
    starts = before_the_last_step.dovecot.version == (2, 3)
    assert done.returncode == 0 and LAST_STEP.exists() == starts, done
    assert ("asked for: systemctl reload dovecot" in done.stdout) == starts
    assert subprocess.run(["doveconf", "-n"], stdout=subprocess.DEVNULL).returncode == 0


def test_it_is_taken_out(machine):
    """Not before the servers can do without; then everybody is let in as before."""
    commands = commands_after("### Update it, and take it out")
    uninstall = commands.splitlines()[-1]
    gate = GATE.read_text()
    for needed in ("out of Dovecot's configuration first", "out of Postfix first"):
        done = run(uninstall)
        assert done.returncode != 0 and needed in done.stderr, done
        GATE.unlink(missing_ok=True)
    GATE.write_text(gate)
    done = run(commands)
    assert done.returncode == 0, done
    assert "asked for: systemctl restart dovecot" in done.stdout
    assert not Path("/usr/bin/portcullis").exists()
    machine.dovecot.restart()
    machine.postfix.restart()
    assert clients.imap(ALICE, tls="none").accepted
    assert clients.smtp(587, ALICE, tls="starttls").accepted
    machine.dovecot_journal.skip()
