"""Portcullis' policy daemon, as its own user."""

import os
import re
import shutil
import signal

from pathlib import Path

from processes import Server, listens, wait_until

LOG = Path("/var/log/portcullis-policyd.log")
PROGRAM = "portcullis-policyd"
USER = "portcullis"

# Where conf-examples/postfix expects it: below Postfix's queue directory.
SOCKET = Path("/var/spool/postfix/portcullis/policyd")


def _ready(listener):
    kind, _, place = listener.partition(":")
    if kind == "unix":
        return Path(place).is_socket()
    return listens(int(place.rpartition(":")[2]))


class PolicyDaemon:
    def __init__(self, listeners=(f"unix:{SOCKET}",)):
        self.listeners = list(listeners)
        self._server = None

    def start(self, environment=None, config="/etc/portcullis/portcullis.conf", wrapper=()):
        """wrapper: a command in front of it, such as valgrind's; by default that
        of the environment."""
        wrapper = wrapper or os.environ.get("POLICYD_WRAPPER", "").split()
        SOCKET.parent.mkdir(exist_ok=True)
        shutil.chown(SOCKET.parent, USER, USER)
        options = [word for listener in self.listeners for word in ("-l", listener)]
        command = ["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"]
        command += [*wrapper, PROGRAM, "-c", config, *options]
        self._server = Server(command, environment, log=LOG)
        wait_until(self._ready, f"{PROGRAM} that listens, see {LOG}")

    def _ready(self):
        if not self._server.running:
            raise RuntimeError(f"{PROGRAM} does not start:\n" + LOG.read_text()[-3000:])
        return all(_ready(listener) for listener in self.listeners)

    @property
    def pid(self):
        return self._server.pid

    @property
    def running(self):
        return self._server is not None and self._server.running

    def reload(self):
        """SIGHUP; waits until the daemon has read its configuration again, and
        found it good or bad."""
        offset = len(self.log())
        self._server.signal(signal.SIGHUP)
        wait_until(
            lambda: re.search("read again|the old policy stays", self.log()[offset:]),
            f"answer to SIGHUP, see {LOG}",
        )

    def stop(self):
        """SIGTERM. It must end well; valgrind and the sanitizers see to it that
        it does not when they have found something."""
        if self._server is not None:
            server, self._server = self._server, None
            server.stop()
            assert server.exit_status == 0, f"exit status {server.exit_status}, see {LOG}"

    def kill(self):
        """SIGKILL."""
        if self._server is not None:
            self._server.kill()
            self._server = None

    def restart(self, environment=None):
        self.stop()
        self.start(environment)

    def log(self):
        return LOG.read_text(errors="replace") if LOG.exists() else ""
