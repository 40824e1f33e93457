"""The README's steps for several hosts, run as they stand there. The one has a real Dovecot and
Postfix; the other has a name, a configuration, records and a policy daemon of its own. The
database is reached by TLS."""

import json
import os
import re
import shutil
import subprocess

from pathlib import Path

import pytest

import certificates
import clients
import policy_client

from mailhost import BUILD, CONFIG, ROOT, USER
from processes import Server, wait_until
from test_installation import PRELUDE, README, STATE, commands_of, machine  # noqa: F401
from test_store_network import PASSWORD, USERS, network_server

ALICE, CAROL = "alice@example.org", "carol@example.org"

# No passwords are typed here, and the account of the database is that of its socket.
MORE_PRELUDE = r"""
sudo() {
	test "$1" = -u || { "$@"; return; }
	local user=$2
	shift 2
	if [ "$user" = postgres ]; then
		PGUSER=postgres PGHOST=$DATABASE_SOCKET "$@"
	else
		setpriv --reuid "$user" --regid "$user" --init-groups env HOME=/var/lib/portcullis "$@"
	fi
}
systemctl() {
	echo "asked for: systemctl $*"
	case "$*" in
	*portcullis-import) (umask 077; sudo -u portcullis portcullis import) ;;
	esac
}
createdb() { command dropdb portcullis; command createdb "$@" portcullis; }
psql() {
	test "$*" = portcullis || { command psql -q "$@"; return; }
	for role in $ROLES; do
		command psql -q portcullis -c "ALTER ROLE $role PASSWORD '$PASSWORD'"
	done
}
"""


def steps():
    """The lines of each."""
    text = README[README.index("### Several hosts") :]
    text = text[: text.index("### Update it")]
    codes = re.findall(r"^ +```\n(.*?)^ +```", text, re.S | re.M)
    assert len(codes) == 4
    return [re.sub("^   ", "", code, flags=re.M) for code in codes]


class Tree:
    """A host with what it has in directories of its own, or where the machine has it."""

    def __init__(self, server, directory=None, name=None):
        self.environment = dict(os.environ, DATABASE_SOCKET=str(server.data), PASSWORD=PASSWORD,
                                ROLES=" ".join(USERS))  # fmt: skip
        self.prefix = []
        if directory is None:
            return
        mounts = "".join(f"mount --bind {self.make(directory / str(i))} {path}; " for i, path in
                         enumerate((CONFIG.parent, STATE, "/etc/systemd/system")))  # fmt: skip
        self.prefix = ["unshare", "--mount", "--uts", "--propagation", "unchanged", "sh", "-ec",
                       f"hostname {name}; {mounts} exec \"$@\"", "sh"]  # fmt: skip

    @staticmethod
    def make(path):
        path.mkdir(parents=True)
        return path

    def run(self, commands, role="", word=PASSWORD):
        commands = commands.replace("ROLE", role).replace("PASSWORD\n", word + "\n")
        done = subprocess.run(
            [*self.prefix, "bash", "-c", PRELUDE + MORE_PRELUDE + commands], cwd=ROOT,
            capture_output=True, text=True, env=self.environment,
        )  # fmt: skip
        assert done.returncode == 0 and "arning" not in done.stderr, done
        return done.stdout


@pytest.fixture
def database():
    with network_server() as server:
        yield server


@pytest.fixture
def first(machine, database):  # noqa: F811
    Path("/etc/systemd/system").mkdir(parents=True, exist_ok=True)
    shutil.copy(database.folder / "files/server.pem", CONFIG.parent / "db.pem")
    return Tree(database)


@pytest.fixture
def second(machine, database, tmp_path):  # noqa: F811
    """Set up by the README, with what its Postfix asks."""
    for parent in (tmp_path, *tmp_path.parents[:-2]):
        parent.chmod(parent.stat().st_mode | 0o011)
    tree = Tree(database, tmp_path / "mx2", "mx2.example.org")
    tree.run(commands_of(2) + commands_of(3))
    shutil.copy(database.folder / "files/server.pem", tmp_path / "mx2/0/db.pem")
    socket, log = tmp_path / "policyd", tmp_path / "log"
    daemon = Server([*tree.prefix, "portcullis-policyd", "-u", USER, "-l", f"unix:{socket}"],
                    log=log)  # fmt: skip
    wait_until(lambda: " ready, policy " in log.read_text(), "daemon of the second host")
    policy_client.ask_all([policy_client.request(sasl_username=CAROL, encryption_protocol="",
                                                 recipient="a@example.org")], socket)  # fmt: skip
    wait_until((tmp_path / "mx2/1/journal/postfix.jsonl").exists, "record of the second host")
    yield tree
    daemon.kill()


def test_several_hosts(machine, first, second):  # noqa: F811
    make_database, make_tables, use_it, watch_it = steps()
    first.run("sudo systemctl enable --now portcullis-import")
    assert clients.imap(ALICE, tls="none").accepted
    machine.dovecot_journal.wait_one()
    first.run("sudo systemctl enable --now portcullis-import")
    first.run(make_database)
    assert re.search(r"^[1-9][0-9]* rows copied", first.run(make_tables), re.M)
    for tree, role in ((first, "portcullis_operator"), (second, "portcullis_writer")):
        tree.run(use_it, role)
        checked = json.loads(tree.run("portcullis check-config --json"))
        assert checked["problems"] == 0
        assert (CONFIG.stat().st_mode & 0o007, CONFIG.owner()) == (0, "root")
    status = first.run(f"set +e\n{watch_it}\ntrue")
    assert "TLSv1.3" in status and "portcullis-expire.timer" in status
    check = json.loads(first.run("portcullis store check --json || true"))
    # The server waits for its disk no more than those of other tests.
    assert {finding["id"] for finding in check["findings"]} == {"durability"}
    for name in ("mx1", "mx2"):
        assert name in status
    for tree in (first, second):
        found = json.loads(tree.run("portcullis offenders --json"))
        assert {offender["user"] for offender in found} == {ALICE, CAROL}
    # Each goes on with its own; the first lines went with their file.
    machine.dovecot_journal.skip()
    assert clients.pop3(ALICE, tls="none").accepted
    machine.dovecot_journal.wait_one()
    for tree in (first, second, second, first):
        tree.run("sudo systemctl restart portcullis-import")
    found = json.loads(first.run("portcullis offenders --json"))
    ways = sorted((offender["user"], offender["service"], offender["count"]) for offender in found)
    assert ways == [(ALICE, "imap", 1), (ALICE, "pop3", 1), (CAROL, "submission", 1)]
