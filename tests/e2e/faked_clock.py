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


def _library():
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


class FakedClock:
    """environment: of the servers that go by it."""

    def __init__(self, dovecot, moment):
        _share()
        self._dovecot = dovecot
        self.environment = {
            "LD_PRELOAD": _library(),
            "FAKETIME_TIMESTAMP_FILE": str(FILE),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Not with a blank, at which Dovecot 2.4 cuts it.
            "FAKETIME_SHARED": f"/{SHARED}\t/{SHARED}",
            "NO_FAKE_STAT": "1",
        }
        self.set(moment)

    def set(self, moment):
        """It is that moment now, in seconds since 1970. Dovecot kills processes that have
        just been started when half a minute is over: it has none then."""
        self._dovecot.rest()
        self._ahead = moment - time.time()
        for file in FILES:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_suffix(".new")
            new.write_text(f"{self._ahead:+.6f}\n")
            os.replace(new, file)

    def now(self):
        return time.time() + self._ahead
