"""portcullis import where a clock is wrong: the importer's, a server's, or the operator's
idea of the date. Nothing that is true is lost, and what is old still goes."""

import contextlib
import datetime
import json
import random
import signal
import sqlite3
import subprocess
import time

import pytest

from processes import PATIENCE, read_log, wait_until
from test_import import DAY, EX_TEMPFAIL, Site, at, event, iso, line

ADDRESS = "203.0.113.5"


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def seen(site):
    """{user: when last, in milliseconds}"""
    return {key[0]: row[3] for key, row in site.rows().items()}


def moment(days=0.0):
    """So many days from now, in whole seconds."""
    return int(time.time() + days * DAY)


def record(site, user, when, name="dovecot.jsonl"):
    site.append(name, line(user=user, time=iso(when)))


def take(site, user, when, *options):
    """A line that is imported by an importer whose clock is a day late at most."""
    record(site, user, when)
    site.run("import", "--at", at(when), *options)


def a_week(site, user, begin):
    """So many days confirm a time."""
    for i in range(7):
        record(site, user, begin + i * DAY)
    site.run("import")


def change(site, sql, *values):
    with contextlib.closing(sqlite3.connect(site.store)) as store, store:
        store.execute(sql, values)


def value(site, sql):
    with contextlib.closing(sqlite3.connect(site.store)) as store:
        return store.execute(sql).fetchone()[0]


def contents(site):
    return {path.name: path.read_bytes() for path in site.journal.iterdir()}


# ---- a clock that is behind ----


def late_clocks(site):
    """How each is made."""
    yield "the newest record", lambda: ["--at", "2000-01-01"]
    yield "the newest record", lambda: ["--at", at(moment(-2))]
    yield "the last import", lambda: change(
        site, "UPDATE totals SET last_import = ?", (moment(3)) * 1000)  # fmt: skip


def test_a_clock_that_is_behind(site):
    a_week(site, "known", moment(-6.5))
    for number, (witness, be_late) in enumerate(late_clocks(site)):
        users = {f"user{number}": moment(-1), f"late{number}": moment()}
        for user, when in users.items():
            record(site, user, when)
        options = be_late() or []
        before, journal = site.rows(), contents(site)
        imported = value(site, "SELECT last_import FROM totals")
        for _ in range(2):
            done = site.run("import", *options, status=EX_TEMPFAIL)
            assert f"is more than a day behind {witness} (" in done.stderr
            assert done.stderr.count("\n") == 1 and done.stdout == ""
        assert (site.rows(), contents(site)) == (before, journal)
        assert value(site, "SELECT last_import FROM totals") == imported
        # When it is right again, all comes as it was.
        change(site, "UPDATE totals SET last_import = ?", moment() * 1000)
        assert site.run("import").stdout.startswith("2 lines imported, 0 set aside")
        assert {user: seen(site)[user] for user in users} == {
            user: when * 1000 for user, when in users.items()}  # fmt: skip
        assert site.files() == []


def test_a_clock_that_is_behind_and_called_right(site):
    """Even then what is dated by a right clock is not dated back."""
    a_week(site, "known", moment(-6.5))
    record(site, "new", moment())
    then = moment()
    site.run("import", "--force", "--at", "2000-01-01")
    assert seen(site)["new"] == then * 1000
    assert len(site.rows()) == 2
    # The machine's own clock is taken at its word.
    change(site, "UPDATE totals SET last_import = ?", moment(3) * 1000)
    record(site, "newer", moment())
    site.run("import", status=EX_TEMPFAIL)
    site.run("import", "--force")
    record(site, "newest", moment())
    site.run("import")
    assert len(site.rows()) == 4


def test_an_operator_whose_date_is_long_ago(site):
    """To a store that knows nothing yet, any time is as good as another; what the lines
    say is true all the same. So a timetable of the past can be played through."""
    now = moment()
    record(site, "alice", now)
    site.run("import", "--at", "2000-01-01")
    assert seen(site) == {"alice": now * 1000}


def test_days_of_the_past_one_by_one(site):
    """The last import was today, by the machine's clock."""
    first = moment(-400)
    for day in range(12):
        record(site, f"user{day}", first + day * DAY)
        site.run("import", "--at", at(first + day * DAY + 3600))
    assert seen(site) == {f"user{day}": (first + day * DAY) * 1000 for day in range(12)}
    # A slip among them.
    record(site, "late", first + 12 * DAY)
    done = site.run("import", "--at", at(first + 5 * DAY), status=EX_TEMPFAIL)
    assert "behind the newest record" in done.stderr
    site.run("import", "--at", at(first + 12 * DAY + 3600))
    assert len(seen(site)) == 13


def test_forget_with_a_clock_that_is_behind(site):
    """What came meanwhile would be dated back with it."""
    a_week(site, "alice@example.org", moment(-6.5))
    record(site, "bob@example.org", moment())
    change(site, "UPDATE totals SET last_import = ?", moment(3) * 1000)
    done = site.run("forget", "alice", status=EX_TEMPFAIL)
    assert "behind the last import" in done.stderr and done.stdout == ""
    assert list(site.by_user()) == ["alice@example.org"]


