"""Servers that cannot outlive the tests.

Each one lives in a process namespace whose first process is a shell that waits
for it. When the server ends, so does the shell, and the kernel ends whatever
else is left in the namespace. The shell is killed when the thread that started
the server ends, even by SIGKILL. (The server itself could not be process 1: it
forgets its parent-death signal when it changes its user.)
"""

import contextlib
import ctypes
import fcntl
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import termios
import time

from pathlib import Path


# Only what never comes is waited for so long; a machine may be slow.
PATIENCE = 60.0


class Timeout(Exception):
    pass


class CannotStart(Exception):
    """What starts a server failed, not the server."""


def wait_until(condition, what, timeout=PATIENCE, interval=0.002):
    """Waits for condition() to be true and returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Timeout(f"no {what} within {timeout:g} s")
        time.sleep(interval)


def _parents():
    """The parent of each process."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # ended meanwhile
        parents[int(name)] = int(fields[1])
    return parents


def children(pid):
    """The processes whose parent pid is."""
    return [child for child, parent in _parents().items() if parent == pid]


def descendants(pid):
    """Its children, theirs, and so on. One look at all processes: servers are started so
    often that it counts."""
    parents = _parents()
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


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


def listening_sockets(pid):
    """Those of a process: TCP of both families, and Unix sockets."""
    found = {f"socket:[{inode}]" for inode, _ in _listening_unix_sockets()}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                found.add(f"socket:[{fields[9]}]")
    return found & set(_open_files(pid).values())


def listens_at(path):
    """Whether a Unix socket of that path listens; it exists a moment earlier."""
    return any(name == str(path) for _, name in _listening_unix_sockets())


def _listening_unix_sockets():
    """(inode, path) of each; the flag is SO_ACCEPTCON."""
    for line in Path("/proc/self/net/unix").read_text().splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if int(fields[3], 16) & 0x10000:
            yield fields[6], fields[7] if len(fields) > 7 else ""


def _open_files(pid):
    """What a process has open, by descriptor; nothing when it has ended."""
    files = {}
    try:
        links = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return files
    for link in links:
        with contextlib.suppress(OSError):  # closed meanwhile
            files[int(link)] = os.readlink(f"/proc/{pid}/fd/{link}")
    return files


def sleeps(pid):
    """Whether a process waits for something to happen, or has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] in "SZ"


def are_at_rest(pid):
    """Whether a server and all processes that it has started sleep, and none has run
    between two looks at them: what was to be done is done."""
    first = _looks(pid)
    return all(state in "SZ" for state, _ in first.values()) and _looks(pid) == first


def _looks(pid):
    """Of each process, its state and how often it has stopped running."""
    looks = {}
    for process in (pid, *descendants(pid)):
        try:
            text = Path(f"/proc/{process}/status").read_text(errors="replace")
        except OSError:
            continue  # ended meanwhile
        state = re.search(r"^State:\t(\w)", text, re.MULTILINE)[1]
        looks[process] = (state, re.findall(r"ctxt_switches:\t(\d+)", text))
    return looks


def waits_for_input(pid):
    """Whether a process has read all of its pipes and sleeps again."""
    try:
        return _unread_in_pipes(pid) == 0 and sleeps(pid) and _unread_in_pipes(pid) == 0
    except OSError:
        return not Path(f"/proc/{pid}").exists()


def _unread_in_pipes(pid):
    """Bytes that wait in the pipes that a process has open to read from. (A link's mode
    tells that; what Dovecot's processes tell the master may wait longer.)"""
    unread = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(link).startswith("pipe:") and link.lstat().st_mode & stat.S_IRUSR:
            descriptor = os.open(link, os.O_RDONLY | os.O_NONBLOCK)
            try:
                answer = fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4)
            finally:
                os.close(descriptor)
            unread += int.from_bytes(answer, sys.byteorder)
    return unread


# Of that name C libraries have no function before glibc 2.36; the number is the same everywhere.
PIDFD_GETFD = 438


def unread_datagrams(pid, path):
    """Bytes that wait in a datagram socket, by its path, that a process has open."""
    libc = ctypes.CDLL(None)
    process = os.pidfd_open(pid)
    try:
        for number, name in _open_files(pid).items():
            if not name.startswith("socket:"):
                continue
            copy = libc.syscall(PIDFD_GETFD, process, number, 0)
            if copy < 0:
                continue  # closed meanwhile
            with socket.socket(fileno=copy) as opened:
                if opened.family == socket.AF_UNIX and opened.getsockname() == path:
                    answer = fcntl.ioctl(opened, termios.FIONREAD, b"\0" * 4)
                    return int.from_bytes(answer, sys.byteorder)
    finally:
        os.close(process)
    raise LookupError(f"process {pid} has no {path} open")


def events_are_taken(pid):
    """Whether all counters of a process (eventfd(2)), by which one thread tells the
    other that there is something to do, are back at zero."""
    try:
        texts = [path.read_text() for path in Path(f"/proc/{pid}/fdinfo").iterdir()]
    except OSError:
        return not Path(f"/proc/{pid}").exists()
    counts = re.findall(r"eventfd-count:\s*(\w+)", "".join(texts))
    return not any(int(count, 16) for count in counts)


def log_size(path):
    return path.stat().st_size if path.exists() else 0


def read_log(path, offset=0):
    """What a log file holds from a place on that log_size() gave."""
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read().decode("utf-8", "replace")


# What the shell and unshare say themselves is none of the server's messages.
_WAIT = ["sh", "-c", '"$@" 2>&1 & wait $!', "sh"]


class Server:
    """A server in the foreground, with everything that it starts."""

    def __init__(self, command, environment=None, log=None):
        """log: a file that standard output and standard error are appended to."""
        self.command = [str(word) for word in command]
        self._said_of_start = os.fdopen(os.memfd_create("said"), "w+")
        inherited = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        with open(log or os.devnull, "ab") as output:
            self._supervisor = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"]
                + _WAIT
                + self.command,
                env={**inherited, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=self._said_of_start,
                start_new_session=True,
            )
        self._shell, self.pid = wait_until(self._find_pids, f"process for {self.command[0]}")

    def _find_pids(self):
        """Those of the shell and of the server, as the tests see them."""
        if self._supervisor.poll() is not None:
            self._said_of_start.seek(0)
            said = self._said_of_start.read()
            if said:
                raise CannotStart(said)
            return -1, -1
        below = descendants(self._supervisor.pid)
        return below[:2] if len(below) > 1 else None

    @property
    def running(self):
        return self._supervisor.poll() is None

    @property
    def exit_status(self):
        """None while it runs."""
        return self._supervisor.poll()

    def wait(self, timeout=PATIENCE):
        """Waits for its own end; returns the exit status."""
        return self._supervisor.wait(timeout)

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self, timeout=PATIENCE):
        """SIGTERM, and SIGKILL for what has not ended in time."""
        if not self.running:
            return
        try:
            os.kill(self.pid, signal.SIGTERM)
            self._supervisor.wait(timeout)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            self.kill()

    def kill(self):
        """Returns when all its processes are gone, and their ports are free: the
        end of a namespace's first process waits for that, and the supervisor for
        the first process."""
        if self.running:
            try:
                os.kill(self._shell, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it was just ending
        self._supervisor.wait()
