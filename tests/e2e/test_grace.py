"""grace = "7d" in a rule: who was first seen shortly before its date has a week from the first
notice. `portcullis notify` finds out who, and the servers learn it by a file."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile

from pathlib import Path

import pytest

import clients
import clock
import mailhost
import service_account

from mailhost import USER
from processes import wait_until
from recorded_site import RecordedSite, day
from test_notify import Site, words

ALICE, BOB, CAROL, DAVE = (f"{name}@example.org" for name in ("alice", "bob", "carol", "dave"))

EX_CANTCREAT = 73


def rules(date, grace='grace = "7d"'):
    return f"""
rule encryption {{
    observe = "{day(-90)}" notify = "{day(-60)}" enforce = "{day(date)}" {grace}
}}
"""


@pytest.fixture(name="site")
def _site(tmp_path):
    return Site(tmp_path, rules=rules(10))


def lines(site):
    """{user: (last day, comment)} of the file that the servers read."""
    found = {}
    for line in (site.journal / "grace").read_text().splitlines():
        if not line.startswith("#"):
            entry, comment = line.split(" # ")
            user, rule, last = entry.split(" ")
            assert rule == "encryption" and user not in found
            found[user] = (last, comment)
    return found


def explain(site, user, at, status):
    done = site.run("explain", "--service", "imap", "--port", 143, "--tls", "none", "--mechanism",
                    "PLAIN", "--client", "203.0.113.5", "--user", user, "--at", at)  # fmt: skip
    assert done.returncode == status, done
    return words(done.stdout)


def test_who_has_it_and_until_when(site):
    site.record(ALICE, "encryption", days_ago=-6.5)  # half a week before the date
    site.record(BOB, "encryption", days_ago=30)
    site.record(CAROL, "encryption", days_ago=-7.5, verified=False)
    site.take_at(8)
    # Who was seen in time may be told late; that is not what grace is for.
    assert set(site.told(8)) == {ALICE, BOB}
    site.notify(9)
    assert lines(site) == {ALICE: (day(15), f"first told on {day(8)}")}
    assert stat.S_IMODE((site.journal / "grace").stat().st_mode) == 0o640
    # So they are judged, and it is said.
    why = explain(site, "alice", f"{day(10)} 00:01", 0)
    assert f"{ALICE} has grace until {day(15)}: first told on {day(8)} (line 2 of" in why
    explain(site, "alice", f"{day(15)} 23:59", 0)
    explain(site, "alice", day(16), 1)
    explain(site, "bob", day(10), 1)
    explain(site, "carol", day(10), 1)
    assert f"grace until {day(15)}" in site.must("user", "--at", day(9), "alice")
    [way] = site.ask("user", "alice", "--at", day(9))["programs"]
    assert way["rules"][0]["grace_until"] == day(15)
    # Who is first seen after the date gets nothing.
    site.mails()
    site.record(DAVE, "encryption=enforce", days_ago=-11)
    site.take_at(12)
    [(user, subject)] = site.told(12).items()
    assert user == DAVE and subject.startswith("Refused on ")
    assert set(lines(site)) == {ALICE}
    # In the end, everybody is refused, and is told so.
    site.notify(16)
    assert lines(site) == {}
    site.mails()
    site.record(ALICE, "encryption=enforce", days_ago=-16.5)
    site.take_at(17)
    [(user, subject)] = site.told(17).items()
    assert user == ALICE and subject.startswith("Refused on ")
    assert lines(site) == {}


def test_check_config_shows_it(site):
    assert [rule["grace"] for rule in site.ask("check-config")["rules"]] == ["7d"]
    shown = site.must("check-config")
    assert "Grace of rule encryption: 7d" in shown
    assert f"Nobody is known to have it: {site.journal}/grace" in shown
    site.write_rules(rules(10, 'grace = "90m"'))
    done = site.run("check-config", "--json")
    assert '"90m"' in done.stdout and "nobody is given it without mails" in done.stderr


def test_the_help_desk_knows_who_has_it(site):
    """From the store: the journal's directory, where the servers' file lies, is closed to it."""
    site.set("quiet-hours = never", rules=rules(1))
    site.record(ALICE, "encryption", days_ago=0.1)
    site.take()
    for _ in range(2):  # the second run writes down that she was told
        site.must("notify", "--quiet", "--send")
    assert "1 line says who has it, in" in site.must("check-config")
    service_account.give(site.directory)
    site.directory.chmod(0o755)
    site.journal.chmod(0o750)
    program = shutil.copy(site.command()[0], site.directory)
    for path in site.directory.glob("store.db*"):
        path.chmod(0o644)

    def ask(*question):
        answers = [
            subprocess.run([*account, program, "-c", site.config, *question, ALICE, "--at", day(2)],
                           capture_output=True, text=True)
            for account in ([], ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups"])
        ]  # fmt: skip
        assert [answer.stderr for answer in answers] == ["", ""]
        assert answers[0].returncode == answers[1].returncode == 0
        return [words(answer.stdout) for answer in answers]

    operator, help_desk = ask("user")
    assert "grace until" in operator and operator == help_desk
    operator, help_desk = ask("explain", "--service", "imap", "--port", "143", "--tls", "none",
                              "--mechanism", "PLAIN", "--client", "203.0.113.5", "--user")  # fmt: skip
    for answer in operator, help_desk:
        assert f"{ALICE} has grace until" in answer


def test_the_mail_says_their_own_date(site):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    mail = site.mails()[ALICE]
    text = words(mail.plain)
    assert "We saw this for the first time shortly before the date that holds for everybody" in text
    last, first = (int(day(days)[-2:]) for days in (15, 16))
    assert f" {last} " in text.split("have time until ")[1][:30]
    assert f" {first} " in text.split("stops working on ")[1][:30]
    # Nothing is said twice; the last call is theirs as well.
    told = {at: site.told(at) for at in range(9, 17)}
    assert [at for at, mails in told.items() if mails] == [14]
    assert told[14][ALICE].startswith("Switched off from ")


def test_the_mail_says_of_which_rule_there_is_time(site):
    """Another one of the same mail has an earlier date, and was known for long."""
    site.set(rules=rules(10) + f"""
