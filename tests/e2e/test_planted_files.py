"""What other accounts can put where Portcullis keeps its files: the service's account
below /var/lib/portcullis, Dovecot's and Postfix' in the journal's directory. Whoever runs
a command loses nothing by it, gives nothing away, and does not hang."""

import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import time

from pathlib import Path

import pytest

from mailhost import USER
from recorded_site import RecordedSite, day

# All lies in files here, which are named.
pytestmark = pytest.mark.sqlite

RULES = f"""
rule encryption {{ notify = "{day(-30)}" enforce = "{day(30)}" grace = "7d" }}
notices {{
    from = "Mail team <mail@example.org>"
    languages = {{ "en" }}
    transport = "sendmail:/bin/true"
    max-per-hour = 0
}}
"""

SECRET = "the secret of another account"

# An account in the journal's group, as Dovecot's auth process is.
SERVER = "nobody"

# Every name that a command opens beside the store, and in the journal. A name that is made up
# anew each time cannot be planted.
BESIDE = [
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "store.db-journal",
    "notify.lock",
    "announced.json",
]
IN_JOURNAL = [
    "journal/grace",
    "journal/set-aside",
    "journal/set-aside.old",
    "journal/dovecot.jsonl",
    "journal/postfix.jsonl",
    "journal/mx2.jsonl",
    "journal/mx2.jsonl-20240920T081502.123456Z",
]

COMMANDS = [
    ("import",),
    ("forget", "bob"),
    ("offenders",),
    ("forecast",),
    ("status",),
    ("user", "alice"),
    ("notices",),
    ("notices", "--bounce"),
    ("notify", "--dry-run"),
    ("notify", "--preview", "alice"),
    ("notify", "--to", "postmaster@example.org"),
    ("notify",),
    ("announce", "--text", "--publish"),
    ("exempt", "--current-offenders", "encryption", "--until", day(60)),
    ("exempt", "--list"),
    ("explain", "--service", "imap", "--port", "143", "--tls", "none", "--mechanism", "PLAIN",
     "--client", "203.0.113.5", "--user", "alice"),
    ("check-config",),
]  # fmt: skip


class Site(RecordedSite):
    """Laid out as tmpfiles.d does it: the service's, but for the journal's group."""

    def __init__(self, base, with_store):
        self.base = base
        (base / "etc").mkdir()
        directory = base / "lib"
        directory.mkdir()
        super().__init__(directory, RULES)
        for name in ("portcullis.conf", "exemptions", "country.mmdb"):
            (directory / name).rename(base / "etc" / name)
        self.config = base / "etc/portcullis.conf"
        self.exemptions = base / "etc/exemptions"
        text = self.config.read_text()
        for name in ("exemptions", "country.mmdb"):
            text = text.replace(f"{directory}/{name}", f"{base}/etc/{name}")
        self.config.write_text(text)
        user = pwd.getpwnam(USER)
        for path, mode in ((directory, 0o750), (self.journal, 0o2770)):
            os.chown(path, user.pw_uid, user.pw_gid)
            path.chmod(mode)
        if with_store:
            self.record("alice@example.org", "encryption")
            self.rest()
            self.must("import", "--quiet")
            self.must("announce", "--publish")
        self.record("bob@example.org", "encryption")
        with open(self.journal / "dovecot.jsonl", "a", encoding="utf-8") as journal:
            journal.write("garbage\n")
        os.chown(self.journal / "dovecot.jsonl", pwd.getpwnam(SERVER).pw_uid, user.pw_gid)
        (self.journal / "dovecot.jsonl").chmod(0o640)
        self.rest()

    def rest(self):
        """Nobody waits for a file that has been quiet."""
        os.utime(self.journal / "dovecot.jsonl", (time.time() - 3600,) * 2)

    def as_service(self, *arguments):
        # The build may lie where only root gets.
        return self.run(*arguments, program="/usr/bin/portcullis", user=USER, group=USER,
                        extra_groups=[], umask=0o077)  # fmt: skip

    def as_server(self, *command):
        """As an account that is in the journal's group."""
        return subprocess.run(command, user=SERVER, group=USER, extra_groups=[],
                              capture_output=True)  # fmt: skip


