"""Several hosts with one store on PostgreSQL: who is who, and what `status` says of them."""

import contextlib
import datetime
import json
import random
import re
import subprocess
import time

import pytest

import faked_clock
import mmdb

from processes import wait_until
from test_import import RULES, event, iso, some_events
from test_store_postgresql import EX_CONFIG, EX_TEMPFAIL, Host, lines, stop
from test_import_logs import systemd_journal, write_entries  # noqa: F401

POP3 = 'rule pop3 { kind = "protocol" services = "pop3" enforce = "2030-01-01" }\n'

# ---- who is who ----


def renamed(host, name):
    """The same machine by another name."""
    host.name = name
    host.configure(host.uri)
    return host


class Member(Host):
    """One of several."""

    def configure(self, uri, more=""):
        self.uri = uri
        self.config.write_text(
            f'journal = "{self.journal}"\nstore = "{uri}"\nhost = "{self.name}"\n'
            f'default-domain = "example.org"\n{more}{RULES}'
        )


def logged(moment, number):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime(moment))
    return (
        f"{stamp} mx1 dovecot: imap-login: Login: user=<user{number}@example.org>, method=PLAIN,"
        f" rip=192.0.2.7, lip=192.0.2.1, mpid={number + 1}, TLS\n"
    )


def assert_refused(host, *words, of="mx1"):
    said = host.run(*(words or ["import"]), status=EX_CONFIG).stderr
    assert f'put host = "{of}" into its portcullis.conf' in said and said.count("\n") == 1


def test_a_host_with_another_name(server, tmp_path):
    """It would import once more what is still in its journal."""
    host = Member(tmp_path, server.uri())
    host.run("store", "create")
    host.append(some_events(random.Random(1), 50, 20))
    importer = host.follow()
    wait_until(lambda: lines(server) == 50, "import")
    # It begins by giving the servers a new file, which then stays for an hour.
    host.append(some_events(random.Random(3), 50, 20))
    wait_until(lambda: lines(server) == 100, "import")
    stop(importer)
    host.append(some_events(random.Random(2), 50, 20))
    assert_refused(renamed(host, "mx9"))
    assert lines(server) == 100
    # Nor when it was removed on the host that this is a copy of.
    server.query("UPDATE portcullis.files SET dropped = true")
    assert_refused(host)
    server.query("UPDATE portcullis.files SET dropped = false")
    renamed(host, "mx1").run("import")
    assert lines(server) == 150


def test_logs_of_a_host_with_another_name(server, tmp_path):
    host = Member(tmp_path, server.uri())
    log = tmp_path / "mail.log"
    log.write_text("".join(logged(time.time() - 3600 + i, i) for i in range(20)))
    host.run("store", "create")
    host.run("import", "--log", str(log))
    count = server.query("SELECT sum(count) FROM portcullis.sightings")
    assert count != [("",)]
    assert_refused(renamed(host, "mx9"), "import", "--log", str(log))
    assert server.query("SELECT sum(count) FROM portcullis.sightings") == count


def test_the_systemd_journal_of_a_host_with_another_name(server, systemd_journal, tmp_path):
    host = Member(tmp_path, server.uri())
    host.run("store", "create")
    write_entries(systemd_journal, [logged(time.time() - 3600 + i, i) for i in range(20)])
    host.configure(host.uri, 'logs = { "journal" }\n')
    host.run("import")
    count = server.query("SELECT sum(count) FROM portcullis.sightings")
    assert count != [("",)]
    host.name = "mx9"
    host.configure(host.uri, 'logs = { "journal" }\n')
    assert_refused(host)
    assert server.query("SELECT sum(count) FROM portcullis.sightings") == count


def test_equal_lines_of_two_hosts(server, tmp_path):
    """As of two machines that were installed in the same way."""
    hosts = [Member(tmp_path, server.uri(), name) for name in ("mx1", "mx2")]
    hosts[0].run("store", "create")
    for host in hosts:
        host.append(some_events(random.Random(1), 100, 20))
        host.run("import")
    assert lines(server) == 200


# ---- at a glance ----




def status(host):
    """Their servers have been quiet for too long: so there is something wrong each time."""
    answer = json.loads(host.run("status", "--json", status=1).stdout)
    return answer, {one["host"]: one for one in answer["hosts"]}


