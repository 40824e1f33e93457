"""What happens to the mail log of a host in some days: servers write to it, it is rotated, and
what comes of that is packed. Whoever lives it knows what the log tells, and what of it has to be
in a store: a second reckoning, by the manual and docs/survey-lines.md."""

import base64
import bz2
import collections
import dataclasses
import datetime
import gzip
import json
import lzma
import os
import struct
import subprocess
import time

DAY = 86400.0
# As the manual has them: lines that are still one login's connection, and what a server's record
# stands for on both sides of it.
LONG_CONNECTION = 3600
AROUND_A_RECORD = 15 * 60

PACKERS = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda data: subprocess.run(
        ["zstd", "-q", "-c"], input=data, capture_output=True, check=True
    ).stdout,
}

PORTS = {
    ("imap", "none"): 143, ("imap", "starttls"): 143, ("imap", "implicit"): 993,
    ("pop3", "none"): 110, ("pop3", "starttls"): 110, ("pop3", "implicit"): 995,
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Way:
    """As a row of the store has it."""

    user: str
    verified: bool
    source: str
    service: str
    port: int
    tls: str
    mechanism: str

    def is_clean(self):
        """By the rules of the test: nobody without TLS, nor with STARTTLS."""
        return self.verified and self.tls not in ("none", "starttls")


@dataclasses.dataclass
class Login:
    time: float
    host: str
    way: Way
    count: int = 1


class Log:
    """A file that a syslog daemon has open."""

    def __init__(self, directory, name, chance):
        self.path = directory / name
        self.chance = chance
        self.dated = chance.random() < 0.3
        self.packer = chance.choice(list(PACKERS))
        self.delays = chance.random() < 0.5
        self.rotation = None
        self.rotations = 0
        self.pending = b""
        self._open()

    def _open(self):
        self.out = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def add(self, line):
        self.pending += line.encode()

    def write(self, whole=True):
        length = len(self.pending)
        if not whole:
            length = self.chance.choice([1, self.chance.randrange(length + 1)]) if length else 0
        os.write(self.out, self.pending[:length])
        self.pending = self.pending[length:]

    def lose_end(self):
        """As a machine that loses power does."""
        os.truncate(self.path, self.path.stat().st_size - self.chance.randrange(1, 500))

    # ---- rotating: each step is one that others may see ----

    def go_on(self):
        """Begins a rotation, or goes on with it."""
        if self.rotation is None:
            kind = self.chance.choice([self._rename, self._rename, self._copy_and_truncate])
            self.rotation = kind()
        step = next(self.rotation, None)
        if step is None:
            self.rotation = None
        return step or "rotation over"

    def end_rotation(self):
        while self.rotation is not None:
            self.go_on()

    def rotated(self):
        """The oldest first."""
        return sorted(self.path.parent.glob(f"{self.path.name}[-.]*"), key=self._age)

    def _age(self, path):
        added = path.name.removeprefix(self.path.name)[1:].split(".")[0]
        return added if self.dated else -int(added)

    def _next_name(self, stamp):
        """Of what is rotated now; others make room for it."""
        if self.dated:
            return self.path.with_name(f"{self.path.name}-{stamp}")
        for path in self.rotated():
            number, dot, packed = path.name.removeprefix(self.path.name + ".").partition(".")
            path.rename(path.with_name(f"{self.path.name}.{int(number) + 1}{dot}{packed}"))
        return self.path.with_name(f"{self.path.name}.1")

    def _stamp(self):
        self.rotations += 1
        return f"20261129-{self.rotations:06d}"

    def _unpacked(self):
        ends = tuple(f".{end}" for end in PACKERS)
        return [path for path in self.rotated() if not path.name.endswith(ends)]

    def _pack(self, path):
        data = PACKERS[self.packer](path.read_bytes())
        packed = path.with_name(f"{path.name}.{self.packer}")
        with open(packed, "wb") as file:
            for end in sorted(self.chance.sample(range(len(data)), 2)) + [len(data)]:
                file.write(data[file.tell() : end])
                file.flush()
                yield f"pack {path.name}, {end} of {len(data)} bytes"
        path.unlink()
        yield f"unlink {path.name}"

    def _pack_all(self):
        for path in self._unpacked():
            yield from self._pack(path)

    def _rename(self):
        yield from self._pack_all()
        name = self._next_name(self._stamp())
        self.path.rename(name)
        yield f"rename to {name.name}"
        if self.chance.random() < 0.7:
            self.path.touch()
            yield "create"
        # The daemon goes on with the old file until it is told.
        for _ in range(self.chance.randrange(4)):
            yield "not told yet"
        self.write()
        os.close(self.out)
        self._open()
        yield "open anew"
        if not self.delays:
            yield from self._pack_all()

    def _copy_and_truncate(self):
        yield from self._pack_all()
        name = self._next_name(self._stamp())
        with open(self.path, "rb") as log, open(name, "wb") as copy:
            for _ in range(self.chance.randrange(3)):
                copy.write(log.read(self.chance.randrange(1, 3000)))
                copy.flush()
                yield f"copy {copy.tell()} bytes to {name.name}"
            # What comes between these is lost by logrotate, not by us.
            self.write()
            copy.write(log.read())
            copy.flush()
            os.truncate(self.path, 0)
        yield "copy the rest, truncate"
        if not self.delays:
            yield from self._pack_all()


class Connection:
    """One of Postfix's smtpd: lines to come, and what those that came tell."""

    def __init__(self, life, host, user):
        chance = life.chance
        life.process += 1
        self.life, self.host, self.user = life, host, user
        self.kind = chance.choice(["submission", "submission", "smtps", "25"])
        program = {"25": "postfix"}.get(self.kind, f"postfix/{self.kind}")
        self.tag = f"{program}/smtpd[{life.process}]"
        self.port = {"submission": 587, "smtps": 465, "25": 25}[self.kind]
        self.starttls = self.kind != "smtps" and chance.random() < 0.7
        self.tls_is_logged = host.smtpd_logs_tls and (self.starttls or self.kind == "smtps")
        self.client = f"pc.example.org[{life.address(user)}]"
        self.groups = []
        mails = chance.randrange(4)
        self.steps = [self.connect, *[self.mail] * mails]
        if self.tls_is_logged:
            self.steps.insert(1, self.tls)
        if not host.has_daemon and chance.random() < 0.3:
            self.steps.append(self.failure)
        # A server may crash.
        if chance.random() < 0.9:
            self.steps.append(self.disconnect)
        else:
            self.steps.append(self.vanish)
        self.mails = mails

    def next(self):
        """Whether it goes on."""
        self.steps.pop(0)()
        return bool(self.steps)

    def line(self, text):
        self.life.line(self.host, f"{self.tag}: {text}")

    def connect(self):
        self.line(f"connect from {self.client}")

    def tls(self):
        self.line(f"Anonymous TLS connection established from {self.client}: TLSv1.3 with cipher "
                  "TLS_AES_256_GCM_SHA384 (256/256 bits)")  # fmt: skip

    def mail(self):
        self.line(f"4F{self.life.chance.randrange(10**9)}: client={self.client}, "
                  f"sasl_method=PLAIN, sasl_username={self.user}")  # fmt: skip
        self._add("PLAIN", True)
        if self.host.has_daemon:
            tls = "implicit" if self.kind == "smtps" else "starttls" if self.starttls else "none"
            way = Way(self.user, True, "postfix", "submission", self.port, tls, "PLAIN")
            self.life.record(self.host, way)

    def failure(self):
        self.line(f"warning: {self.client}: SASL LOGIN authentication failed: UGFzc3dvcmQ6, "
                  f"sasl_username={self.user}")  # fmt: skip
        self._add("LOGIN", False)

    def disconnect(self):
        self.line(f"disconnect from {self.client} ehlo=2{' starttls=1' * self.starttls} auth=1 "
                  f"mail={self.mails} quit=1 commands=8")  # fmt: skip
        self._tell("starttls" if self.starttls else "none")

    def vanish(self):
        self._tell(self._without_end())

    def _without_end(self):
        if self.tls_is_logged and self.starttls:
            return "starttls"
        return "none" if self.host.smtpd_logs_tls else "unknown"

    def _add(self, mechanism, verified):
        """To what is equal and of the same day."""
        now = self.life.now
        if self.groups and now - self.groups[0][0] > LONG_CONNECTION:
            self._tell(self._without_end())
        last = self.groups[-1] if self.groups else None
        if last and last[1:3] == [mechanism, verified] and last[0] // DAY == now // DAY:
            last[3] += 1
        else:
            self.groups.append([now, mechanism, verified, 1])

    def _tell(self, tls):
        if self.kind == "smtps":
            tls = "implicit"
        for when, mechanism, verified, count in self.groups:
            way = Way(self.user, verified, "postfix", "submission", self.port, tls, mechanism)
            self.life.told.append(Login(when, self.host.name, way, count))
        self.groups = []


@dataclasses.dataclass
class Host:
    name: str
    series: str
    log: Log
    tells_ports: bool
    smtpd_logs_tls: bool
    has_gate: bool = False
    has_daemon: bool = False


class Life:
    def __init__(self, directory, logs, chance):
        self.chance = chance
        self.journal = directory / "journal"
        self.journal.mkdir()
        self.told = []  # by the log
        self.recorded = []  # by gate and daemon, in their order
        self.fine_today = set()
        self.waiting = {"dovecot": [], "postfix": []}  # lines that servers hold back
        self.connections = []
        self.process = 1000
        self.form = chance.choice(["rfc3339", "rfc3164"])
        self.now = begin(chance, self.form)
        self.has_sessions = chance.random() < 0.7
        self.zone, self.hours = chance.choice([("UTC", 0), ("XXX-5:30", 5.5), ("XXX8", -8)])
        names = ["mail.log", "dovecot.log"] if chance.random() < 0.3 else ["mail.log"]
        self.logs = [Log(logs, name, chance) for name in names]
        self.hosts = [
            Host(f"mx{number}", chance.choice(["2.3", "2.4"]), chance.choice(self.logs),
                 chance.random() < 0.4, chance.random() < 0.5)
            for number in range(1, chance.randrange(2, 4))
        ]  # fmt: skip
        self._show_tls()

    def _show_tls(self):
        """What a log shows of a server is true of the lines that come later."""
        for host in self.hosts:
            for service in ("imap", "pop3"):
                self.login(host, service=service, tls="implicit", verified=True)
            for kind, port in (("submission", 587), ("25", 25)):
                connection = Connection(self, host, self.user())
                connection.kind, connection.port, connection.starttls = kind, port, True
                connection.tag = f"postfix{'/submission' * (port == 587)}/smtpd[{self.process}]"
                connection.tls_is_logged = host.smtpd_logs_tls
                connection.mails = 1
                connection.steps = [connection.connect, connection.mail, connection.disconnect]
                if host.smtpd_logs_tls:
                    connection.steps.insert(1, connection.tls)
                while connection.next():
                    pass
        self.write()

    # ---- time ----

    def pass_by(self, seconds):
        self.now += seconds

    def day(self):
        return int(self.now // DAY)

    # ---- people ----

    def user(self):
        """Some come each day, others on one only: so days can be told apart."""
        name = f"user{self.chance.randrange(5)}"
        return f"{name}@example.org" if self.chance.random() < 0.5 else \
               f"{name}-{self.day()}@example.org"  # fmt: skip

    def address(self, user):
        return f"203.0.113.{sum(user.encode()) % 250 + 1}"

    # ---- lines ----

    def stamp(self):
        # As exact as the line.
        self.now = round(self.now, 3) if self.form == "rfc3339" else float(int(self.now))
        local = time.gmtime(self.now + self.hours * 3600)
        if self.form == "rfc3164":
            return time.strftime("%b %e %H:%M:%S", local)
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", local)
        offset = {0: "+00:00", 5.5: "+05:30", -8: "-08:00"}[self.hours]
        return f"{seconds}.{round(self.now % 1 * 1000):03d}000{offset}"

    def line(self, host, text):
        self.pass_by(self.chance.choice([0.001, 0.7, 3, 40]))
        host.log.add(f"{self.stamp()} {host.name} {text}\n")

    def noise(self):
        host = self.chance.choice(self.hosts)
        self.line(host, self.chance.choice([
            "dovecot: imap(alice)<7><AbC>: Disconnected: Logged out in=50 out=600",
            "postfix/qmgr[7]: 4F7: removed", "cron[9]: (root) CMD (true)", "x" * 3000,
            "dovecot: imap-login: Disconnected (no auth attempts in 3 secs): user=<>, "
            "rip=203.0.113.9, lip=192.0.2.1, session=<x>",
        ]))  # fmt: skip

    def session(self, client):
        if not self.has_sessions:
            return ""
        began = struct.pack("<Q", int(self.now * 1e6))[:6] + b"\x11\x22"
        text = base64.b64encode(began + bytes(map(int, client.split(".")))).decode()
        return f", session=<{text}>"

    def login(self, host, service=None, tls=None, verified=None):
        chance = self.chance
        service = service or chance.choice(["imap", "imap", "pop3"])
        tls = tls or chance.choice(["none", "starttls", "implicit", "implicit"])
        verified = chance.random() < 0.8 if verified is None else verified
        mechanism = chance.choice(["PLAIN", "PLAIN", "LOGIN"])
        count = 1 if verified else chance.randrange(1, 3)
        user, port = self.user(), PORTS[service, tls]
        client = self.address(user)
        begin = {
            ("2.3", True): "Login", ("2.4", True): "Logged in",
            ("2.3", False): f"Disconnected (auth failed, {count} attempts in 2 secs)",
            ("2.4", False): "Login aborted: Connection closed (auth failed, "
                            f"{count} attempts in 2 secs) (auth_failed)",
        }[host.series, verified]  # fmt: skip
        elements = [f"user=<{user}>", f"method={mechanism}", f"rip={client}", "lip=192.0.2.1"]
        elements += [f"lport={port}"] * host.tells_ports + ["mpid=7"] * verified
        elements += ["TLS"] * (tls != "none")
        text = f"{service}-login: {begin}: {', '.join(elements)}{self.session(client)}"
        if not verified and chance.random() < 0.2:
            count *= 3
            text = f"message repeated 3 times: [ {text}]"
        self.line(host, f"dovecot: {text}")
        way = Way(user, verified, "dovecot", service, port, tls, mechanism)
        seen = way
        if not host.tells_ports:
            seen = dataclasses.replace(way, port=0, tls="none" if tls == "none" else "tls")
        self.told.append(Login(self.now, host.name, seen, count))
        if host.has_gate:
            self.record(host, way, count)

    def talk(self, number):
        """Logins, and lines of connections, which overlap."""
        for _ in range(number):
            host = self.chance.choice(self.hosts)
            what = self.chance.random()
            if what < 0.4:
                self.login(host)
            elif what < 0.5:
                self.noise()
            elif what < 0.7 or not self.connections:
                self.connections.append(Connection(self, host, self.user()))
            else:
                self.go_on(self.chance.choice(self.connections))

    def go_on(self, connection):
        if not connection.next():
            self.connections.remove(connection)

    def hang_up(self):
        """All that are open end: nobody is silent for hours."""
        for connection in self.connections[:]:
            while connection.next():
                pass
            self.connections.remove(connection)

    def write(self, whole=True):
        for log in self.logs:
            log.write(whole)

    # ---- gate and daemon ----

    def record(self, host, way, count=1):
        """What breaks nothing, once a day."""
        rules = {}
        if way.tls == "none":
            rules["encryption"] = "notify"
        if way.tls in ("none", "starttls"):
            rules["implicit-tls"] = "observe"
        if way.verified and not rules:
            if (host.name, way, self.day()) in self.fine_today:
                return
            self.fine_today.add((host.name, way, self.day()))
            count = 1
        self.recorded.append(Login(self.now, host.name, way, count))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.now))
        self.waiting[way.source].append(json.dumps({
            "time": f"{stamp}.{round(self.now % 1 * 1000):03d}Z", "host": f"{host.name}.example.org",
            "source": way.source, "user": way.user, "verified": way.verified, "action": "allow",
            "service": way.service, "port": way.port, "tls": way.tls,
            "mechanism": way.mechanism, "client": self.address(way.user), "country": "",
            "rules": rules, "client_id": "", "session": "", "count": count,
        }) + "\n")  # fmt: skip

    def hand_over(self):
        """What servers held back."""
        for source, lines in self.waiting.items():
            if lines:
                with open(self.journal / f"{source}.jsonl", "a") as file:
                    file.write("".join(lines))
            lines.clear()

    # ---- what has to be in the store ----

    def _coverage(self):
        """First and last record of a server and day."""
        found = {}
        for login in self.recorded:
            key = login.host, login.way.source, int(login.time // DAY)
            first, last = found.get(key, (login.time, login.time))
            found[key] = min(first, login.time), max(last, login.time)
        return found

    def truth(self):
        """(count, first, last) of each way, by whether a log tells of it."""
        coverage = self._coverage()
        # What a server never recorded it may not see.
        known = {_kind(login.way) for login in self.recorded}
        uses = collections.defaultdict(list)
        for login in self.told:
            uses[login.host, login.way, int(login.time // DAY)].append(login)
        rows = {}
        for (_, way, _), logins in uses.items():
            # Those of a day stand and fall together.
            if _kind(way) in known and any(_is_covered(coverage, login) for login in logins):
                continue
            for login in logins:
                _add_to(rows, (way, True), login)
        for login in self.recorded:
            _add_to(rows, (login.way, False), login)
        return rows


def _kind(way):
    port = way.port if way.source == "postfix" else None
    return way.source, way.service, port, way.mechanism


def _is_covered(coverage, login):
    day = int(login.time // DAY)
    after = DAY if login.way.is_clean() else AROUND_A_RECORD
    for that_day in (day - 1, day):
        found = coverage.get((login.host, login.way.source, that_day))
        if found is None:
            continue
        first, last = found
        was_there = any(
            (login.host, login.way.source, that_day - days) in coverage for days in range(1, 8)
        )
        if login.time <= last + after and (was_there or login.time >= first - AROUND_A_RECORD):
            return True
    return False


def _add_to(rows, key, login):
    when = round(login.time * 1000)
    count, first, last = rows.get(key, (0, when, when))
    rows[key] = count + login.count, min(first, when), max(last, when)


def begin(chance, form):
    """A line that has no year is of the days before now, as its file says."""
    if form == "rfc3339" and chance.random() < 0.5:
        day = chance.choice(["2026-02-26", "2027-12-28", "2028-02-25"])
        return datetime.datetime.fromisoformat(f"{day}T18:00:00+00:00").timestamp()
    return time.time() // 1 - 20 * DAY + chance.randrange(int(DAY))