@pytest.fixture(name="base")
def _base(host):
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


class Victim:
    """A file of an account, and a directory of its own: nobody else may read the one, nor
    make anything in the other."""

    def __init__(self, directory, owner):
        self.directory = directory
        directory.mkdir()
        self.file = directory / "secret"
        # Partly what a file of set-aside lines would lose by its age.
        self.file.write_text("# 2001-01-01T00:00:00Z\nold\n" + f"{SECRET}\n" * 3)
        for path, mode in ((directory, 0o700), (self.file, 0o600)):
            os.chown(path, owner.pw_uid, owner.pw_gid)
            path.chmod(mode)
        self.before = self._look()

    def _look(self):
        status = self.file.stat()
        return (self.file.read_text(), status.st_uid, status.st_gid, status.st_mode,
                os.listdir(self.directory))  # fmt: skip

    def assert_untouched(self):
        assert self._look() == self.before


def plant_link(path, victim):
    path.symlink_to(victim.file)


def plant_dangling_link(path, victim):
    path.symlink_to(victim.directory / "new")


def plant_hard_link(path, victim):
    os.link(victim.file, path)


def plant_fifo(path, _victim):
    os.mkfifo(path, 0o666)
    path.chmod(0o666)


def plant_socket(path, _victim):
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(path.parent, os.O_PATH)
        server.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def plant_directory(path, _victim):
    path.mkdir()
    (path / "not-empty").touch()


PLANTS = [plant_link, plant_dangling_link, plant_hard_link, plant_fifo, plant_socket,
          plant_directory]  # fmt: skip


def replace(site, name, plant, victim, owner):
    """Puts a plant where a file is, or would be, as the owner could."""
    path = site.directory / name
    if path.exists() or path.is_symlink():
        path.unlink()
    plant(path, victim)
    if plant is not plant_hard_link:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def assert_harmless(site, run, victim, what):
    for command in COMMANDS:
        done = run(*command)  # ends, or the run times out
        assert done.returncode >= 0, (what, done)
        assert SECRET not in done.stdout + done.stderr, (what, done)
        assert "traceback" not in done.stderr.lower()
        victim.assert_untouched()
    for path in site.directory.rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_ino != victim.file.stat().st_ino:
            assert SECRET.encode() not in path.read_bytes(), (what, path)


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", BESIDE + IN_JOURNAL)
def test_the_service_against_root(base, name, plant):
    """Whoever has taken over the service's account waits for the operator's sudo."""
    site = Site(base, with_store=True)
    victim = Victim(base / "victim", pwd.getpwnam("root"))
    replace(site, name, plant, victim, pwd.getpwnam(USER))
    assert_harmless(site, site.run, victim, (name, plant.__name__))


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", IN_JOURNAL)
def test_a_server_against_the_service(base, name, plant):
    """Whoever has taken over Dovecot's account waits for the services."""
    site = Site(base, with_store=True)
    victim = Victim(base / "victim", pwd.getpwnam(USER))
    replace(site, name, plant, victim, pwd.getpwnam(SERVER))
    assert_harmless(site, site.as_service, victim, (name, plant.__name__))


@pytest.mark.parametrize("plant", [plant_link, plant_dangling_link, plant_fifo])
@pytest.mark.parametrize("name", BESIDE + ["journal/set-aside", "journal/dovecot.jsonl"])
def test_before_anything_was_recorded(base, name, plant):
    site = Site(base, with_store=False)
    victim = Victim(base / "victim", pwd.getpwnam("root"))
    replace(site, name, plant, victim, pwd.getpwnam(USER))
    assert_harmless(site, site.run, victim, (name, plant.__name__))


