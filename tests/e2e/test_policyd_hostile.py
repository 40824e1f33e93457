"""The policy daemon against clients that mean no good, without Postfix: real
sockets, the real program. Nobody gets an answer that breaks the protocol, the
others are served meanwhile, and memory stays bounded."""

import grp
import json
import os
import pwd
import re
import shlex
import signal
import socket
import subprocess
import time

from pathlib import Path

import pytest

import service_account

from mailhost import BUILD
from policy_client import request
from processes import PATIENCE, Server, events_are_taken, listens_at, wait_until

pytestmark = pytest.mark.daemon

PROGRAM = Path(os.environ.get("POLICYD_PROGRAM", BUILD / "portcullis-policyd"))
# A command in front of the daemon, such as valgrind's.
WRAPPER = shlex.split(os.environ.get("POLICYD_WRAPPER", ""))

# What valgrind and the sanitizers need beside the daemon's own memory.
CHECKED = bool(WRAPPER) or re.search(b"__[at]san_init", PROGRAM.read_bytes()) is not None
OVERHEAD = 64 * 1024 * 1024 if CHECKED else 0

REQUEST_TIMEOUT = 2
HELD_MAX = 16 * 1024 * 1024

CONFIG = """
help-url       = "https://www.example.org/mail"
default-domain = "example.org"
journal        = "{journal}"
combine        = 0
unverified-per-minute = 100000
rule encryption      {{ services = {{ "submission" }}  enforce = "always" }}
rule submission-port {{ observe = "always" }}
"""


ALLOWED = request()
DUNNO = b"action=DUNNO\n\n"


