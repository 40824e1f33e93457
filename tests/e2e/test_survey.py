"""portcullis survey: who would be locked out, by the logs of mail servers."""

import base64
import csv
import gzip
import json
import os
import re
import shutil
import struct
import subprocess
import time

from pathlib import Path

import pytest

import mmdb
import namespaces
from mailhost import ROOT
from recorded_site import BUILD, EX_USAGE

EX_NOINPUT, EX_IOERR = 66, 74
# Where a configuration is read that nobody names. Other tests make one there.
CONFIGURATION = Path("/etc/portcullis")

DE, US = mmdb.CLIENTS["DE"][0], mmdb.CLIENTS["US"][0]


class Log:
    """Mail logs of a host, written as servers would in the last days."""

    def __init__(self, directory):
        self.directory = directory
        self.lines = []
        self.pid = 1000

    def add(self, text, hours_ago=1.0, host="mx1"):
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime(time.time() - hours_ago * 3600))
        self.lines.append(f"{stamp} {host} {text}\n")

    def login(self, user, service="imap", method="PLAIN", client=DE, tls="TLS", more="",
              event="Login", **place):  # fmt: skip
        began = time.time() - place.get("hours_ago", 1) * 3600
        session = base64.b64encode(
            struct.pack("<Q", int(began * 1e6))[:6] + b"\x11\x22" +
            bytes(map(int, client.split("."))))  # fmt: skip
        elements = [f"user=<{user}>", f"method={method}", f"rip={client}", "lip=192.0.2.1",
                    "mpid=7", tls, more, f"session=<{session.decode()}>"]  # fmt: skip
        elements = ", ".join(filter(None, elements))
        self.add(f"dovecot: {service}-login: {event}: {elements}", **place)

    def names_tls(self, hours_ago=2, **place):
        """Only since some login of a service names TLS, one that names none is known to have
        had none."""
        self.login("encrypted@example.org", hours_ago=hours_ago, **place)

    def mail(self, user, name="postfix/submission", method="PLAIN", starttls=True, **place):
        self.pid += 1
        client = f"client.example.org[{DE}]"
        tag = f"{name}/smtpd[{self.pid}]"
        self.add(f"{tag}: connect from {client}", **place)
        self.add(f"{tag}: 4F{self.pid}: client={client}, sasl_method={method}, "
                 f"sasl_username={user}", **place)  # fmt: skip
        self.add(f"{tag}: disconnect from {client} ehlo=2{' starttls=1' if starttls else ''} "
                 "auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8", **place)  # fmt: skip

    def write_journal(self):
        """The same lines as systemd's journal keeps them."""
        entries = []
        for number, line in enumerate(self.lines):
            host, tag, message = line.rstrip("\n")[16:].split(" ", 2)
            when = int((time.time() - 3600) * 1e6) + number
            entries.append(
                f"__REALTIME_TIMESTAMP={when}\n__MONOTONIC_TIMESTAMP={number + 1}\n"
                f"_BOOT_ID={1:032x}\n_HOSTNAME={host}\nSYSLOG_FACILITY=2\n"
                f"SYSLOG_IDENTIFIER={tag.rstrip(':]').split('[')[0]}\n"
                f"SYSLOG_PID={tag.rstrip(':]').partition('[')[2] or 1}\nMESSAGE={message}\n\n"
            )
        path = self.directory / "system.journal"
        subprocess.run(
            ["/usr/lib/systemd/systemd-journal-remote", "-o", path, "-"],
            input="".join(entries), text=True, capture_output=True, check=True,
        )  # fmt: skip
        return path

    def write(self, name="mail.log", pack=None):
        path = self.directory / name
        data = "".join(self.lines).encode("utf-8", "surrogateescape")
        path.write_bytes(pack(data) if pack else data)
        return path


@pytest.fixture
def log(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    return Log(directory)


def survey(*arguments, config=None, program=BUILD / "portcullis", **options):
    command = [program, *(["-c", config] if config else []), "survey", *arguments]
    if config is None and CONFIGURATION.is_dir():
        command = namespaces.with_empty(CONFIGURATION, command)
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        timeout=60,
        **({"text": True} | options),
    )