class SharingSite(Site):
    """The importer writes the exemptions that the store has."""

    def __init__(self, base):
        super().__init__(base, with_store=True)
        text = self.config.read_text()
        self.exemptions = self.directory / "exemptions"
        self.config.write_text(
            text.replace(f"{base}/etc/exemptions", f"{self.exemptions}").replace(
                "rule encryption", "exemptions-in-store = true\nrule encryption", 1
            )
        )
        assert self.run("exempt", "carol", "encryption", "--until", day(60)).returncode == 0
        assert self.run("import", "--quiet").returncode == 0


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("run", ["run", "as_service"])
def test_exemptions_that_the_store_has(base, run, plant):
    site = SharingSite(base)
    run = getattr(site, run)
    owner = "root" if run == site.run else USER
    victim = Victim(base / "victim", pwd.getpwnam(owner))
    right = site.exemptions.read_text()
    assert "carol" in right
    replace(site, "exemptions", plant, victim, pwd.getpwnam(USER))
    assert_harmless(site, run, victim, plant.__name__)
    if site.exemptions.is_dir() and not site.exemptions.is_symlink():
        shutil.rmtree(site.exemptions)
    else:
        site.exemptions.unlink(missing_ok=True)
    assert run("import").returncode == 0
    assert right.splitlines()[1] in site.exemptions.read_text().splitlines()


@pytest.mark.parametrize("plant", PLANTS)
def test_where_edits_are_kept(base, plant):
    """The name can be told beforehand, from the text."""
    site = SharingSite(base)
    victim = Victim(base / "victim", pwd.getpwnam("root"))
    edited = site.exemptions.read_text() + "# edited\n"

    def edit_and_import():
        site.exemptions.write_text(edited)
        done = site.run("import")
        victim.assert_untouched()
        assert "somebody has written to it" in done.stderr or "the servers read it" in done.stderr
        return next(site.directory.glob("exemptions.by-hand-*"))

    kept = edit_and_import()
    replace(site, kept.name, plant, victim, pwd.getpwnam(USER))
    assert edit_and_import() == kept
    # Nothing is overwritten of which there is no copy.
    if plant is plant_directory:
        assert site.exemptions.read_text() == edited
    else:
        assert kept.read_text() == edited and not kept.is_symlink()


def test_names_that_can_be_guessed(base):
    """Files that are on their way to replace others had names with process ids."""
    site = Site(base, with_store=False)
    victim = Victim(base / "victim", pwd.getpwnam("root"))
    with subprocess.Popen(["true"]) as process:
        last = process.pid
    for pid in range(last, last + 500):
        for name in (f"announced.json.{pid}", f"journal/set-aside.{pid}"):
            (site.directory / name).symlink_to(victim.file)
    for name in ("journal/set-aside.new", "journal/set-aside.old.new"):
        (site.directory / name).symlink_to(victim.file)
    assert_harmless(site, site.run, victim, "guessed")


@pytest.mark.parametrize("target", ["root", "service"])
def test_a_journal_that_is_a_link(base, target):
    site = Site(base, with_store=True)
    victim = Victim(base / "victim", pwd.getpwnam("root" if target == "root" else USER))
    (victim.directory / "mx3.jsonl").write_text(f"{SECRET}\n")
    victim.before = victim._look()
    shutil.rmtree(site.journal)
    site.journal.symlink_to(victim.directory)
    os.chown(site.journal, *pwd.getpwnam(USER)[2:4], follow_symlinks=False)
    assert_harmless(site, site.run, victim, "journal")
    done = site.run("import")
    assert done.returncode == 66 and f"{site.journal}: " in done.stderr


def test_every_name_is_among_the_planted_ones(base):
    site = Site(base, with_store=True)
    for command in COMMANDS:
        site.run(*command)
    found = {str(path.relative_to(site.directory)) for path in site.directory.rglob("*")}
    assert found - {"journal"} <= set(BESIDE + IN_JOURNAL)
    assert {"store.db", "notify.lock", "announced.json", "journal/grace",
            "journal/set-aside"} <= found  # fmt: skip


def test_root_leaves_nothing_that_the_service_cannot_use(base):
    site = Site(base, with_store=True)
    for command in COMMANDS:
        site.run(*command)
    user = pwd.getpwnam(USER)
    for path in site.directory.rglob("*"):
        assert path.stat().st_uid == user.pw_uid, path
    for command in COMMANDS[:-5]:
        done = site.as_service(*command)
        assert done.returncode in (0, 1), done


