"""What the tests and `make try` may find on a machine that is a mail server already, and
leave as it is.

They are run beside this run, outside of its namespaces, with such a machine's /etc and
/var in memory.
"""

import contextlib
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import time

from pathlib import Path

import pytest

import namespaces

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PORTCULLIS_BUILD", ROOT / "build")).resolve()
# A place that no overlay hides.
ELSEWHERE = Path("/srv" if ROOT.is_relative_to("/mnt") else "/mnt")

PR_SET_CHILD_SUBREAPER = 36

ACCOUNTS = {
    "/etc/passwd": "vmail:x:5000:5000::/var/vmail:/bin/sh\n"
    "anna:x:5001:5001::/home/anna:/bin/sh\n"
    "portcullis:x:997:997::/var/lib/portcullis:/usr/sbin/nologin\n",
    "/etc/group": "vmail:x:5000:dovecot\nanna:x:5001:\nportcullis:x:997:anna\n"
    "virtual:x:998:portcullis,vmail\n",
}
FILES = {
    "dovecot/dovecot.conf": "this is no configuration",
    "postfix-main.cf": "this is no configuration",
    "key": "a key that is precious",
    "portcullis/portcullis.conf": "this is no configuration",
    "portcullis/exemptions": "alice@example.org encryption 2099-01-01",
    "records/portcullis.db": "this is no store",
    "records/journal/dovecot.jsonl": "this is no line",
    "spool/postfix/deferred/A/ABCDEF": "somebody's mail",
    "vmail/alice@example.org/Maildir/new/1": "somebody's mail",
}
LINKS = {
    "/etc/dovecot": "dovecot",
    "/etc/portcullis": "portcullis",
    "/etc/postfix/main.cf": "postfix-main.cf",
    "/etc/ssl/mail.key": "key",
    "/var/lib/portcullis": "records",
    "/var/spool": "spool",
    "/var/vmail": "vmail",
}


def make_machine():
    """In mounts of its own: a mail server's accounts, and its files behind links."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(namespaces.CLONE_NEWNS) == 0
    namespaces._make_mounts_private(libc)
    with contextlib.ExitStack() as stack:
        etc = os.open("/etc", os.O_RDONLY)
        stack.callback(os.close, etc)
        for path in ("/etc", "/var", ELSEWHERE):
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)
        shutil.copytree(f"/proc/self/fd/{etc}", "/etc", symlinks=True, dirs_exist_ok=True)
    for path, lines in ACCOUNTS.items():
        with open(path, "a") as file:
            file.write(lines)
    for name, text in FILES.items():
        path = ELSEWHERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("lib", "log", "tmp"):
        (Path("/var") / name).mkdir()
    Path("/var/run").symlink_to("/run")
    for link, name in LINKS.items():
        if os.path.isdir(link):
            shutil.rmtree(link)
        Path(link).unlink(missing_ok=True)
        Path(link).symlink_to(ELSEWHERE / name)


def contents():
    found = {}
    for top in ("/etc", "/var", ELSEWHERE):
        for path in [Path(top), *Path(top).rglob("*")]:
            status = path.lstat()
            what = os.readlink(path) if path.is_symlink() else ""
            if path.is_file() and not path.is_symlink():
                what = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, what,
                                status.st_mtime_ns)  # fmt: skip
    return found


def run_on_such_a_machine(command):
    make_machine()
    before = contents()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
    changed = {path for path, what in contents().items() ^ before.items()}
    print("changed:", sorted(changed))
    sys.exit(1 if changed or something_runs() else status)


def something_runs():
    """Whoever is left over is this process' child by now."""
    with contextlib.suppress(ChildProcessError):
        for _ in range(100):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass  # it had ended
            time.sleep(0.1)
        subprocess.run(["ps", "f", "--ppid", str(os.getpid())])
        return True
    return False


TESTS = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, ROOT / "tests/try", "protocol"],
        [*TESTS, ROOT / "tests/e2e/test_kinds.py", "-k", "protocol-off"],
    ],
    ids=["try", "tests"],
)
def test_a_machine_that_is_a_mail_server(command):
    done = namespaces.run_outside(
        [sys.executable, "-B", __file__, *command],
        capture_output=True,
        text=True,
        env={**os.environ, "PORTCULLIS_BUILD": str(BUILD)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "changed: []" in done.stdout


def test_no_temporary_file_is_left_outside(tmp_path):
    assert namespaces.run_outside(["test", "-e", tmp_path]).returncode == 1


if __name__ == "__main__":
    run_on_such_a_machine(sys.argv[1:])