rule mechanism {{ observe = "{day(-90)}" notify = "{day(-60)}" enforce = "{day(12)}" }}
""")
    site.record(ALICE, "mechanism", days_ago=3, port=993, tls="implicit", mechanism="CRAM-MD5")
    site.record(ALICE, "encryption", "mechanism", days_ago=-6.5, mechanism="CRAM-MD5")
    site.take_at(8)
    site.notify(8)
    text = words(site.mails()[ALICE].plain)
    assert text.count("have time until") == 1
    assert "Mail access without encryption: We saw this for the first time" in text
    last, date = (int(day(days)[-2:]) for days in (15, 12))
    assert f" {last} " in text.split("have time until ")[1][:30]
    assert f" {date} " in text.split("(CRAM-MD5) stops working on ")[1][:30]


def test_who_was_not_told_yet_has_it_for_twice_as_long(site):
    """Nobody is refused untold for want of a mail system, but not for ever either."""
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(7)
    (site.directory / "broken").write_text("75")
    site.notify(8, status=1)
    assert lines(site) == {ALICE: (day(20), "not told yet")}
    explain(site, "alice", day(20), 0)
    (site.directory / "broken").unlink()
    site.notify(15)
    assert set(site.mails()) == {ALICE}
    site.notify(16)
    assert lines(site) == {ALICE: (day(20), f"first told on {day(15)}")}


def test_a_run_that_is_killed_before_its_mails(site):
    """What it has written down before holds: nobody is refused untold."""
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    sendmail = site.sendmail.read_text()
    site.sendmail.write_text("#!/bin/sh\nkill -KILL $PPID\n")
    site.notify(8, status=-signal.SIGKILL)
    assert lines(site) == {ALICE: (day(20), "not told yet")}
    explain(site, "alice", day(12), 0)
    site.sendmail.write_text(sendmail)
    site.notify(9)
    assert set(site.mails()) == {ALICE}
    site.notify(10)
    assert lines(site) == {ALICE: (day(16), f"first told on {day(9)}")}


def test_a_copy_on_another_host(site, tmp_path):
    """Where the store is not; copied as the manual says."""
    other = tmp_path / "other"
    other.mkdir()
    server = Site(other, rules=rules(10))
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    site.notify(8)
    explain(server, "alice", day(10), 1)
    shutil.copy(site.journal / "grace", server.journal / "grace.new")
    (server.journal / "grace.new").rename(server.journal / "grace")
    explain(server, "alice", day(15), 0)
    explain(server, "alice", day(16), 1)
    explain(server, "bob", day(10), 1)


def test_a_date_that_moves_gives_it_anew(site):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    site.notify(8)
    assert set(lines(site)) == {ALICE}
    site.set(rules=rules(40))  # there is time enough
    site.notify(9)
    assert lines(site) == {}
    explain(site, "alice", day(39), 0)
    explain(site, "alice", day(40), 1)
    site.set(rules=rules(9))
    # What the file says of another date ends with the last grace of this one.
    site.notify(8)
    assert lines(site) == {ALICE: (day(15), f"first told on {day(8)}")}
    site.set(rules=rules(-20))
    explain(site, "alice", day(), 1)


def test_a_clock_that_was_ahead_takes_nothing_away(site):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    site.notify(400)
    assert lines(site) == {}
    site.notify(9)
    assert lines(site) == {ALICE: (day(15), f"first told on {day(8)}")}


def test_a_rule_that_gives_none_any_more(site):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    explain(site, "alice", day(10), 0)
    site.set(rules=rules(10, grace=""))
    explain(site, "alice", day(10), 1)
    site.notify(8)
    assert not (site.journal / "grace").exists()


def test_who_is_forgotten_has_it_until_the_next_run(site):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    site.must("forget", ALICE)
    assert set(lines(site)) == {ALICE}
    site.notify(9)
    assert lines(site) == {}


def test_no_name_makes_a_line_of_its_own(site):
    """A user's name comes from a stranger's login."""
    for user in ("x\nbob@example.org encryption 2099-01-01", "a b@example.org", "#c@example.org",
                 "bob@example.org\tencryption\t2099-01-01"):  # fmt: skip
        site.record(user, "encryption", days_ago=-6.5)
    site.take_at(8)
    site.notify(8)
    assert lines(site) == {}


@pytest.mark.parametrize("what", ["directory", "link", "fifo",
                                  pytest.param("not ours", marks=pytest.mark.sqlite)])  # fmt: skip
def test_a_file_that_cannot_be_written_keeps_no_mail_back(site, what):
    site.record(ALICE, "encryption", days_ago=-6.5)
    site.take_at(8)
    path = site.journal / "grace"
    if what == "directory":
        path.mkdir()
    elif what == "link":
        path.symlink_to(site.directory / "elsewhere")
    elif what == "fifo":
        os.mkfifo(path)
    else:
        os.chown(site.journal, 65533, 65533)
        service_account.give(site.directory)
        os.chown(site.journal, 65533, 65533)
        site.journal.chmod(0o777)
    fine = what in ("link", "fifo")
    done = site.notify(8, status=0 if fine else EX_CANTCREAT)
    assert set(site.mails()) == {ALICE}, "mails do not wait for it"
    if fine:
        assert set(lines(site)) == {ALICE} and not path.is_symlink()
        assert not (site.directory / "elsewhere").exists()
    else:
        assert f"{path}: " in done.stderr and "do not learn who is given grace" in done.stderr


# ---- real servers ----

NOTICES = """
notices {
    from = "mail@example.org"
    languages = { "en" }
    transport = "sendmail:/bin/true"
    max-per-hour = 0
}
"""


class RealSite(RecordedSite):
    """What the servers of a host work with, laid out as tmpfiles.d does it."""

    def __init__(self, host, directory, rules_at_first):
        self.host = host
        self.directory = directory
        self.journal = directory / "journal"
        self.journal.mkdir()
        self.config = mailhost.CONFIG
        for path, mode in ((directory, 0o2751), (self.journal, 0o2770)):
            shutil.chown(path, USER, USER)
            path.chmod(mode)
        self.rules = rules_at_first
        self.path = self.journal / "grace"
        self.clock = 1000

    @property
    def text(self):
        return mailhost.SITE.replace(str(mailhost.JOURNAL_DIRECTORY), str(self.journal)) + (
            f'store = "sqlite:{self.directory}/store.db"\n{NOTICES}'
        )

    def start(self, **options):
        self.host.apply(self.rules, site=self.text, **options)

    def restart(self):
        self.host.dovecot.restart()
        self.host.policyd.restart()

    def put(self, text, path=None):
        """Writes the file, as old as if nobody could be writing into it."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        shutil.chown(new, USER, USER)
        new.chmod(0o640)
        self.clock += 1
        os.utime(new, (self.clock, self.clock))
        os.replace(new, path or self.path)

    def remove(self):
        if self.path.is_dir() and not self.path.is_symlink():
            self.path.rmdir()
        else:
            self.path.unlink(missing_ok=True)

    def logs(self):
        return [server.log() for server in (self.host.dovecot, self.host.policyd)]

    def wait_until_read(self, change, words="grace: read again"):
        """Makes a change, and waits until both servers have said so of it."""
        offsets = [len(log) for log in self.logs()]
        change()
        wait_until(
            lambda: all(f"{self.path.parent}/grace" in log[offset:] and words in log[offset:]
                        for log, offset in zip(self.logs(), offsets)),
            f"servers that say: {words}",
        )  # fmt: skip


