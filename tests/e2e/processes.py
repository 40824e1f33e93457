"""Servers that cannot outlive the tests.

Each one lives in a process namespace whose first process is a shell that waits
for it. When the server ends, so does the shell, and the kernel ends whatever
else is left in the namespace. The shell is killed when the thread that started
the server ends, even by SIGKILL. (The server itself could not be process 1: it
forgets its parent-death signal when it changes its user.)
"""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

from pathlib import Path


class Timeout(Exception):
    pass


def wait_until(condition, what, timeout=10.0, interval=0.002):
    """Waits for condition() to be true and returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Timeout(f"no {what} within {timeout:g} s")
        time.sleep(interval)


def children(pid):
    """The processes whose parent pid is."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # ended meanwhile
        if int(fields[1]) == pid:
            found.append(int(path.parent.name))
    return found


def descendants(pid):
    found = []
    for child in children(pid):
        found += [child] + descendants(child)
    return found


def command_name(pid):
    """"auth", "imap-login" ...; empty when the process has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def listens(port):
    """Whether a TCP socket listens on the port; found out without connecting."""
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                return True
    return False


def waits_for_input(pid):
    """Whether a process has read all of its pipes and sleeps again."""

    def sleeps():
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0] == "S"

    try:
        return _unread_in_pipes(pid) == 0 and sleeps() and _unread_in_pipes(pid) == 0
    except OSError:
        return not Path(f"/proc/{pid}").exists()


def _unread_in_pipes(pid):
    """Bytes that wait in the pipes that a process has open."""
    unread = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(link).startswith("pipe:"):
            descriptor = os.open(link, os.O_RDONLY | os.O_NONBLOCK)
            try:
                answer = fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4)
            finally:
                os.close(descriptor)
            unread += int.from_bytes(answer, sys.byteorder)
    return unread


def log_size(path):
    return path.stat().st_size if path.exists() else 0


def read_log(path, offset=0):
    """What a log file holds from a place on that log_size() gave."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read().decode("utf-8", "replace")


_WAIT = ["sh", "-c", '"$@" & wait $!', "sh"]


class Server:
    """A server in the foreground, with everything that it starts."""

    def __init__(self, command, environment=None, log=None):
        """log: a file that standard output and standard error are appended to."""
        self.command = [str(word) for word in command]
        inherited = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        with open(log or os.devnull, "ab") as output:
            self._supervisor = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"]
                + _WAIT
                + self.command,
                env={**inherited, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = wait_until(self._find_pid, f"process for {self.command[0]}")

    def _find_pid(self):
        """The server's pid, as the tests see it."""
        if self._supervisor.poll() is not None:
            return -1
        below = descendants(self._supervisor.pid)
        return below[1] if len(below) > 1 else None

    @property
    def running(self):
        return self._supervisor.poll() is None

    @property
    def exit_status(self):
        """None while it runs."""
        return self._supervisor.poll()

    def wait(self, timeout=10.0):
        """Waits for its own end; returns the exit status."""
        return self._supervisor.wait(timeout)

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self, timeout=10.0):
        """SIGTERM, and SIGKILL for what has not ended in time."""
        if not self.running:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
            self._supervisor.wait(timeout)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.kill()

    def kill(self):
        self._supervisor.kill()
        self._supervisor.wait()