def moment(text):
    """Seconds since 1970."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def finding(answer, check="hosts"):
    return next(one for one in answer["health"] if one["check"] == check)


@pytest.fixture
def three(server, tmp_path):
    """Hosts with something imported."""
    hosts = [Member(tmp_path, server.uri(), f"mx{i}") for i in (1, 2, 3)]
    hosts[0].run("store", "create")
    for number, host in enumerate(hosts):
        host.append(some_events(random.Random(number), 20, 5))
        host.run("import")
    return hosts


def installed(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0]
    except FileNotFoundError:
        return None


def test_what_hosts_tell(three):
    answer, hosts = status(three[0])
    assert list(hosts) == ["mx1", "mx2", "mx3"]
    assert set(hosts["mx1"]) == {
        "host", "portcullis", "dovecot", "postfix", "edition", "since", "policy", "differs",
        "country_database_built", "backlog", "clock_offset", "last_import",
    }  # fmt: skip
    assert hosts["mx2"]["dovecot"] == installed("/usr/sbin/dovecot", "--version")
    assert hosts["mx2"]["postfix"] == installed("/usr/sbin/postconf", "-h", "mail_version")
    assert hosts["mx2"]["portcullis"] in three[0].run("--version").stdout
    assert hosts["mx1"]["edition"] == answer["edition"]
    for host in hosts.values():
        assert host["policy"] == hosts["mx1"]["policy"] and not host["differs"]
        assert host["backlog"] == 0 and host["clock_offset"] == 0
        assert host["country_database_built"] is None
        assert abs(moment(host["last_import"]) - time.time()) < 120
    assert finding(answer)["healthy"]
    assert "3 have the same policy" in finding(answer)["text"]
    table = three[0].run("status", status=1).stdout
    assert re.search(r"^mx3 .* ok$", table, re.M), table


def test_another_policy(server, three):
    """The odd one of three; of two, the other one, whoever asks."""
    three[1].configure(three[1].uri, POP3)
    three[1].run("import")
    for asking in three:
        answer, hosts = status(asking)
        assert [name for name, host in hosts.items() if host["differs"]] == ["mx2"]
        assert finding(answer)["text"] == "mx2: another policy"
    assert hosts["mx2"]["since"] > hosts["mx1"]["since"]
    assert hosts["mx2"]["edition"] != hosts["mx1"]["edition"]
    table = three[0].run("status", status=1).stdout
    assert re.search(r"^mx2 .* another policy$", table, re.M), table
    assert "WRONG  hosts" in table

    server.query("DELETE FROM portcullis.hosts WHERE name = 'mx3'")
    assert finding(status(three[0])[0])["text"] == "mx2: another policy"
    assert finding(status(three[1])[0])["text"] == "mx1: another policy"
    three[1].configure(three[1].uri)
    three[1].run("import")
    assert finding(status(three[0])[0])["healthy"]


def test_the_same_policy_in_other_words(three):
    """Where a host's files lie, whom it tells, and its country database, is no policy."""
    database = three[1].directory / "country.mmdb"
    mmdb.write(database, {"FR": ["192.0.2.0/24"]})
    three[1].configure(
        three[1].uri, f'# by hand\ncountry-database = "{database}"\nkeep-addresses = "3d"\n'
    )
    three[1].run("import")
    answer, hosts = status(three[0])
    assert finding(answer)["healthy"] and not hosts["mx2"]["differs"]
    assert hosts["mx2"]["edition"] != hosts["mx1"]["edition"]
    assert abs(moment(hosts["mx2"]["country_database_built"]) - time.time()) < 10 * 86400


def set_back(server, host, hours):
    """As if it had told everything so long ago."""
    server.query(f"UPDATE portcullis.hosts SET told = told - interval '{hours} hours'"
                 f" WHERE name = '{host}'")  # fmt: skip


def test_a_silent_host(server, three):
    # What it had in force when it was heard of last, is none of the others' matter.
    three[2].configure(three[2].uri, POP3)
    three[2].run("import")
    set_back(server, "mx3", 0.9)
    assert finding(status(three[0])[0])["text"] == "mx3: another policy"
    set_back(server, "mx3", 3)
    set_back(server, "mx2", 50)
    answer = status(three[0])[0]
    assert finding(answer)["text"] == "mx2: silent for 2 days; mx3: another policy, silent for 3 hours"
    three[1].run("import")
    assert "mx2" not in finding(status(three[0])[0])["text"]