def test_a_service_whose_clock_jumps_back(site, tmp_path):
    """It says so once, and goes on by itself."""
    a_week(site, "known", moment(-6.5))
    log = tmp_path / "log"
    with open(log, "wb") as file:
        service = subprocess.Popen(site.command("import", "--follow"), stderr=file)
    try:
        record(site, "before", moment())
        wait_until(lambda: "before" in site.by_user(), "the first line")

        def complains():
            # It may just have written down the present.
            change(site, "UPDATE totals SET last_import = ?", moment(3) * 1000)
            return "is more than a day behind" in read_log(log)

        wait_until(complains, "the complaint", interval=0.5)
        record(site, "meanwhile", moment())
        time.sleep(11)  # It has tried once more.
        assert read_log(log).count("is more than a day behind") == 1
        assert "meanwhile" not in site.by_user()
        # The operator knows better; the service goes on with what he found.
        site.run("import", "--force")
        record(site, "after", moment())
        wait_until(lambda: "after" in site.by_user(), "the last line")
    finally:
        service.terminate()
    assert service.wait(PATIENCE) == 0
    assert read_log(log).count("\n") == 1


# ---- a clock that is ahead ----


def test_a_clock_that_is_ahead_across_midnight(site):
    """Two days are no more than two minutes; so are six. Seven are the time."""
    a_week(site, "known", moment(-6.5))
    year = time.gmtime().tm_year + 3
    record(site, "ahead", datetime.datetime(year, 5, 1, 23, 59, tzinfo=datetime.timezone.utc).timestamp())
    record(site, "ahead", datetime.datetime(year, 5, 2, 0, 1, tzinfo=datetime.timezone.utc).timestamp())
    done = site.run("import", "--at", f"{year}-05-02 12:00")
    assert "is not erased, lest a wrong clock erase all" in done.stdout
    assert sorted(site.by_user()) == ["ahead", "known"]
    for day in range(3, 7):
        record(site, "ahead", datetime.datetime(year, 5, day, tzinfo=datetime.timezone.utc).timestamp())
        site.run("import", "--at", f"{year}-05-{day:02} 12:00")
    assert sorted(site.by_user()) == ["ahead", "known"]
    # A line by a right clock, and all begins anew.
    record(site, "known", moment())
    for day in range(7, 13):
        record(site, "ahead", datetime.datetime(year, 5, day, tzinfo=datetime.timezone.utc).timestamp())
        site.run("import", "--at", f"{year}-05-{day:02} 12:00")
    assert sorted(site.by_user()) == ["ahead", "known"]
    record(site, "ahead", datetime.datetime(year, 5, 13, tzinfo=datetime.timezone.utc).timestamp())
    assert "is not erased" not in site.run("import", "--at", f"{year}-05-13 12:00").stdout
    assert list(site.by_user()) == ["ahead"]


def test_a_clock_that_was_ahead(site):
    """For a while, on the whole machine. What came then is not kept for longer."""
    a_week(site, "known", moment(-6.5))
    ahead = moment(1000)
    for i in range(3):
        take(site, "ahead", ahead + i * DAY)
    change(site, "UPDATE totals SET last_import = ?", ahead * 1000)
    record(site, "back", moment())
    before = moment()
    assert site.run("import").stderr == ""
    assert site.rows().keys() >= {key for key in site.rows() if key[0] in ("known", "back")}
    assert before * 1000 <= seen(site)["ahead"] <= moment(1) * 1000
    assert value(site, "SELECT max(day) FROM days") <= moment() // DAY
    assert value(site, "SELECT max(last_seen) FROM writers") <= moment(1) * 1000
    answer = json.loads(site.run("offenders", "--json").stdout)
    assert all(way["last_seen"] <= iso(moment(1)) for way in answer)


def test_a_clock_that_was_ahead_for_weeks(site):
    """Then even the store believes it, and the operator must know better."""
    a_week(site, "known", moment(-6.5))
    for i in range(8):
        record(site, "ahead", moment(20 + i))
    site.run("import", "--at", at(moment(28)))
    record(site, "back", moment())
    done = site.run("import", status=EX_TEMPFAIL)
    assert "behind the newest record" in done.stderr
    site.run("import", "--force")
    assert max(seen(site).values()) <= moment(0.1) * 1000
    assert sorted(site.by_user()) == ["ahead", "back", "known"]
    record(site, "later", moment())
    site.run("import")
    assert "later" in site.by_user()


def test_an_importer_that_was_ahead_alone(site):
    """For years: it is as if nothing had been. For days: that is asked for above."""
    a_week(site, "known", moment(-6.5))
    change(site, "UPDATE totals SET last_import = ?", moment(1000) * 1000)
    record(site, "back", moment())
    site.run("import")
    assert "back" in site.by_user()


# ---- the first lines ----


@pytest.mark.parametrize("first", ["1970-01-01", "1970-01-07", "2000-01-01", "2024-06-01",
                                   "2098-06-01", "2098-06-01 by an importer of that day"])  # fmt: skip