@pytest.fixture(name="real")
def _real(host):
    directories = []

    def make(rules_at_first):
        directories.append(Path(tempfile.mkdtemp(dir="/var/tmp")))
        return RealSite(host, directories[-1], rules_at_first)

    yield make
    for directory in directories:
        shutil.rmtree(directory)


def accepted(user, password=clients.PASSWORD):
    """By Dovecot and by Postfix, which agree."""
    imap = clients.imap(user, password, tls="none").accepted
    smtp = clients.smtp(587, user, password, tls="none").accepted
    assert imap == smtp, user
    return imap


def test_on_real_servers(real):
    """A person who was first seen three days before the date passes until his week is over;
    nobody else does."""

    @clock.in_time
    def run(_host, seconds):
        zone = clock.Clock.shortly_before("24:00:00", seconds + 5)
        site = real(f"""
rule encryption {{
    services = {{ "imap", "submission" }}
    notify = "{zone.day(-60)}" enforce = "{zone.day(-5)}" grace = "7d"
}}
""")
        environment = {"TZ": zone.timezone}
        site.host.write_policy(site.rules, site=site.text)
        site.record(ALICE, "encryption", days_ago=8)
        site.record(BOB, "encryption", days_ago=35)
        site.record(CAROL, "encryption", days_ago=8, verified=False)
        site.record(DAVE, "encryption=enforce", days_ago=2)
        with zone.before("24:00:00"):
            site.must("import", "--quiet", environment=environment)
            for at in (f"{zone.day(-7)} 12:00", f"{zone.day()} 12:00"):
                site.must("notify", "--quiet", "--send", "--at", at, environment=environment)
            assert f"{ALICE} encryption {zone.day()} # first told on" in site.path.read_text()
            site.start(timezone=zone.timezone)
            assert accepted(ALICE)
            assert not accepted(ALICE, "wrong")
            assert not accepted(BOB), "was seen in time"
            assert not accepted(CAROL), "somebody else tried that name"
            assert not accepted(DAVE), "was seen after the date only"
        assert not accepted(ALICE), "the week is over"

    run(None)