def test_the_journal_may_lie_in_a_directory_of_roots(base):
    """Beside it, the service's account makes nothing."""
    site = Site(base, with_store=True)
    (base / "srv").mkdir()
    site.journal.rename(base / "srv/j")
    text = site.config.read_text()
    site.config.write_text(text.replace(f"{site.journal}", f"{base}/srv/j"))
    for name in ("notify.lock", "announced.json"):
        (site.directory / name).unlink(missing_ok=True)
    site.run("import")
    for run in (site.run, site.as_service):
        done = run("notify")
        assert (done.returncode, done.stderr) == (0, ""), done
    site.must("announce", "--publish")
    assert os.listdir(base / "srv") == ["j"]
    assert {"notify.lock", "announced.json"} <= set(os.listdir(site.directory))


def test_the_operator_still_edits_as_root(base):
    """The store is asked as the service, the exemptions are written as root."""
    site = Site(base, with_store=True)
    (base / "etc").chmod(0o755)
    site.exemptions.chmod(0o640)
    os.chown(site.exemptions, 0, pwd.getpwnam(USER).pw_gid)
    done = site.must("exempt", "--current-offenders", "encryption", "--until", day(60))
    assert "encryption" in done and ": 1." in done
    status = site.exemptions.stat()
    assert (status.st_uid, status.st_gid) == (0, pwd.getpwnam(USER).pw_gid)
    assert stat.S_IMODE(status.st_mode) == 0o640
    assert "alice@example.org" in site.exemptions.read_text()


def test_servers_cannot_read_the_store(base):
    """Dovecot's auth process is in the journal's group, and needs the journal only."""
    site = Site(base, with_store=True)
    site.run("import")
    for name in ("store.db", "store.db-wal", "store.db-shm", "journal/set-aside"):
        path = site.directory / name
        if path.exists():
            assert site.as_server("cat", path).returncode != 0, name
    # What an older version left open is closed.
    site.store.chmod(0o640)
    assert site.as_server("cat", site.store).returncode == 0
    site.must("import", "--quiet")
    assert site.as_server("cat", site.store).returncode != 0


def test_a_group_that_the_operator_chose_keeps_the_store(base):
    site = Site(base, with_store=True)
    os.chown(site.store, -1, 4711)
    site.store.chmod(0o640)
    site.run("import")
    assert stat.S_IMODE(site.store.stat().st_mode) == 0o640


@pytest.mark.parametrize("name", [b"\x1b[31mred.jsonl", b"two\nlines.jsonl", b"\x9b31m\xff.jsonl",
                                  "\u202egnp.jsonl".encode()])  # fmt: skip
def test_names_that_a_terminal_would_obey(base, name):
    site = Site(base, with_store=True)
    path = os.fsencode(site.journal) + b"/" + name
    os.symlink("/etc/passwd", path)
    other = os.fsencode(site.journal) + b"/x" + name
    with open(other, "wb") as file:
        file.write(b"garbage\n")
    done = site.run("import", text=False)
    assert done.returncode != 0
    for line in done.stderr.decode().splitlines() + done.stdout.decode().splitlines():
        assert line.isprintable(), line
    assert b"it is a symbolic link" in done.stderr
    kept = (site.journal / "set-aside").read_text()
    assert all(line.isprintable() for line in kept.splitlines())
    headings = [line for line in kept.splitlines() if line.startswith("# ")]
    assert len(headings) == 2 and kept.count("\n") == 4


def test_a_lock_that_is_never_given_back(base):
    """A server's account may lock the journal's directory for ever."""
    site = Site(base, with_store=True)
    holder = subprocess.Popen(["flock", site.journal, "sleep", "60"], user=SERVER, group=USER,
                              extra_groups=[], start_new_session=True)  # fmt: skip
    try:
        while subprocess.run(["flock", "-n", site.journal, "true"]).returncode == 0:
            pass
        done = site.run("import")
        assert done.returncode != 0
        assert "a line cannot be set aside: it is locked by another process" in done.stderr
    finally:
        os.killpg(holder.pid, 9)
        holder.wait()
    assert "1 lines imported, 1 set aside" in site.run("import").stdout