class Daemon:
    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "policyd.sock"
        self.log_path = folder / "log"
        self.journal = folder / "journal/postfix.jsonl"
        self.config = folder / "portcullis.conf"
        self.journal.parent.mkdir()
        self.config.write_text(CONFIG.format(journal=self.journal.parent))
        self.server = None

    def start(self, *options, before=()):
        """before: a command in front of it."""
        command = [*before, *WRAPPER, PROGRAM, "-c", self.config]
        if not any(option.startswith("-l") for option in options):
            options += (f"-lunix:{self.path}",)
        self.server = Server([*command, *options], log=self.log_path)
        wait_until(self.answers, f"daemon that answers, see {self.log_path}")
        return self

    def answers(self):
        if not self.server.running:
            raise RuntimeError(self.log())
        try:
            with self.connect() as client:
                return ask(client) == DUNNO
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(self.path))
        return client

    def log(self):
        """All that it had to say until now."""
        if self.server.running:
            wait_until(lambda: events_are_taken(self.server.pid), "daemon that has written its log")
        return self.log_path.read_text(errors="strict")

    def events(self, count):
        """Waits for so many lines of the journal, and returns all."""

        def read():
            if not self.journal.exists():
                return None
            lines = self.journal.read_text(encoding="utf-8").splitlines()
            return lines if len(lines) >= count else None

        return [json.loads(line) for line in wait_until(read, f"{count} events")]

    def resident(self):
        """Bytes of memory."""
        with open(f"/proc/{self.server.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def stop(self):
        """Ends it by SIGTERM, which it must survive to the end."""
        if self.server is not None and self.server.running:
            self.server.signal(signal.SIGTERM)
            assert self.server.wait() == 0, self.log()


@pytest.fixture
def stopped_daemon(tmp_path):
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.stop()


@pytest.fixture
def daemon(stopped_daemon):
    return stopped_daemon.start()


@pytest.fixture
def impatient_daemon(stopped_daemon):
    return stopped_daemon.start("-t", str(REQUEST_TIMEOUT))


def read_all(client):
    """Until the daemon closes the connection."""
    received = b""
    try:
        while chunk := client.recv(65536):
            received += chunk
    except ConnectionResetError:
        pass  # it has closed with something of ours unread
    return received


def is_open(client):
    """False when the daemon has closed it."""
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    finally:
        client.settimeout(PATIENCE)


def read_answer(client):
    received = b""
    while not received.endswith(b"\n\n"):
        chunk = client.recv(65536)
        assert chunk, "closed without an answer"
        received += chunk
    return received


def ask(client, text=ALLOWED):
    client.sendall(text)
    return read_answer(client)


BROKEN = {
    "an empty line": b"\n",
    "no request attribute": b"instance=1\n\n",
    "another request": b"request=junk\ninstance=1\n\n",
    "no policy request at all": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\n\n",
    "TLS": bytes.fromhex("16030100") + b"\x80\x01\x00\x00" * 20 + b"\n\n",
    "a line without =": request().replace(b"\n\n", b"\nsender\n\n"),
    "CRLF": ALLOWED.replace(b"\n", b"\r\n") + b"\n\n",
    "NUL in a value": request(sender=b"a\0b"),
    "NUL in a used value": request(sasl_username=b"alice\0"),
    "NUL in a name": ALLOWED.replace(b"protocol_state", b"protocol\0state"),
    "a user twice": ALLOWED.replace(b"\n\n", b"\nsasl_username=bob\n\n"),
    "an instance twice": request(instance=1).replace(b"\n\n", b"\ninstance=1\n\n"),
    "an address that is none": request(client_address="203.0.113.256"),
    "no address": ALLOWED.replace(b"client_address=203.0.113.5\n", b""),
    "an empty address": request(client_address=""),
    "a host name for an address": request(client_address="mx.example.org"),
    "a port that is none": request(server_port="65536"),
    "a negative port": request(server_port="-25"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_request_gets_no_answer(daemon, what):
    with daemon.connect() as other, daemon.connect() as client:
        assert ask(other) == DUNNO
        client.sendall(BROKEN[what])
        assert read_all(client) == b""
        assert ask(other) == DUNNO
    assert "cut off without an answer" in daemon.log()


def test_requests_before_a_broken_one_are_answered(daemon):
    with daemon.connect() as client:
        client.sendall(ALLOWED + ALLOWED + b"nonsense\n\n" + ALLOWED)
        assert read_all(client) == DUNNO + DUNNO


def test_complaints_are_limited(daemon):
    begin = time.monotonic()
    for _ in range(500):
        with daemon.connect() as client:
            client.sendall(b"nonsense\n\n")
            assert read_all(client) == b""
    assert daemon.answers()
    minutes = (time.monotonic() - begin) // 60 + 2
    assert daemon.log().count("cut off") <= 10 * minutes


def test_megabytes_without_a_newline(daemon):
    before = daemon.resident()
    with daemon.connect() as other:
        for filler in (b"x", b"a=", b"\0"):
            with daemon.connect() as client:
                with pytest.raises((BrokenPipeError, ConnectionResetError)):
                    client.sendall(filler * (16 * 1024 * 1024))
                assert read_all(client) == b""
            assert ask(other) == DUNNO
    assert daemon.resident() - before < 2 * 1024 * 1024 + OVERHEAD


def test_ten_thousand_attributes(daemon):
    with daemon.connect() as client:
        assert ask(client, b"a=\n" * 10000 + ALLOWED) == DUNNO
        assert ask(client) == DUNNO
        # More than 64 KiB are too much.
        with pytest.raises((BrokenPipeError, ConnectionResetError, AssertionError)):
            ask(client, b"".join(b"attribute%d=\n" % i for i in range(10000)) + ALLOWED)


@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"al\xc3", b"\xf5\x80\x80\x80", b"\x1b[2J\r"]
)
def test_bytes_that_are_no_text(daemon, value):
    strange = request(sasl_username=value, helo_name=value, sasl_method=value, instance=value)
    plain = strange.replace(b"server_port=587", b"server_port=25")
    with daemon.connect() as client:
        assert ask(client, request(sender=value)) == DUNNO
        assert ask(client, plain) == DUNNO
    event = daemon.events(2)[-1]
    assert event["rules"] == {"submission-port": "observe"}
    assert event["user"].endswith("@example.org")
    assert ("\ufffd" in event["user"]) == (value != b"\x1b[2J\r")
    assert "submission-port" in daemon.log()
    assert "\x1b" not in daemon.log()
    assert daemon.log().isascii()


def test_long_values(daemon):
    long = "u" * 50000
    with daemon.connect() as client:
        assert ask(client, request(sasl_username=long, server_port=25)) == DUNNO
        assert ask(client, request(helo_name=long, server_port=25)) == DUNNO
        assert ask(client, request(instance=long, server_port=25)) == DUNNO
    for event in daemon.events(4)[1:]:
        assert event["rules"] == {"submission-port": "observe"}
        assert len(json.dumps(event)) < 16384


def test_byte_by_byte(daemon):
    with daemon.connect() as client:
        for byte in ALLOWED:
            client.send(bytes([byte]))
        assert read_answer(client) == DUNNO
        # Had a part of it been answered, the rest of it would be nonsense.
        assert ask(client) == DUNNO


def test_half_a_request_and_silence(impatient_daemon):
    daemon = impatient_daemon
    with daemon.connect() as other, daemon.connect() as client:
        begin = time.monotonic()
        client.sendall(ALLOWED[:-1])
        while time.monotonic() - begin < REQUEST_TIMEOUT - 0.5:
            assert ask(other) == DUNNO
            time.sleep(0.05)
        assert read_all(client) == b""
        assert time.monotonic() - begin > REQUEST_TIMEOUT - 1
        # Rest is not silence: who has nothing in hand stays, for longer than it
        # takes with somebody who has.
        with daemon.connect() as client:
            client.sendall(ALLOWED[:-1])
            assert read_all(client) == b""
        assert ask(other) == DUNNO


def test_a_byte_now_and_then_does_not_help(impatient_daemon):
    with impatient_daemon.connect() as client:
        begin = time.monotonic()
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            while time.monotonic() - begin < PATIENCE:
                client.send(b"a")
                time.sleep(0.1)


def test_pipelined_requests_are_answered_in_order(daemon):
    plain = request(encryption_protocol="")
    pattern = [(i * i) % 3 == 0 for i in range(5000)]
    with daemon.connect() as client:
        rejection = ask(client, plain)
        assert rejection.startswith(b"action=530 5.7.0 ")
        assert rejection.count(b"\n") == 2
        expected = b"".join(rejection if reject else DUNNO for reject in pattern)
        stream = b"".join(plain if reject else ALLOWED for reject in pattern)
        received = b""
        client.setblocking(False)
        while len(received) < len(expected):
            try:
                stream = stream[client.send(stream) :] if stream else stream
            except BlockingIOError:
                pass
            try:
                received += client.recv(65536)
            except BlockingIOError:
                time.sleep(0.001)
        assert received == expected


def test_a_client_that_never_reads(impatient_daemon):
    daemon = impatient_daemon
    before = daemon.resident()
    plain = request(encryption_protocol="") * 50
    clients = [daemon.connect() for _ in range(20)]
    with daemon.connect() as other:
        for client in clients:
            client.setblocking(False)
        begin = time.monotonic()
        cut_off = 0
        while clients and time.monotonic() - begin < PATIENCE:
            for client in list(clients):
                try:
                    client.send(plain)
                except BlockingIOError:
                    pass
                except (BrokenPipeError, ConnectionResetError):
                    clients.remove(client)
                    client.close()
                    cut_off += 1
            assert ask(other) == DUNNO
            assert daemon.resident() - before < HELD_MAX + OVERHEAD
            time.sleep(0.01)
        assert cut_off == 20


def test_answers_are_taken_late(daemon):
    """Postfix may be stopped for a moment; nothing is lost then."""
    plain = request(encryption_protocol="")
    with daemon.connect() as client:
        one = ask(client, plain)
        client.setblocking(False)
        sent = 0
        try:
            while True:
                sent += client.send(plain * 100)
        except BlockingIOError:
            pass
        time.sleep(0.5)
        client.settimeout(PATIENCE)
        whole, rest = divmod(sent, len(plain))
        expected = one * whole
        received = b""
        while len(received) < len(expected):
            received += client.recv(65536)
        assert received == expected
        client.sendall(plain[rest:] if rest else plain)
        assert read_answer(client) == one


def test_a_client_that_ends_its_side_first(daemon):
    with daemon.connect() as client:
        client.sendall(ALLOWED * 3)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == DUNNO * 3


def test_two_thousand_connections(daemon):
    with daemon.connect() as other:
        clients = [daemon.connect() for _ in range(2000)]
        assert ask(other) == DUNNO
        for client in clients:
            client.sendall(ALLOWED)
        for client in clients:
            assert read_answer(client) == DUNNO
        assert ask(other) == DUNNO
        for client in clients:
            client.close()
        assert ask(other) == DUNNO


def test_memory_that_all_clients_together_hold(daemon):
    part = ALLOWED[:-1] + b"a=" + b"x" * 60000
    before = daemon.resident()
    clients = [daemon.connect() for _ in range(600)]
    with daemon.connect() as other:
        for client in clients:
            client.sendall(part)
        assert ask(other) == DUNNO
        assert daemon.resident() - before < 2 * HELD_MAX + OVERHEAD
    # The oldest are cut off, the latest are not.
    assert read_all(clients[0]) == b""
    assert ask(clients[-1], b"\n\n") == DUNNO
    for client in clients:
        client.close()


def test_no_descriptors_left(stopped_daemon):
    options = ("-t", str(REQUEST_TIMEOUT))
    daemon = stopped_daemon.start(*options, before=("prlimit", "--nofile=100"))
    clients = [daemon.connect() for _ in range(150)]
    try:
        # Those that rest for longest make room, so the last is served at once.
        for client in reversed(clients[-20:]):
            assert ask(client) == DUNNO
        assert read_all(clients[0]) == b""
        # Nobody rests: the newcomer waits until somebody's time is over.
        busy = [client for client in clients if is_open(client)]
        assert 20 <= len(busy) < 100
        begin = time.monotonic()
        for client in busy:
            client.sendall(ALLOWED[:-1])
        with daemon.connect() as late:
            assert ask(late) == DUNNO
        assert time.monotonic() - begin > REQUEST_TIMEOUT - 1
        assert read_all(busy[0]) == b""
    finally:
        for client in clients:
            client.close()
    assert "too many connections" in daemon.log()


def test_a_log_that_stands_still(tmp_path):
    """Standard error is a pipe that nobody reads."""
    daemon = Daemon(tmp_path)
    reading, writing = os.pipe()
    wrapper = list(WRAPPER)
    if "valgrind" in wrapper:
        # It would wait for that pipe, too.
        wrapper.insert(1, f"--log-file={tmp_path}/valgrind")
    daemon.server = process = subprocess.Popen(
        [*wrapper, PROGRAM, "-c", daemon.config, "-l", f"unix:{daemon.path}"], stderr=writing
    )
    os.close(writing)
    try:
        wait_until(lambda: listens_at(daemon.path), "daemon that listens")
        plain = request(encryption_protocol="", helo_name="h" * 100, sasl_username="u" * 300)
        with daemon.connect() as client:
            for i in range(2000):
                answer = ask(client, plain.replace(b"\n\n", b"\ninstance=%d\n\n" % i))
                assert answer.startswith(b"action=530 ")
        assert len(daemon.events(2000)) == 2000
        process.terminate()
        # It waits for the log, but not for ever.
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(reading)


@pytest.fixture
def syslog(tmp_path):
    """A socket that is /dev/log to a daemon with IN_OWN_DEV in front of it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(tmp_path / "syslog"))
        log.settimeout(PATIENCE)
        yield log


IN_OWN_DEV = (
    "unshare",
    "--mount",
    "--propagation",
    "unchanged",
    "sh",
    "-c",
    'mount -t tmpfs dev /dev && ln -s "$1" /dev/log && shift && exec "$@"',
    "sh",
)


def test_syslog(stopped_daemon, syslog):
    """Facility mail (2), severity info (6)."""
    stopped_daemon.start("--syslog", before=[*IN_OWN_DEV, syslog.getsockname()])
    begin = rb"<22>\w{3} [ \d]\d [\d:]{8} portcullis-policyd\[\d+\]: "
    while not re.match(begin + b"version .* ready, policy ", syslog.recv(4096)):
        pass
    with stopped_daemon.connect() as client:
        assert ask(client, request(encryption_protocol="")).startswith(b"action=530 ")
    while not re.match(begin + b"refused after the password: user=<alice@", syslog.recv(4096)):
        pass
    assert "refused" not in stopped_daemon.log()


def test_syslog_that_stands_still(stopped_daemon, syslog):
    """Nobody reads the socket, which holds some hundred lines at most."""
    daemon = stopped_daemon.start("--syslog", before=[*IN_OWN_DEV, syslog.getsockname()])
    with daemon.connect() as client:
        for i in range(2000):
            plain = request(encryption_protocol="", instance=i, sasl_username=f"user{i}")
            assert ask(client, plain).startswith(b"action=530 ")
    # And what was dropped is told.
    while b" log lines were dropped" not in syslog.recv(4096):
        pass


def test_root_is_told_and_can_be_given_up(stopped_daemon, tmp_path):
    daemon = stopped_daemon.start()
    assert "with all rights of root" in daemon.log()
    daemon.stop()
    daemon.log_path.unlink()
    status, errors = run("-c", daemon.config, "-l", f"unix:{daemon.path}", "-u", "nobody-at-all")
    assert status == 67 and "nobody-at-all" in errors
    status, errors = run("-c", daemon.config, "-l", f"unix:{daemon.path}", "-u", "root")
    assert status == 67 and not daemon.path.exists()

    # A port that only root may open, and the groups of the user.
    subprocess.run(["groupadd", "--force", "policyd-readers"], check=True)
    subprocess.run(["usermod", "--append", "--groups", "policyd-readers", "nobody"], check=True)
    service_account.give(tmp_path)
    daemon.start("-u", "nobody", f"-lunix:{daemon.path}", "-linet:127.0.0.1:99")
    assert "rights of root" not in daemon.log()
    status = Path(f"/proc/{daemon.server.pid}/status").read_text()
    nobody, readers = pwd.getpwnam("nobody"), grp.getgrnam("policyd-readers")
    for name, number in (("Uid", nobody.pw_uid), ("Gid", nobody.pw_gid)):
        assert re.search(rf"^{name}:(\t{number}){{4}}$", status, re.MULTILINE), status
    groups = re.search(r"^Groups:(.*)$", status, re.MULTILINE)[1].split()
    assert set(map(int, groups)) == {nobody.pw_gid, readers.gr_gid}
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert re.search(rf"^{name}:\t0+$", status, re.MULTILINE), status
    with daemon.connect() as client:
        assert ask(client, request(encryption_protocol="")).startswith(b"action=530 ")
    daemon.events(1)
    assert daemon.journal.stat().st_uid == nobody.pw_uid
    # What it reads again, it reads as that user.
    daemon.config.chmod(0)
    os.chown(daemon.config, 0, 0)
    daemon.server.signal(signal.SIGHUP)
    wait_until(lambda: "Permission denied" in daemon.log(), "answer to SIGHUP")


def test_the_journal_of_systemd_gets_priorities(stopped_daemon):
    """Where standard error is what $JOURNAL_STREAM names, as systemd.exec(5) has it; else
    a line begins with its text."""
    daemon = stopped_daemon
    daemon.log_path.write_text("")
    status = daemon.log_path.stat()

    def logged(stream):
        daemon.start(before=("env", f"JOURNAL_STREAM={stream}"))
        with daemon.connect() as client:
            assert ask(client, request(encryption_protocol="")).startswith(b"action=530 ")
        daemon.events(1)
        daemon.config.write_text("nonsense")
        daemon.server.signal(signal.SIGHUP)
        wait_until(lambda: "the old policy stays" in daemon.log(), "answer to SIGHUP")
        daemon.config.write_text(CONFIG.format(journal=daemon.journal.parent))
        daemon.stop()
        lines = daemon.log_path.read_text().splitlines()
        daemon.log_path.write_text("")
        daemon.journal.unlink()
        return lines

    here = logged(f"{status.st_dev}:{status.st_ino}")
    assert any(re.match("<6>.*encryption:enforce", line) for line in here), here
    assert any(re.match("<3>.*nonsense|<3>.*the old policy stays", line) for line in here), here
    assert all(re.match("<[346]>", line) for line in here), here
    for line in logged(f"{status.st_dev}:{status.st_ino + 1}"):
        assert not line.startswith("<"), line


def test_three_recipients_are_one_record(daemon):
    observed = request(server_port=25, instance="1a.2b.3c.0")
    with daemon.connect() as first, daemon.connect() as second:
        assert ask(first, observed * 2).count(b"action=") in (1, 2)
        assert ask(second, observed) == DUNNO
        assert ask(first, request(server_port=25, instance="1a.2b.3c.1")).endswith(DUNNO)
        # Behind it, nothing is on its way any more.
        assert ask(second, request(server_port=25, instance="1a.2b.3c.2")).endswith(DUNNO)
    events = daemon.events(4)
    # The first is the one that asked whether the daemon answers.
    assert [event["rules"] for event in events] == [{}] + [{"submission-port": "observe"}] * 3
    assert [event["session"] for event in events[1:]] == [f"1a.2b.3c.{i}" for i in range(3)]
    assert all(event["verified"] for event in events)
    assert daemon.log().count("1a.2b") == 0
    assert daemon.log().count("submission-port") == 3


def test_anonymous_is_nobody(daemon):
    with daemon.connect() as client:
        assert ask(client, request(sasl_method="ANONYMOUS", sasl_username="anonymous",
                                   server_port=25)).endswith(DUNNO)
        # One that breaks nothing is not recorded at all.
        assert ask(client, request(sasl_method="ANONYMOUS", sasl_username="anonymous")) == DUNNO
        assert ask(client, request(server_port=25)).endswith(DUNNO)
    events = daemon.events(3)[1:]
    assert [(event["mechanism"], event["service"], event["verified"]) for event in events] == [
        ("ANONYMOUS", "submission", False), ("PLAIN", "submission", True)]


def test_sigterm_finishes_what_is_in_hand(daemon):
    with daemon.connect() as resting, daemon.connect() as client:
        assert ask(resting) == DUNNO
        client.sendall(ALLOWED + ALLOWED[:-10])
        assert read_answer(client) == DUNNO
        daemon.server.signal(signal.SIGTERM)
        assert read_all(resting) == b""
        assert not daemon.path.exists()
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            daemon.connect()
        client.sendall(ALLOWED[-10:])
        assert read_all(client) == DUNNO
    assert daemon.server.wait() == 0


def test_sigterm_as_soon_as_it_is_ready(stopped_daemon):
    """With many listeners there is more to do at the start."""
    listeners = [f"-lunix:{stopped_daemon.path}{i}" for i in range(200)]
    for _ in range(3 if CHECKED else 30):
        command = [*WRAPPER, PROGRAM, "-c", stopped_daemon.config, *listeners]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            for line in process.stderr:
                if " ready, policy " in line:
                    process.terminate()
        assert process.returncode == 0


def test_sigterm_does_not_wait_for_ever(daemon):
    with daemon.connect() as client:
        client.sendall(ALLOWED + ALLOWED[:-1])
        assert read_answer(client) == DUNNO
        daemon.server.signal(signal.SIGTERM)
        assert read_all(client) == b""
    assert daemon.server.wait() == 0


def test_sighup_with_a_broken_configuration(daemon):
    plain = request(encryption_protocol="")
    good = daemon.config.read_text()
    with daemon.connect() as client:
        daemon.config.write_text(good + "rule nonsense { enforce = \"2024-02-30\" }\n")
        daemon.server.signal(signal.SIGHUP)
        wait_until(lambda: "stays in force" in daemon.log(), "refusal in the log")
        assert f"{daemon.config}:" in daemon.log()
        assert ask(client, plain).startswith(b"action=530 ")
        daemon.config.write_text(good.replace('enforce = "always"', 'observe = "always"'))
        daemon.server.signal(signal.SIGHUP)
        wait_until(lambda: ask(client, plain) == DUNNO, "new policy")


def run(*options):
    """The exit status and standard error of a start that must fail."""
    done = subprocess.run([PROGRAM, *options], stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    return done.returncode, done.stderr


def test_left_over_sockets(stopped_daemon):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(stopped_daemon.path))
    stale.close()
    daemon = stopped_daemon.start("-m", "660")
    assert daemon.path.stat().st_mode & 0o777 == 0o660

    status, errors = run("-c", daemon.config, "-l", f"unix:{daemon.path}")
    assert status == 71 and "in use" in errors
    assert daemon.answers()

    status, errors = run("-c", daemon.config, "-l", f"unix:{daemon.config}")
    assert status == 71 and "not a socket" in errors
    assert daemon.config.exists()


def test_starts_that_must_fail(tmp_path):
    config = tmp_path / "portcullis.conf"
    config.write_text('rule encryption { enforce = "2024-02-30" }\ncolour = "red"\n')
    listen = f"unix:{tmp_path}/socket"
    status, errors = run("-c", config, "-l", listen)
    assert status == 78
    assert f"{config}:1:" in errors and f"{config}:2:" in errors
    assert not (tmp_path / "socket").exists()
    assert run("-c", tmp_path / "missing", "-l", listen)[0] == 78

    config.write_text('rule encryption { enforce = "always" }\n')
    for wrong in (
        [],
        ["-l", "policyd"],
        ["-l", "unix:"],
        ["-l", "inet:10040"],
        ["-l", "inet:::1:10040"],
        ["-l", "inet:[::1]"],
        ["-l", listen, "-m", "rw"],
        ["-l", listen, "-t", "0"],
        ["-l", listen, "more"],
        ["--nonsense"],
    ):
        assert run("-c", config, *wrong)[0] == 64, wrong
    assert run("-c", config, "-l", f"unix:{tmp_path}/{'x' * 200}")[0] == 71
    assert run("-c", config, "-l", f"unix:{tmp_path}/no/folder")[0] == 71
    assert run("-c", config, "-l", "inet:198.18.0.1:no-such-port")[0] == 71


@pytest.mark.parametrize("family, host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_internet_sockets(stopped_daemon, family, host):
    with socket.socket(family) as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    address = f"[{host}]" if ":" in host else host
    stopped_daemon.start(f"-lunix:{stopped_daemon.path}", f"-linet:{address}:{port}")
    with socket.create_connection((host, port), timeout=PATIENCE) as client:
        assert ask(client) == DUNNO
        assert run("-c", stopped_daemon.config, "-l", f"inet:{address}:{port}")[0] == 71
        client.sendall(b"nonsense\n\n")
        assert read_all(client) == b""
    assert f"policy client {host} port" in stopped_daemon.log()


def test_systemd_passes_a_socket(stopped_daemon, tmp_path):
    """sd_listen_fds(3) and sd_notify(3), as systemd speaks them."""
    notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notifications.bind(str(tmp_path / "notify"))
    notifications.settimeout(PATIENCE)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(stopped_daemon.path))
    listener.listen()
    command = 'exec 3<&"$1"; shift; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
    process = subprocess.Popen(
        ["bash", "-c", command, "bash", str(listener.fileno()), *WRAPPER, PROGRAM]
        + ["-c", stopped_daemon.config],
        env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
        pass_fds=[listener.fileno()],
    )
    try:
        assert notifications.recv(100) == b"READY=1"
        with stopped_daemon.connect() as client:
            assert ask(client) == DUNNO
        process.terminate()
        assert notifications.recv(100) == b"STOPPING=1"
        assert process.wait(PATIENCE) == 0
        # It is not the daemon's to remove: the successor gets it.
        assert stopped_daemon.path.exists()
        stopped_daemon.connect().close()
    finally:
        process.kill()
        process.wait()