def test_first_lines_of_a_false_year(site, first):
    record(site, "false", moment())
    false = first[:10] + "T10:00:00.000Z"
    site.append("postfix.jsonl", line(user="false", time=false, source="postfix"))
    (site.journal / "dovecot.jsonl").unlink()
    site.run("import", *(["--at", first[:10] + " 12:00"] if "importer" in first else []))
    true = {f"user{i}": moment(-i * 20) for i in range(5)}
    for i, (user, when) in enumerate(true.items()):
        record(site, user, when)
        site.run("import", *(["--at", "2098-06-02"] if "importer" in first and i < 2 else []))
    found = seen(site)
    found.pop("false", None)
    assert found == {user: when * 1000 for user, when in true.items()}
    # Once they are sure, the other one expires as it should, and so do old addresses.
    a_week(site, "later", moment(-6.4))
    site.run("import", "--at", at(moment(0.3)))  # Not twice within six hours.
    assert {user: when for user, when in seen(site).items() if user in true} == found
    assert max(seen(site).values()) <= moment(0.1) * 1000
    addresses = {key[0]: row[4] for key, row in site.rows().items()}
    assert addresses["user0"] == ADDRESS and addresses["user4"] is None


# ---- servers that were silent ----


def test_servers_that_were_silent_for_months(site):
    """What is old goes after a week of lines."""
    a_week(site, "before", moment(-200))
    assert ADDRESS in {row[4] for row in site.rows().values()}
    for i in range(6):
        record(site, "after", moment(i - 6.5))
        assert "is not erased" in site.run("import").stdout
    assert {key[0]: row[4] for key, row in site.rows().items()} == {
        "before": ADDRESS, "after": ADDRESS}  # fmt: skip
    record(site, "after", moment())
    assert "is not erased" not in site.run("import").stdout
    assert {key[0]: row[4] for key, row in site.rows().items()} == {
        "before": None, "after": ADDRESS}  # fmt: skip


def test_servers_that_were_silent_and_keep_little(site):
    site.configure('keep-addresses = "1d"\nkeep-sightings = "3d"\n')
    a_week(site, "before", moment(-200))
    for i in range(6):
        record(site, "after", moment(i - 6.5))
        site.run("import")
    assert sorted(site.by_user()) == ["after", "before"]
    record(site, "after", moment())
    site.run("import")
    assert list(site.by_user()) == ["after"]


def test_lines_of_long_ago_that_come_late(site):
    """A copy from another host, in the middle of it: it takes a little longer."""
    a_week(site, "before", moment(-200))
    for i in range(5):
        record(site, "after", moment(i - 9.5))
        site.run("import")
    record(site, "late", moment(-195), "mx2.jsonl")
    site.run("import")
    for i in range(6):
        record(site, "after", moment(i - 6.5))
        site.run("import")
    assert ADDRESS in {row[4] for key, row in site.rows().items() if key[0] == "before"}
    record(site, "after", moment())
    site.run("import")
    assert ADDRESS not in {row[4] for key, row in site.rows().items() if key[0] != "after"}


def test_a_server_that_is_months_behind(site):
    """What it records does not make the others' time doubtful."""
    a_week(site, "right", moment(-6.5))
    for i in range(3):
        record(site, f"behind{i}", moment(-100 + i), "mx2.jsonl")
        assert site.run("import").stdout.startswith("1 lines imported")
    site.run("import", "--at", at(moment(0.3)))  # Not twice within six hours.
    assert {key[0]: row[4] for key, row in site.rows().items()} == {
        "right": ADDRESS, "behind0": None, "behind1": None, "behind2": None}  # fmt: skip


# ---- an operator who slips ----


def test_slips_at_random(site):
    """With kills in between. Whatever is not forced loses nothing."""
    chance = random.Random(9)
    a_week(site, "known", moment(-6.5))
    true = {"known": seen(site)["known"]}
    for number in range(40):
        user, when = f"user{number}", moment(-chance.randrange(12))
        record(site, user, when, chance.choice(["dovecot.jsonl", "mx2.jsonl"]))
        true[user] = when * 1000
        slip = chance.choice(["2000-01-01", "2024-01-05", "2031-05-01", "2098-01-01",
                              at(moment(-20)), at(moment(20)), at(moment(-1.5))])  # fmt: skip
        process = subprocess.Popen(site.command("import", "--at", slip), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        if chance.random() < 0.7:
            time.sleep(chance.random() * 0.03)
            process.send_signal(signal.SIGKILL)
        process.wait()
    site.run("import")
    assert seen(site) == true
    assert all(row[0] == 1 for key, row in site.rows().items() if key[0] != "known")
    assert {row[4] for row in site.rows().values()} == {ADDRESS}
    answer = json.loads(site.run("offenders", "--json").stdout)
    assert len(answer) == len(true)
    health = json.loads(subprocess.run(site.command("status", "--json"), capture_output=True,
                                       text=True).stdout)["health"]  # fmt: skip
    assert {check["check"]: check["healthy"] for check in health}["import"]