GIVEN = f"# comment\n{ALICE} encryption {day(3)} # first told on {day(-4)}\n"

RULES = f"""
rule encryption {{ services = {{ "imap", "submission" }} enforce = "{day(-5)}" grace = "7d" }}
rule mechanism {{ enforce = "{day(-5)}" }}
"""
KEEPS = "who was given it before keeps it"


def test_a_file_that_is_broken_takes_nothing_away(real):
    """While the servers run, and at a start."""
    site = real(RULES)
    site.start()
    assert not accepted(ALICE)
    for log in site.logs():
        assert f"grace {site.path}: nobody is given it until 'portcullis notify' writes" in log
    site.wait_until_read(lambda: site.put(GIVEN))
    assert accepted(ALICE) and not accepted(BOB)
    site.wait_until_read(site.remove, words=KEEPS)
    assert accepted(ALICE) and not accepted(BOB)

    elsewhere = site.directory / "elsewhere"
    site.put(f"{BOB} encryption {day(3)}\n", elsewhere)

    def give_away():
        other = site.directory / "other"
        site.put(f"{BOB} encryption {day(3)}\n", other)
        shutil.chown(other, "vmail", USER)
        os.replace(other, site.path)

    broken = {
        "emptied": lambda: site.put(""),
        "a directory": site.path.mkdir,
        "a link": lambda: site.path.symlink_to(elsewhere),
        "a hard link": lambda: os.link(elsewhere, site.path),
        "a FIFO": lambda: os.mkfifo(site.path),
        "another account's": give_away,
    }
    for name, make in broken.items():
        site.remove()
        make()
        site.restart()
        assert accepted(ALICE) and not accepted(BOB), name


def test_who_writes_the_file_gains_no_more_than_the_rule_gives(real):
    site = real(RULES)
    site.put(GIVEN)
    site.start()
    assert accepted(ALICE) and not accepted(BOB)
    site.wait_until_read(lambda: site.put(f"{BOB} encryption,mechanism 2099-01-01\nnonsense\n"),
                         words="WHOEVER WAS LET OFF BEFORE STAYS LET OFF")  # fmt: skip
    assert accepted(ALICE) and accepted(BOB)
    assert not clients.imap(BOB, tls="implicit", mechanism="CRAM-MD5").accepted
    site.put("# nobody any more\n")
    site.restart()
    assert not accepted(ALICE) and not accepted(BOB)
    # Without the rule's consent, the file says nothing.
    site.put(GIVEN)
    site.rules = site.rules.replace(' grace = "7d"', "")
    site.host.write_policy(site.rules, site=site.text)
    site.restart()
    assert not accepted(ALICE)


def test_a_file_that_is_locked_for_ever(real):
    site = real(RULES)
    site.put(GIVEN)
    with subprocess.Popen(["flock", site.path, "sleep", "600"], start_new_session=True) as holder:
        site.start()
        assert accepted(ALICE)
        os.killpg(holder.pid, signal.SIGKILL)