def test_a_host_that_is_alone(server, three):
    """Whether it imports is asked for by other checks, which bear with one a day."""
    server.query("DELETE FROM portcullis.hosts WHERE name <> 'mx1'")
    set_back(server, "mx1", 10)
    answer = status(three[0])[0]
    assert finding(answer)["healthy"]
    assert "LAST IMPORT" not in three[0].run("status", status=1).stdout


def line_of(hours_ago):
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours_ago)
    return '{"time":"%s","count":' % now.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_host_that_is_behind(three):
    """Half a line is not imported: its server may yet write the rest, for a moment."""
    waiting = [line_of(0.5), line_of(1.5) + "1," * 50]
    with contextlib.ExitStack() as servers:
        for host, text in zip(three[1:], waiting):
            file = servers.enter_context(open(host.journal / "postfix.jsonl", "w"))
            file.write(text)
            file.flush()
            host.run("import")
    answer, hosts = status(three[0])
    assert [hosts[name]["backlog"] for name in hosts] == [0, *map(len, waiting)]
    assert finding(answer)["text"] == "mx3: behind by 90 minutes"


def clock(ahead):
    """Of one process; what several of them have in common would be in the server's way."""
    return {"LD_PRELOAD": faked_clock.library(), "FAKETIME": f"{ahead:+d}",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}  # fmt: skip


def test_a_host_with_a_wrong_clock(three):
    for ahead in (5, 600, -7200):
        three[1].run("import", more=clock(ahead))
        answer, hosts = status(three[0])
        assert abs(hosts["mx2"]["clock_offset"] - ahead) < 2
        if ahead == 5:
            assert finding(answer)["healthy"]
    assert re.fullmatch(r"mx2: clock 7(200|19\d) s behind", finding(answer)["text"])
    assert abs(moment(hosts["mx2"]["last_import"]) - time.time()) < 60


def a_line(host, edition, moment):
    return event(time=iso(moment), host=host, edition=edition)


def test_editions_of_other_hosts(three):
    """A server that does not go by the files of its own host; another host's files do not
    matter to it."""
    for host in three:
        edition = status(host)[0]["edition"]
        host.append([a_line(host.name, edition, time.time())])
        host.run("import")
    answer = status(three[0])[0]
    assert finding(answer, "edition")["healthy"] and not any(
        server["differs"] for server in answer["servers"]
    )
    three[1].configure(three[1].uri, 'keep-addresses = "3d"\n')
    three[1].run("import")
    # By the old edition, a while after the change.
    three[1].append([a_line("mx2", status(three[0])[1]["mx1"]["edition"], time.time() + 600)])
    three[1].run("import")
    for asking in three:
        answer, hosts = status(asking)
        differing = [server["host"] for server in answer["servers"] if server["differs"]]
        assert differing == ["mx2"]
        where = "here" if asking is three[1] else "there"
        assert f"not by the files {where}" in finding(answer, "edition")["text"]
        assert hosts["mx2"]["edition"] in finding(answer, "edition")["text"]
        assert finding(answer)["healthy"]


def test_the_server_of_the_store_is_away(server, three):
    host = three[0]
    written = line_of(2) + "1}\n" + line_of(1) + "1}\n"
    (host.journal / "dovecot.jsonl").write_text(written)
    server.stop()
    done = host.run("status", status=EX_TEMPFAIL)
    assert f"at most {len(written)} bytes in 1 journal file of this host wait" in done.stdout
    assert done.stderr.startswith("portcullis: store postgresql://") and done.stderr.count("\n") == 1
    answer = json.loads(host.run("status", "--json", status=EX_TEMPFAIL).stdout)
    assert not answer["healthy"] and answer["store"] in done.stderr
    assert answer["journal"]["files"] == 1 and answer["journal"]["bytes"] == len(written)
    assert abs(moment(answer["journal"]["oldest"]) - time.time() + 7200) < 60
    (host.journal / "dovecot.jsonl").unlink()
    assert "nothing waits" in host.run("status", status=EX_TEMPFAIL).stdout
    nothing = json.loads(host.run("status", "--json", status=EX_TEMPFAIL).stdout)["journal"]
    assert nothing == {"files": 0, "bytes": 0, "oldest": None}


def test_it_is_told_while_it_goes_on(server, three):
    """What is in force is told at once; the rest within seconds."""
    importer = three[1].follow()
    three[1].configure(three[1].uri, POP3)
    wait_until(lambda: status(three[1])[1]["mx2"]["differs"], "another policy")
    set_back(server, "mx2", 24)
    wait_until(lambda: "silent" not in finding(status(three[0])[0])["text"], "word of it")
    stop(importer)
