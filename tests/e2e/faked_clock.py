"""A clock that a test sets, for servers that run on.

They are started with libfaketime, which looks into a file whenever one of them asks for
the time: so many seconds from now. Their clock goes on as the real one does, and leaps when
the file is written, as it does when somebody sets it. The clock that nobody sets
(CLOCK_MONOTONIC) and the times of files stay what they are.
"""

import ctypes
import functools
import os
import subprocess
import time

from pathlib import Path

FILE = Path("/run/tests/clock")
# A chrooted server sees this one.
FILES = [FILE, Path("/var/spool/postfix") / FILE.relative_to("/")]
MEMORY = Path("/dev/shm")
SHARED = "faketime"


def library():
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "Debian's package libfaketime is not installed"
    return str(found[0])


@functools.cache
def _share():
    """What its processes have in common, whatever account they are of. By itself each
    server would make something by its own number, which here is everybody's."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0777", "tmpfs", MEMORY], check=True)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.sem_open.restype = ctypes.c_void_p
    if libc.sem_open(f"/{SHARED}".encode(), os.O_CREAT, 0o666, 1) is None:
        raise OSError(ctypes.get_errno(), "no semaphore for libfaketime")
    (MEMORY / SHARED).write_bytes(bytes(4096))
    for path in MEMORY.iterdir():
        path.chmod(0o666)


def _environment(file):
    return {
        "LD_PRELOAD": library(),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def _write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)


class QuickClock:
    """For commands, not for servers: it goes so many times as quickly from each one's start on,
    and their sleeps are as short."""

    def __init__(self, file, rate):
        _share()
        self._file = file
        self._rate = rate
        self.environment = _environment(file)

    def set(self, moment):
        _write(self._file, f"{moment - time.time():+.6f} x{self._rate}\n")
        # What commands that were killed have left. From one that is just starting it may not be
        # taken: that one would make it anew, and empty, and end by SIGBUS.
        for path in MEMORY.glob("*faketime_*"):
            if not Path("/proc", path.name.rpartition("_")[2]).exists():
                path.unlink(missing_ok=True)


class FakedClock:
    """environment: of the servers that go by it."""

    def __init__(self, dovecot, moment):
        _share()
        self._dovecot = dovecot
        # Not with a blank, at which Dovecot 2.4 cuts it.
        self.environment = {**_environment(FILE), "FAKETIME_SHARED": f"/{SHARED}\t/{SHARED}"}
        self.set(moment)

    def set(self, moment):
        """It is that moment now, in seconds since 1970. Dovecot kills processes that have
        just been started when half a minute is over: it has none then."""
        self._dovecot.rest()
        self._ahead = moment - time.time()
        for file in FILES:
            _write(file, f"{self._ahead:+.6f}\n")

    def now(self):
        return time.time() + self._ahead