def ask(*arguments, status=0, **options):
    result = survey(*arguments, "--json", **options)
    assert result.returncode == status, result.stderr
    return json.loads(result.stdout)


def rules(answer):
    return {row["rule"]: (row["people"], row["locked_out"], row["partly"])
            for row in answer["rules"]}  # fmt: skip


def populate(log):
    """One is fine, as far as can be seen; one comes without TLS, one with an old mechanism."""
    log.login("alice@example.org")
    log.login("bob@example.org", tls="")
    log.login("carol@example.org", service="pop3", method="CRAM-MD5")
    log.mail("alice@example.org")
    log.mail("dave@example.org", name="postfix", starttls=False)


# ---- what it says ----


def test_people_of_each_rule(log):
    populate(log)
    answer = ask(log.write())
    assert rules(answer) == {
        "encryption": (2, 2, 0),
        "tls-version": (2, 2, 0),
        "mechanism": (1, 1, 0),
        "pop3": (1, 1, 0),
        "implicit-tls": (3, 2, 1),
        "submission-port": (1, 1, 0),
    }
    assert answer["lines"] == 9 and answer["understood"] == 9 and answer["unknown"] == 0
    assert answer["hosts"] == ["mx1"]
    assert answer["people"] == 4 and answer["logins"] == 5 and answer["failed"] == 0
    assert time.time() - 7300 < time.mktime(time.strptime(answer["from"][:19] + " UTC",
        "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone < time.time()  # fmt: skip


def test_what_an_operator_reads(log, tmp_path):
    """What a rule of no configuration would refuse; days in words; and what to do next."""
    populate(log)
    text = survey(log.write()).stdout
    today = time.strftime("%d %b", time.localtime(time.time() - 3600)).lstrip("0")
    assert f"logs              {log.directory}/mail.log\n" in text
    assert f"logins of         {today}\n" in text
    refused = {line.split()[0]: line[line.rindex("  ") :].strip()
               for line in text[text.index("RULE ") :].split("\n\n")[0].splitlines()[1:]
               if "  " in line}  # fmt: skip
    for word, rule in [("before 1.2", "tls-version"), ("PLAIN or LOGIN", "mechanism"),
                       ("STARTTLS", "implicit-tls"), ("port 25", "submission-port")]:  # fmt: skip
        assert word in refused[rule]
    assert "(then: doveadm reload)" in text and "the same with --offenders" in text
    assert max(map(len, text[text.index("RULE ") :].splitlines()[:7])) <= 80
    log.login("alice@example.org", hours_ago=73)
    assert re.search(rf"logins from +[1-9].* to {today}, 4 days\n", survey(log.write()).stdout)
    # Of his own rules an operator knows what they refuse.
    config = tmp_path / "portcullis.conf"
    config.write_text('rule encryption { notify = "2024-01-01" }\n')
    text = survey(log.write(), config=config).stdout
    assert "REFUSES" not in text and "survey's own" not in text


def test_nobody_is_not_what_nobody_knows(log):
    log.login("alice@example.org")
    answer = ask(log.write())
    judged = {row["rule"]: row["judged"] for row in answer["rules"]}
    assert judged["encryption"] and not judged["tls-version"] and not judged["implicit-tls"]
    row = next(row for row in answer["rules"] if row["rule"] == "tls-version")
    assert row["people"] is None and row["untold"] == 1
    assert row["why_not"] == "the logs do not tell versions of TLS"
    missing = {(row["what"], row["server"]) for row in answer["missing"]}
    assert missing == {(what, "dovecot 2.3") for what in ("port", "starttls", "tls_version")}
    assert all("lport=" in row["setting"] for row in answer["missing"])
    forecast = ask("--forecast", log.write())
    assert forecast["rules"]["tls-version"]["users"] is None
    assert forecast["rules"]["encryption"]["users"] == 0
    text = survey(log.write()).stdout
    assert "not told" in text and "lport=%a" in text


def test_logs_of_one_server_say_nothing_of_the_other(log, tmp_path):
    log.mail("alice@example.org")
    path = log.write()
    judged = {row["rule"]: row["judged"] for row in ask(path)["rules"]}
    assert not judged["pop3"] and judged["submission-port"] and judged["encryption"]
    assert ask("--forecast", path)["rules"]["pop3"]["users"] is None
    shown = survey("--offenders", "--rule", "pop3", path).stdout
    assert shown.startswith("Nobody, as far as these logs tell.\npop3: ")
    config = tmp_path / "portcullis.conf"
    config.write_text('network n { addresses = { "192.0.2.0/24" } } '
                      'rule relay { allow-networks = { "n" } observe = "always" }')
    [relay] = ask(path, config=config)["rules"]
    assert relay["people"] is None and "without a login" in relay["why_not"]
    log.lines.clear()
    log.login("alice@example.org")
    judged = {row["rule"]: row["judged"] for row in ask(log.write())["rules"]}
    assert judged["pop3"] and not judged["submission-port"]


@pytest.mark.parametrize("events, versions", [
    (["Login"], "2.3"),
    (["Logged in"], "2.4"),
    (["Login", "Logged in"], "2.3 2.4"),
    # Both say that.
    (["proxy(alice): started proxying to 192.0.2.9:143"], "2.3 2.4"),
    (["proxy(alice): started proxying to 192.0.2.9:143", "Logged in"], "2.4"),
])  # fmt: skip
def test_lines_are_for_the_dovecot_that_wrote_the_log(log, events, versions):
    for event in events:
        log.login("alice@example.org", event=event)
    answer = ask(log.write())
    assert answer["logins"] == len(events)
    servers = {row["server"] for row in answer["missing"]}
    assert servers == {f"dovecot {version}" for version in versions.split()}


def test_tls_that_no_line_names(log):
    """Whether the format has it, nobody can say then; each service may have its own."""
    log.login("alice@example.org", tls="")
    assert rules(ask(log.write()))["encryption"] == (None, None, None)
    log.names_tls(host="mx2")
    log.names_tls(service="pop3")
    assert rules(ask(log.write()))["encryption"] == (0, 0, 0)
    log.names_tls()
    assert rules(ask(log.write()))["encryption"] == (1, 1, 0)


def test_offenders_are_as_those_of_the_store(log):
    populate(log)
    log.login("erin@example.org", tls="TLS", more="lport=143, TLSv1 with cipher X (1/1 bits)")
    rows = ask("--offenders", log.write())
    ways = {(row["user"], row["rule"]): row for row in rows}
    assert ways["bob@example.org", "encryption"]["port"] is None
    assert ways["bob@example.org", "encryption"]["tls"] == "none"
    assert ways["dave@example.org", "submission-port"]["port"] == 25
    old = ways["erin@example.org", "tls-version"]
    assert (old["port"], old["tls"], old["tls_version"]) == (143, "starttls", "TLSv1")
    assert ways["erin@example.org", "implicit-tls"]["last_client"] == DE
    one = ask("--offenders", "--rule", "mechanism", log.write())
    assert [row["user"] for row in one] == ["carol@example.org"]
    lines = survey("--offenders", "--csv", log.write()).stdout.splitlines()
    assert lines[0].startswith("user,rule,phase,service,port") and len(lines) == len(rows) + 1


def test_since(log):
    log.login("alice@example.org", tls="", hours_ago=100)
    log.login("bob@example.org", tls="", hours_ago=1)
    log.names_tls(hours_ago=101)
    log.names_tls()
    assert rules(ask(log.write()))["encryption"] == (2, 2, 0)
    assert rules(ask("--since", "2d", log.write()))["encryption"] == (1, 1, 0)


def test_what_programs_read(log):
    """CSV and JSON say the same; JSON has what the manual names."""
    populate(log)
    answer = ask(log.write())
    table = list(csv.reader(survey("--csv", log.write()).stdout.splitlines()))

    def shown(value):
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    assert [dict(zip(table[0], row)) for row in table[1:]] == [
        {key: shown(value) for key, value in row.items()} for row in answer["rules"]
    ]
    page = (ROOT / "man/portcullis.1").read_text()
    section = page[page.index("\n.SS survey") : page.index("\n.SS user\n")]
    named = set(re.findall(r"^\.BR? (\w+)(?: [,)])?$", section[section.rindex("\n.TP") :], re.M))
    keys = {*answer, *answer["rules"][0], *answer["missing"][0]}
    assert keys == named


def test_countries(log, tmp_path):
    database = tmp_path / "country.mmdb"
    mmdb.write(database, built=int(time.time()) - 86400)
    log.login("alice@example.org")
    log.login("bob@example.org", client=US)
    answer = ask("--allow-countries", "de,AT", "--country-database", database, log.write())
    assert rules(answer)["country"] == (1, 1, 0)
    assert survey("--allow-countries", "DE", log.write()).returncode == EX_USAGE
    for wrong in (["--at", "today"], ["--since", "tomorrow"], ["--rule", "nothing"]):
        assert survey(*wrong, log.write()).returncode == EX_USAGE


def test_a_configuration_of_its_own(log, tmp_path):
    config = tmp_path / "portcullis.conf"
    config.write_text("""
        default-domain = "example.org"
        network webmail { addresses = { "%s" } }
        rule plain { kind = "encryption" notify = "2024-01-01" except-networks = { "webmail" } }
    """ % US)
    log.names_tls()
    log.login("bob", tls="")
    log.login("Carol@Example.ORG", tls="", client=US)
    answer = ask(log.write(), config=config)
    assert rules(answer) == {"plain": (1, 1, 0)}
    (row,) = ask("--offenders", log.write(), config=config)
    assert (row["user"], row["phase"]) == ("bob@example.org", "notify")
    own = ("--allow-countries", "DE", "--country-database", "/dev/null")
    assert survey(*own, log.write(), config=config).returncode == EX_USAGE
    # It is not enforced on any day that is set.
    assert rules(ask("--at", "now", log.write(), config=config)) == {"plain": (0, 0, 0)}
    exemptions = tmp_path / "exemptions"
    exemptions.write_text("bob@example.org plain 2099-12-31\n")
    config.write_text(f'exemptions = "{exemptions}"\n' + config.read_text())
    assert rules(ask(log.write(), config=config)) == {"plain": (0, 0, 0)}


def test_it_changes_nothing(log, tmp_path):
    """No store, no journal, no copies, whoever calls it."""
    config = tmp_path / "portcullis.conf"
    config.write_text(f"""
        store = "sqlite:{tmp_path}/store.db"
        journal = "{tmp_path}/journal"
        rule encryption {{ observe = "always" }}
    """)
    populate(log)
    path = log.write()
    # The build may lie where only root can go.
    program = shutil.copy(BUILD / "portcullis", tmp_path)
    before = sorted(map(str, tmp_path.rglob("*")))
    for directory in (path.parent, *list(path.parents)[1:4]):
        directory.chmod(0o755)
    for options in ([], ["--offenders"], ["--forecast"], ["--json"], ["--unknown"]):
        for account in ({}, {"user": 65534, "group": 65534}):
            done = survey(*options, path, config=config, program=program, **account)
            assert done.returncode == 0, done.stderr
    assert sorted(map(str, tmp_path.rglob("*"))) == before


def test_the_name_of_port_25(log):
    log.mail("alice@example.org", name="mx-in")
    path = log.write()
    answer = ask(path)
    assert not next(row for row in answer["rules"] if row["rule"] == "submission-port")["judged"]
    assert rules(ask("--port-25-name", "mx-in", path))["submission-port"] == (1, 1, 0)


def test_strangers_are_nobody(log):
    populate(log)
    log.add(f"dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): "
            f"user=<victim@example.org>, method=PLAIN, rip={US}, lip=192.0.2.1, "
            "session=<AAAAAAAAAAAAAAAA>")  # fmt: skip
    answer = ask(log.write())
    assert answer["people"] == 4 and answer["failed"] == 1
    assert "victim" not in survey("--offenders", log.write()).stdout


def test_a_strangers_name_does_not_show_what_logs_tell(log):
    """Where lines name no TLS at all, nobody knows who had none, whatever somebody tries."""
    log.login("alice@example.org", tls="")
    log.add(f"dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): "
            f"user=<x>, TLS, TLSv1.3 with cipher X, lport=993>, method=PLAIN, rip={US}")  # fmt: skip
    [rule] = ask(log.write(), "--rule", "encryption")["rules"]
    assert not rule["judged"]


def test_the_first_step_of_the_readme(log, tmp_path):
    """As it stands there, on a machine that is not the mail server."""
    populate(log)
    log.write("mail.log.1")
    log.write_journal()
    text = (ROOT / "README.md").read_text()
    section = text[text.index("\n## ") :].split("\n## ")[1]
    assert text.index("portcullis survey") > text.index(section)
    commands = "".join(re.findall(r"```\n(.*?)```", section, re.S))
    # The mail server is a folder.
    prelude = f"""
set -e
make() {{ env -u MAKEFLAGS make -s -C {ROOT} BUILD={os.path.relpath(BUILD, ROOT)} "$@"; }}
scp() {{ test "$1" = -p; cp -p {log.directory}/${{2##*/}} "$3"; }}
ssh() {{ shift; "$@" --file={log.directory}/system.journal; }}
"""
    command = ["bash", "-c", prelude + commands.replace("build/portcullis", f"{BUILD}/portcullis")]
    if CONFIGURATION.is_dir():
        command = namespaces.with_empty(CONFIGURATION, command)
    here = tmp_path / "here"
    here.mkdir()
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "", done
    assert done.stdout.count("people            4, who") == 2
    assert re.search(r"^bob@example.org +encryption ", done.stdout, re.M)


# ---- what it reads ----


def test_several_packed_files_and_a_pipe(log):
    log.login("alice@example.org", tls="", hours_ago=50, host="mx2")
    log.names_tls(hours_ago=50, host="mx2")
    older = log.write("mail.log.2.gz", pack=gzip.compress)
    log.lines.clear()
    log.names_tls()
    log.login("bob@example.org", tls="")
    newer = log.write()
    assert rules(ask(older, newer))["encryption"] == (2, 2, 0)
    answer = ask(log.directory)
    assert rules(answer)["encryption"] == (2, 2, 0) and answer["hosts"] == ["mx2", "mx1"]
    answer = ask("-", input=newer.read_text())
    assert rules(answer)["encryption"] == (1, 1, 0)


def test_journal_of_systemd(log):
    populate(log)
    path = log.write_journal()
    answer = ask(path)
    assert answer["lines"] == answer["understood"] == 9 and answer["hosts"] == ["mx1"]
    assert answer["rules"] == ask(log.directory)["rules"] == ask(log.write())["rules"]


@pytest.mark.parametrize("here", ["files", "journal", "both", "nothing"])
def test_without_arguments(log, here):
    """What this host keeps: the journal where there are no files."""
    populate(log)
    journal = log.write_journal()
    log.mail("erin@example.org")
    log.write("mail.log.1")
    script = {
        "files": f"cp -p {log.directory}/mail.log.1 /var/log/mail.log.1",
        "journal": f"mkdir /var/log/journal; cp {journal} /var/log/journal/",
        "both": f"mkdir /var/log/journal; cp {journal} /var/log/journal/; "
                f"cp -p {log.directory}/mail.log.1 /var/log/mail.log",
        "nothing": ":",
    }[here]  # fmt: skip
    command = ["sh", "-ec", f"{script}; exec \"$@\"", "sh",
               BUILD / "portcullis", "survey"]  # fmt: skip
    if CONFIGURATION.is_dir():
        command = namespaces.with_empty(CONFIGURATION, command)
    done = subprocess.run(namespaces.with_empty("/var/log", command), capture_output=True,
                          text=True, timeout=60)  # fmt: skip
    if here == "nothing":
        assert done.returncode == EX_NOINPUT and "journal" in done.stderr
        return
    assert done.returncode == 0, done
    logs, people = {
        "files": ("/var/log/mail.log.1", 5),
        "journal": ("the systemd journal", 4),
        "both": ("/var/log/mail.log", 5),
    }[here]  # fmt: skip
    assert f"logs              {logs}\n" in done.stdout
    assert f"people            {people}, who" in done.stdout


def test_a_file_of_dovecots_own_names_no_host(log):
    stamp = time.strftime("%b %d %H:%M:%S")
    log.lines.append(f"{stamp} imap-login: Info: Login: user=<alice@example.org>, "
                     f"method=PLAIN, rip={DE}, lip=192.0.2.1, mpid=7, TLS\n")  # fmt: skip
    answer = ask(log.write("dovecot.log"))
    assert (answer["logins"], answer["hosts"]) == (1, [])
    log.login("alice@example.org")
    assert ask(log.write())["hosts"] == ["mx1"]


def test_what_is_broken_counts_as_far_as_it_goes(log):
    log.names_tls()
    for number in range(2000):
        log.login(f"user{number}@example.org", tls="")
    path = log.write("mail.log.gz", pack=gzip.compress)
    path.write_bytes(path.read_bytes()[:-2000])
    result = survey("--json", path)
    assert result.returncode == EX_IOERR and str(path) in result.stderr
    assert 0 < rules(json.loads(result.stdout))["encryption"][0] < 2000


def test_nothing_to_read(log, tmp_path):
    other = tmp_path / "other.log"
    other.write_text("once upon a time\n" * 3)
    assert ask(other, status=1)["understood"] == 0
    missing = survey(tmp_path / "missing.log")
    assert missing.returncode == EX_NOINPUT and "missing.log" in missing.stderr
    examples = survey("--unknown", other).stdout
    assert "3  once upon a time" in examples
    assert "is it a mail log" in survey(other).stderr
    other.write_bytes(b"")
    assert "no line" in survey(other).stderr


def test_nobody_since_then(log):
    populate(log)
    result = survey("--since", time.strftime("%Y-%m-%d %H:%M"), log.write())
    assert result.returncode == 0 and "none since the time" in result.stdout


def test_copies_are_told(log, tmp_path):
    """What was packed and is still there as well counts twice."""
    for number in range(20):
        log.login(f"user{number}@example.org")
    log.write("mail.log.1")
    log.write("mail.log.1.gz", pack=gzip.compress)
    (log.directory / "mail.log.2").symlink_to("mail.log.1")
    result = survey("--json", log.directory)
    assert result.returncode == 0 and json.loads(result.stdout)["logins"] == 40
    assert result.stderr.count("begins with the same lines as") == 1
    # A file of this name, and a pipe.
    (tmp_path / "standard input").write_text("once upon a time\n")
    other = survey("-", input=(log.directory / "mail.log.1").read_text(), cwd=tmp_path)
    assert other.stderr == ""


def test_a_fifo_in_a_directory_of_logs(log):
    populate(log)
    log.write()
    os.mkfifo(log.directory / "mail.log.1")
    assert ask(log.directory)["people"] == 4


def test_examples_are_harmless(log):
    log.add("dovecot: imap-login: Something new \x1b[31m: user=<a@example.org>, "
            "session=<kJ3secretkJ3secre>")  # fmt: skip
    # In a form that nothing here reads.
    log.lines.append("29/11/26 imap(alice@example.org)<17><kJ3secretkJ3secre>: Info: Closed\n")
    log.lines.append("29/11/26 " + "x" * 200 + "<kJ3secretkJ3secretkJ3secretkJ3sec>\n")
    shown = survey("--unknown", log.write()).stdout
    assert "Something new" in shown and "(alice@example.org)<17><...>: Info" in shown
    assert "\x1b" not in shown and "secret" not in shown


def test_hostile_names(log):
    log.login("\x1b]0;owned\x07@example.org", tls="")
    log.login("right\u202eleft@example.org", tls="")
    text = survey("--offenders", log.write()).stdout
    assert "\x1b" not in text and "\u202e" not in text
