"""An interactive bash, to whom TAB is as good as an operator's."""

import fcntl
import os
import pty
import select
import signal
import struct
import tempfile
import termios
import time

# Control-X i: every word that the one before the cursor may become. Control-X p: the line.
SETUP = r"""
PS1= PS2=
bind 'set enable-bracketed-paste off'
bind '"\C-xi": insert-completions'
bind -x '"\C-xp": printf "\n\001%s\002\n" "$READLINE_LINE"'
printf '\001%s\002\n' ready
"""

PATIENCE = 60.0


class Bash:
    def __init__(self, sourced, directory, environment=None):
        """sourced: the file that a login would read. Works in the directory."""
        with tempfile.NamedTemporaryFile("w", suffix=".bashrc", delete=False) as setup:
            setup.write(f". {sourced}\n{SETUP}")
        self._said = b""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(directory)
            os.execve("/bin/bash", ["bash", "--noprofile", "--rcfile", setup.name, "-i"], {
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb",
                "HOME": str(directory), "INPUTRC": "/dev/null", "HISTFILE": "",
                **(environment or {})})  # fmt: skip
        # A line must not be scrolled sideways.
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 30000, 0, 0))
        assert self._answer() == "ready"

    def _answer(self):
        """What it prints between the two marks, the next time."""
        deadline = time.monotonic() + PATIENCE
        while b"\2" not in self._said:
            if not select.select([self._terminal], [], [], deadline - time.monotonic())[0]:
                raise TimeoutError(self._said)
            self._said += os.read(self._terminal, 65536)
        before, _, rest = self._said.partition(b"\2")
        self.shown, _, text = before.rpartition(b"\1")
        self._said = rest
        return text.decode()

    def type(self, keys):
        """Returns the line that stands there then; it is taken away. What was shown meanwhile
        is in shown."""
        os.write(self._terminal, keys.encode() + b"\x18p")
        line = self._answer()
        os.write(self._terminal, b"\x05\x15")  # to its end, and away
        return line

    def completions(self, line):
        """All words that TAB may make of the line's last one, in bash's order."""
        completed = self.type(line + "\x18i")
        begin = line[: max(map(line.rfind, " =")) + 1]
        assert completed.startswith(begin), (line, completed)
        return [] if completed == line else completed[len(begin) :].split()

    def close(self):
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)
