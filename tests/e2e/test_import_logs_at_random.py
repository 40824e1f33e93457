"""Lives of mail logs at random (mail_log_life.py), with importers that run beside the servers, are
killed at any moment, and are given what they had before: what is in the store at the end must be
what the lines tell, each once."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time

import postgresql
import recorded_site

from faked_clock import QuickClock
from mail_log_life import PACKERS, Life, Way
from mailhost import BUILD

RULES = """
keep-sightings = "1000d"
keep-addresses = "1000d"
rule encryption { notify = "always" }
rule implicit-tls { observe = "always" }
"""

STEPS = 70
EX_IOERR, EX_TEMPFAIL = 74, 75

SERVICES = ["imap", "pop3", "sieve", "submission", "smtp"]
TLS = ["none", "starttls", "implicit", "tls", "unknown"]


class Course:
    """One life and its importers."""

    def __init__(self, directory, seed):
        self.directory = directory
        self.chance = random.Random(seed)
        self.steps = []
        self.logs = directory / "log"
        self.logs.mkdir()
        self.copies = directory / "copies"
        self.copies.mkdir()
        self.life = Life(directory, self.logs, self.chance)
        # A service looks for news twenty times a second.
        self.clock = QuickClock(directory / "clock", 20)
        self.environment = dict(os.environ, TZ=self.life.zone, **self.clock.environment)
        self.running = []
        self.unheard = 0  # hours since records were surely imported
        self.store = recorded_site.make_store(directory)
        names = ", ".join(f'"{log.path}"' for log in self.life.logs)
        logs = f"logs = {{ {names} }}"
        # Of a store on a server, another host may have the logs.
        if self.store.startswith("sqlite:") or self.chance.random() < 0.5:
            self.configs = [self.configure("all", self.life.journal, logs)]
        else:
            empty = directory / "empty"
            empty.mkdir()
            self.configs = [self.configure("mx", self.life.journal),
                            self.configure("loghost", empty, logs)]  # fmt: skip

    def configure(self, host, journal, logs=""):
        config = self.directory / f"{host}.conf"
        config.write_text(f'host = "{host}"\njournal = "{journal}"\nstore = "{self.store}"\n'
                          f'default-domain = "example.org"\n{logs}\n{RULES}')  # fmt: skip
        return config

    def note(self, text):
        self.steps.append(text)

    def errors(self):
        return (self.directory / "errors").read_text()

    def has_no_clock(self, status):
        """libfaketime may find what one left that was killed and had the same number."""
        return status == 1 and "libfaketime" in self.errors()

    # ---- importers ----

    def start(self, *words, config=None):
        self.clock.set(self.life.now + 1)
        if words[0] == "--log":
            config = self.configs[-1]
        command = [BUILD / "portcullis", "-c", config or self.chance.choice(self.configs), "import",
                   *words]  # fmt: skip
        with open(self.directory / "errors", "ab") as errors:
            return subprocess.Popen(
                list(map(str, command)), env=self.environment, stdout=subprocess.DEVNULL,
                stderr=errors,
            )  # fmt: skip

    def ways(self, beside=True):
        """To read all there is; whoever names files knows of no rotation that comes in between."""
        files = list(self.logs.iterdir())
        self.chance.shuffle(files)
        ways = [("-q",), ("--log", self.logs), ("--log", *files)]
        return self.chance.choice(ways[:2] if beside else ways)

    def finish(self, *words, statuses=(0,)):
        names = [os.path.basename(word) for word in words]
        self.note(f"import {' '.join(names)}")
        for config in self.chance.sample(self.configs, len(self.configs)):
            # With a clock that is so quick, nobody waits long for another one's transaction.
            for _ in range(20):
                status = self.start(*words, config=config).wait(timeout=120)
                if status != EX_TEMPFAIL and not self.has_no_clock(status):
                    break
            assert status in statuses, self.errors()

    def import_all(self):
        # What is just being packed may be broken.
        busy = any(log.rotation for log in self.life.logs)
        self.finish(*self.ways(beside=False), statuses=(0, EX_IOERR) if busy else (0,))

    def import_and_kill(self):
        words, wait = self.ways(), self.chance.choice([0.01, 0.05, 0.1]) * self.chance.random()
        self.note(f"import {words[0]}, killed after {wait:.3f} s")
        process = self.start(*words)
        time.sleep(wait)
        process.kill()
        process.wait()

    def import_beside(self):
        """It runs while other things happen."""
        if len(self.running) < 3:
            words = self.chance.choice([("--follow",), self.ways()])
            self.note(f"begin import {words[0]}")
            self.running.append(self.start(*words))
        else:
            self.end_one()

    def import_with_pauses(self):
        """Others go on while it stands still, in the midst of anything."""
        words = self.chance.choice([("--follow",), self.ways()])
        self.note(f"begin import {words[0]} with pauses")
        process = self.start(*words)
        self.running.append(process)
        for _ in range(self.chance.randrange(1, 8)):
            time.sleep(self.chance.random() * 0.03)
            process.send_signal(signal.SIGSTOP)
            for _ in range(self.chance.randrange(1, 4)):
                self.chance.choice([self.talk, self.rotate, self.rotate])()
            process.send_signal(signal.SIGCONT)
        self.note("no more pauses")

    def end_one(self):
        process = self.running.pop(self.chance.randrange(len(self.running)))
        how = self.chance.choice([signal.SIGKILL, signal.SIGTERM])
        self.note(f"{how.name} for one of the importers")
        process.send_signal(how)
        status = process.wait(timeout=60)
        assert status in (0, -how, EX_IOERR, EX_TEMPFAIL) or self.has_no_clock(status), \
               self.errors()  # fmt: skip

    def kill_all(self):
        for process in self.running:
            process.kill()
            process.wait()

    def end_all(self):
        while self.running:
            self.end_one()

    def drain(self):
        """Nothing is unread, and nobody reads."""
        self.end_all()
        for log in self.life.logs:
            log.end_rotation()
        self.life.write()
        self.finish(*self.ways(beside=False))

    # ---- what happens ----

    def talk(self):
        number = self.chance.choice([1, 5, 40])
        self.life.talk(number)
        whole = self.chance.random() < 0.6
        self.life.write(whole)
        self.note(f"{number} lines or logins, written {'whole' if whole else 'in part'}")

    def wait(self, hours=None):
        """For hours or a day: importers that run would hear of it before the last lines."""
        self.end_all()
        self.life.hang_up()
        self.life.write()
        hours = hours or self.chance.choice([1, 5, 12, 30])
        self.life.pass_by(hours * 3600)
        # They do not hold it back for longer.
        self.life.hand_over()
        self.note(f"{hours} hours")
        self.unheard += hours
        # Records are imported within three days, or logins count by the log as well.
        if self.unheard > 24:
            self.unheard = 0
            self.finish("-q", statuses=(0, EX_IOERR))

    def rotate(self):
        log = self.chance.choice(self.life.logs)
        self.note(f"{log.path.name}: {log.go_on()}")

    def delete(self):
        log = self.chance.choice(self.life.logs)
        if len(log.rotated()) > 3:
            self.drain()
            self.note(f"delete {log.rotated()[0].name}")
            log.rotated()[0].unlink()

    def hand_over(self):
        self.life.hand_over()
        self.note("servers hand their records over")

    def begin_to_record(self):
        # What came before it is known by then: on that day, the order tells what counts.
        self.wait(7)
        self.drain()
        host = self.chance.choice(self.life.hosts)
        if self.chance.random() < 0.7:
            host.has_gate = True
        else:
            host.has_daemon = True
        self.note(f"{host.name} has a gate {host.has_gate}, a daemon {host.has_daemon}")

    def keep_copy(self):
        """Which is older than the log when it is given."""
        log = self.chance.choice(self.life.logs)
        path = self.chance.choice([log.path, *log.rotated()])
        packer = self.chance.choice([None, *PACKERS])
        if not path.exists() or path.suffix[1:] in PACKERS and packer:
            return
        copy = self.copies / f"copy{len(self.steps)}{path.suffix}"
        if packer:
            copy = copy.with_suffix(f".{packer}")
            copy.write_bytes(PACKERS[packer](path.read_bytes()))
        else:
            shutil.copy(path, copy)
        self.note(f"copy of {path.name} as {copy.name}")

    def give_again(self):
        """What was read, under its name or that of a copy, packed or not."""
        self.drain()
        paths = [path for folder in (self.logs, self.copies) for path in folder.iterdir()]
        some = self.chance.sample(paths, self.chance.randrange(1, min(4, len(paths)) + 1))
        # One that was copied while it was made is broken.
        self.finish("--log", *some, statuses=(0, EX_IOERR))

    def lose_power(self):
        """What is in the store is on the disk, the last lines of a log may not be."""
        self.drain()
        for log in self.life.logs:
            if log.path.stat().st_size > 2000:
                log.lose_end()
        # They would have more of it.
        for copy in self.copies.iterdir():
            copy.unlink()
        self.note("the logs lose their ends")
        self.finish("-q")

    def live(self):
        happenings = [
            *[self.talk] * 10, *[self.rotate] * 8, *[self.import_and_kill] * 6,
            *[self.import_beside] * 3, *[self.import_with_pauses] * 3,
            *[self.import_all] * 2, *[self.hand_over] * 2,
            self.wait, self.delete, self.keep_copy, self.give_again, self.lose_power,
        ]  # fmt: skip
        records_from = self.chance.sample(range(STEPS), self.chance.randrange(3))
        for number in range(STEPS):
            if number in records_from:
                self.begin_to_record()
            self.chance.choice(happenings)()
        # Connections whose end is lost have ended by then.
        self.wait(12)
        self.drain()
        self.finish("-q")

    # ---- what came of it ----

    def rows(self):
        ask = ask_sqlite if self.store.startswith("sqlite:") else ask_postgresql
        return {
            (Way(user, bool(verified), ["dovecot", "postfix"][source], SERVICES[service], port,
                 TLS[tls], mechanism), bool(of_log)): tuple(rest)
            for user, verified, source, service, port, tls, of_log, *rest, mechanism
            in ask(self.store)
        }  # fmt: skip


def ask_sqlite(uri):
    database = sqlite3.connect(uri.removeprefix("sqlite:"))
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute(
            "SELECT name, sightings.verified, source, service, port, tls, of_log,"
            " sum(count), min(first_seen), max(last_seen), strings.text FROM sightings"
            " JOIN users ON users.id = user JOIN habits ON habits.id = habit"
            " JOIN strings ON strings.id = mechanism GROUP BY 1, 2, 3, 4, 5, 6, 7, 11"
        ).fetchall()
    finally:
        database.close()


def ask_postgresql(uri):
    for name, *numbers, mechanism in postgresql.query(
        uri,
        "SELECT name, s.verified::integer, source, service, port, tls, of_log::integer,"
        " sum(count), round(extract(epoch FROM min(first_seen)) * 1000),"
        " round(extract(epoch FROM max(last_seen)) * 1000), mechanism"
        " FROM portcullis.sightings s JOIN portcullis.users u ON u.id = user_id"
        " JOIN portcullis.habits h ON h.id = habit GROUP BY 1, 2, 3, 4, 5, 6, 7, 11",
    ):
        yield (name, *map(int, numbers), mechanism)


def pytest_generate_tests(metafunc):
    first, _, last = metafunc.config.getoption("seeds").partition("-")
    metafunc.parametrize("seed", range(int(first), int(last or first) + 1))


def test_each_login_counts_once(tmp_path, seed):
    course = Course(tmp_path, seed)
    try:
        course.live()
        found, truth = course.rows(), course.life.truth()
    finally:
        # Shown when it fails.
        print(*course.steps, course.errors(), sep="\n")
        course.kill_all()
    wrong = [
        f"{way}, {'log' if of_log else 'record'}: {found.get((way, of_log))} instead of "
        f"{truth.get((way, of_log))}"
        for way, of_log in sorted(found.keys() | truth.keys(), key=str)
        if found.get((way, of_log)) != truth.get((way, of_log))
    ]
    assert not wrong, "\n".join(wrong)
