"""A store whose server has no room left on its disk."""

import os
import random
import subprocess

import pytest

import postgresql

from processes import wait_until
from test_import import some_events, truth
from test_store_postgresql import Host, lines, rows, stop

EX_IOERR, EX_TEMPFAIL = 74, 75


class SmallDisk(postgresql.PostgreSQL):
    """On a file system of its own, which can be filled."""

    def _make(self):
        self.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200M,mode=711", "tmpfs", self.data],
                       check=True)  # fmt: skip
        super()._make()

    def fill(self, left):
        """But for so many bytes."""
        room = os.statvfs(self.data)
        with open(self.data / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_bsize - left)

    def empty(self):
        (self.data / "ballast").unlink()

    def wait_for(self):
        """Until it answers again, and starts it where it has ended."""
        done = False
        while not done:
            if not self.server.running:
                self.start()
            done = subprocess.run(["pg_isready", "-q", "-h", self.data], check=False).returncode == 0

    def close(self):
        self.server.kill()
        subprocess.run(["umount", self.data], check=True)
        super().close()


@pytest.fixture
def server():
    server = SmallDisk()
    yield server
    server.close()


# Bytes, and lines to come.
ROOM = [(65_536, 5000)]
if os.environ.get("PORTCULLIS_WHOLE_STORM"):
    ROOM += [(300_000, 60000), (4_000_000, 60000), (12_000_000, 60000)]


@pytest.mark.parametrize("left, count", ROOM)
def test_disk_is_full(server, tmp_path, left, count):
    """What fails is a row, or the log of all changes, which ends the server. When there is room
    again, all comes once."""
    host = Host(tmp_path, server.uri())
    host.run("store", "create")
    events = list(some_events(random.Random(left), 500, 100))
    host.append(events)
    host.run("import")
    more = list(some_events(random.Random(left + 1), count, count))
    server.fill(left)
    host.append(more)
    done = host.run("import", status=None)
    assert done.returncode in (EX_IOERR, EX_TEMPFAIL), done.stderr
    assert done.stderr.count("\n") == 1
    importer = host.follow()
    said = importer.stderr.readline()
    assert "store postgresql://" in said
    server.empty()
    server.wait_for()
    wait_until(lambda: lines(server) == len(events + more), "all lines", timeout=120)
    assert "can be reached again" in stop(importer)
    assert rows(server) == truth(events + more)
