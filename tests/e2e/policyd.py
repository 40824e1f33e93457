"""Portcullis' policy daemon, as its own user."""

import os
import re
import shutil
import signal

from pathlib import Path

from processes import Server, events_are_taken, log_size, read_log, wait_until

LOG = Path("/var/log/portcullis-policyd.log")
PROGRAM = "portcullis-policyd"
USER = "portcullis"

# Where conf-examples/postfix expects it: below Postfix's queue directory.
SOCKET = Path("/var/spool/postfix/portcullis/policyd")


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
        # Debian 11's setpriv wants a /proc of its own.
        command = ["chroot", "--skip-chdir", f"--userspec={USER}:{USER}", "/"]
        command += [*wrapper, PROGRAM, "-c", config, *options]
        offset = log_size(LOG)
        server = Server(command, environment, log=LOG)

        def ready():
            if not server.running:
                raise RuntimeError(f"{PROGRAM} does not start:\n" + read_log(LOG, offset))
            # It says so when it listens everywhere.
            return " ready, policy " in read_log(LOG, offset)

        try:
            wait_until(ready, f"{PROGRAM} that listens, see {LOG}")
        except BaseException:
            server.kill()
            raise
        self._server = server
        self._config = config

    @property
    def pid(self):
        return self._server.pid

    @property
    def running(self):
        return self._server is not None and self._server.running

    def reload(self):
        """SIGHUP; waits until the daemon has read its configuration again, and
        found it good or bad."""
        answer = f"{re.escape(str(self._config))}: (read again|the old policy stays)"
        offset = log_size(LOG)
        self._server.signal(signal.SIGHUP)
        wait_until(
            lambda: re.search(answer, read_log(LOG, offset)),
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
        """All that it has logged since the tests began. A thread of its own writes
        what the deciding one has posted: that is waited for."""
        if self.running:
            wait_until(lambda: events_are_taken(self.pid), "daemon that has written its log")
        return read_log(LOG)
