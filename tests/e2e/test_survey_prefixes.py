"""What stands before the messages in a mail log: a survey says the same, whoever wrote it down.

What journalctl makes of the entries is made by journalctl."""

import base64
import datetime
import gzip
import json
import os
import struct
import subprocess
import zoneinfo

import pytest

from recorded_site import BUILD

ZONE = "Europe/Berlin"
UTC = datetime.timezone.utc
REMOTE = "/usr/lib/systemd/systemd-journal-remote"
RULES = """
rule encryption { kind = "encryption" notify = "2024-01-01" }
rule submission-port { kind = "submission-port" notify = "2024-01-01" }
"""
# Of all times in the tests, with some days on both sides of New Year.
BEGIN = datetime.datetime(2025, 12, 30, 9, 0, 0, 123456, UTC)
CLIENT = "198.51.100.7"


def session(moment, client=CLIENT):
    """An id as Dovecot makes it: 48 bits of microseconds, port, address."""
    microseconds = int(moment.timestamp() * 1e6)
    return base64.b64encode(
        struct.pack("<Q", microseconds)[:6] + b"\x11\x22" + bytes(map(int, client.split(".")))
    ).decode()


def dovecot(user, more, session_id):
    ending = f", session=<{session_id}>" if session_id else ""
    return (
        "dovecot", 7,
        f"imap-login: Login: user=<{user}>, method=PLAIN, rip={CLIENT}, lip=192.0.2.1, mpid=8"
        f"{more}{ending}",
    )  # fmt: skip


def entries(with_session):
    """(moment, program, process, message): each day somebody without TLS, one with it, and a
    mail."""
    found = []
    for day in range(5):
        moment = BEGIN + datetime.timedelta(days=day)
        user = f"user{day}@example.org"
        name = f"client.example.org[{CLIENT}]"
        found += [
            (moment, *dovecot("tls@example.org", ", TLS", with_session and session(moment))),
            (moment, *dovecot("jörg@example.org", ", TLS", with_session and session(moment))),
            (moment, *dovecot(user, "", with_session and session(moment))),
            (moment, "postfix/smtpd", 99, f"connect from {name}"),
            (moment, "postfix/smtpd", 99,
             f"4711: client={name}, sasl_method=PLAIN, sasl_username={user}"),
            (moment, "postfix/smtpd", 99,
             f"disconnect from {name} ehlo=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=6"),
        ]  # fmt: skip
    return found


# ---- who writes it ----


def local(moment):
    return moment.astimezone(zoneinfo.ZoneInfo(ZONE))


def tag(program, process):
    return f"{program}[{process}]: " if process else f"{program}: "


def traditional(moment, program, process, message):
    stamp = local(moment).strftime("%b %e %H:%M:%S")
    return f"{stamp} mx1 {tag(program, process)}{message}"


def with_year(moment, program, process, message):
    stamp = local(moment).strftime("%Y-%m-%d %H:%M:%S")
    return f"{stamp} mx1 {tag(program, process)}{message}"


def rsyslog(moment, program, process, message):
    stamp = local(moment).isoformat(timespec="microseconds")
    return f"{stamp} mx1 {tag(program, process)}{message}"


def relayed(moment, *entry):
    return f"<22>{traditional(moment, *entry)}"


def rfc5424(moment, program, process, message):
    return f"<22>1 {moment.isoformat()} mx1 {program} {process} - - {message}"


def twice(moment, *entry):
    """By a relay that keeps what the host wrote, in a zone that nobody knows."""
    return f"{local(moment).isoformat()} mx1 {traditional(moment, *entry)}"


def own_file(moment, program, process, message):
    """Dovecot's log_path; Postfix' lines are syslog's."""
    if program != "dovecot":
        return traditional(moment, program, process, message)
    service, rest = message.split(": ", 1)
    return f"{local(moment):%b %d %H:%M:%S} {service}: Info: {rest}"


def tai64n(moment, program, process, message):
    seconds = 2**62 + 10 + int(moment.timestamp())
    line = own_file(moment, program, process, message)[16:]
    return f"@{seconds:016x}{moment.microsecond * 1000:08x} {line}"


def docker(moment, *entry):
    """In a container, whose clock shows UTC."""
    line = own_file(moment - local(moment).utcoffset(), *entry)
    text = json.dumps(line + "\n", ensure_ascii=False)
    text = text.replace("<", "\\u003c").replace(">", "\\u003e")
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f789Z")
    return f'{{"log":{text},"stream":"stdout","time":"{stamp}"}}'


def compose(moment, *entry):
    return f"\033[36mmail-1  | \033[0m{moment:%Y-%m-%dT%H:%M:%S.%fZ} {own_file(moment, *entry)}"


def kubernetes(moment, *entry):
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f789Z} stdout F {own_file(moment, *entry)}"


WRITERS = [traditional, with_year, rsyslog, relayed, rfc5424, twice, own_file, tai64n, docker,
           compose, kubernetes]  # fmt: skip
YEARLESS = [traditional, relayed, own_file]

OUTPUTS = ["short", "short-precise", "short-iso", "short-iso-precise", "short-full", "short-unix",
           "json", "json-seq", "export"]  # fmt: skip


def journalctl(directory, output, found, driver=None):
    """What journalctl prints of a journal that has these entries. By Docker's driver, the
    message is a whole line, and the program a container."""
    data = b""
    for moment, program, process, message in found:
        if driver is not None:
            program, process, message = "5f2c0de1", 1, driver(moment, program, process, message)
        data += (
            f"__REALTIME_TIMESTAMP={int(moment.timestamp() * 1e6)}\n"
            f"__MONOTONIC_TIMESTAMP={int((moment - BEGIN).total_seconds() * 1e6) + 1}\n"
            f"_BOOT_ID={'5' * 32}\n_HOSTNAME=mx1\nSYSLOG_IDENTIFIER={program}\nPRIORITY=6\n"
            f"_PID={process}\nMESSAGE={message}\n\n"
        ).encode()
    subprocess.run([REMOTE, "-o", directory / "x.journal", "-"], input=data, check=True,
                   capture_output=True, timeout=60)  # fmt: skip
    return subprocess.run(
        ["journalctl", "--file", directory / "x.journal", "--no-pager", "--quiet", "--all",
         "-o", output],
        env=os.environ | {"TZ": ZONE, "LC_ALL": "C.UTF-8"},
        check=True, capture_output=True, timeout=60,
    ).stdout  # fmt: skip


# ---- what a survey says ----


def survey(directory, log, **options):
    config = directory / "portcullis.conf"
    config.write_text(RULES)
    result = subprocess.run(
        [BUILD / "portcullis", "-c", config, "survey", "--json", log],
        env=os.environ | {"TZ": ZONE}, capture_output=True, timeout=60, **options,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def summary(answer):
    assert answer["unknown"] == 0 and answer["undated"] == 0
    found = {key: answer[key] for key in ("people", "logins", "failed", "rules")}
    return found | {key: answer[key][:19] for key in ("from", "to")}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    directory = tmp_path_factory.mktemp("logs")
    path = directory / "mail.log"
    path.write_bytes(text_of(rsyslog))
    answer = summary(survey(directory, path))
    assert answer["people"] == 7 and answer["logins"] == 20
    assert answer["from"] == "2025-12-30T09:00:00" and answer["to"] == "2026-01-03T09:00:00"
    # Who had no TLS, and who sent mail by port 25.
    assert [row["people"] for row in answer["rules"]] == [5, 5]
    return answer


def text_of(writer, with_session=True):
    return "".join(writer(*entry) + "\n" for entry in entries(with_session)).encode()


@pytest.mark.parametrize("writer", WRITERS)
def test_lines(tmp_path, expected, writer):
    path = tmp_path / "mail.log"
    path.write_bytes(text_of(writer))
    assert summary(survey(tmp_path, path)) == expected


@pytest.mark.parametrize("output", OUTPUTS)
def test_journalctl(tmp_path, expected, output):
    path = tmp_path / "mail.log"
    path.write_bytes(journalctl(tmp_path, output, entries(True)))
    assert summary(survey(tmp_path, path)) == expected


@pytest.mark.parametrize("output", OUTPUTS)
def test_docker_by_the_journal(tmp_path, expected, output):
    path = tmp_path / "mail.log"
    path.write_bytes(journalctl(tmp_path, output, entries(True), driver=own_file))
    assert summary(survey(tmp_path, path)) == expected


@pytest.mark.parametrize("writer", YEARLESS)
def test_year_by_the_files_time(tmp_path, expected, writer):
    """Packed or not: gzip keeps the time."""
    newest = datetime.datetime(2026, 1, 4, tzinfo=UTC).timestamp()
    for name, pack in (("mail.log.1", bytes), ("mail.log.2.gz", gzip.compress)):
        path = tmp_path / name
        path.write_bytes(pack(text_of(writer, with_session=False)))
        os.utime(path, (newest, newest))
        assert summary(survey(tmp_path, path)) == expected


def test_years_of_a_long_file(tmp_path):
    """Nobody rotates it, and Postfix has no session ids: three years of 40 mails a day."""
    name = f"client.example.org[{CLIENT}]"
    path = tmp_path / "mail.log"
    newest = datetime.datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
    with path.open("w") as log:
        for day in range(3 * 365, -1, -1):
            moment = newest - datetime.timedelta(days=day)
            text = f"4711: client={name}, sasl_method=PLAIN, sasl_username=a@example.org"
            log.write(40 * (traditional(moment, "postfix/smtpd", day + 1, text) + "\n"))
    os.utime(path, 2 * (newest.timestamp() + 86400,))
    answer = survey(tmp_path, path)
    assert answer["from"][:10] == "2023-02-02" and answer["to"][:10] == "2026-02-01"
    assert answer["logins"] == 40 * (3 * 365 + 1)


@pytest.mark.parametrize("days", [9, 3 * 365])
def test_years_of_a_large_packed_file(tmp_path, days):
    """Of one that is quickly filled, the first part is looked at only; that must not be taken
    for all of one that was not."""
    name = f"client.example.org[{CLIENT}]"
    path = tmp_path / "mail.log.2.gz"
    newest = datetime.datetime(2026, 1, 4, 9, 0, tzinfo=UTC)
    count = 90000
    step = datetime.timedelta(days=days) / (count - 1)
    with gzip.open(path, "wt", compresslevel=1) as log:
        for i in range(count):
            number = os.urandom(100).hex()
            text = f"{number}: client={name}, sasl_method=PLAIN, sasl_username=a@example.org"
            log.write(traditional(newest - (count - 1 - i) * step, "postfix/smtpd", i, text) + "\n")
    assert path.stat().st_size > 8 << 20
    os.utime(path, 2 * (newest.timestamp() + 60,))
    answer = survey(tmp_path, path)
    oldest = newest - datetime.timedelta(days=days)
    assert answer["from"][:10] == f"{oldest:%Y-%m-%d}" and answer["to"][:10] == "2026-01-04"
    assert answer["logins"] == count


@pytest.mark.parametrize("with_session", [True, False])
def test_year_by_a_pipe(tmp_path, expected, with_session):
    """It has no time, but session ids may tell the year. Else it is the last one that may be."""
    answer = summary(survey(tmp_path, "-", input=text_of(traditional, with_session)))
    if with_session:
        assert answer == expected
    else:
        now = datetime.datetime.now(UTC)
        year = now.year if (now.month, now.day) > (1, 5) else now.year - 1
        assert answer["to"] == f"{year}-01-03T09:00:00"
        assert answer["from"] == f"{year - 1}-12-30T09:00:00"


def test_repeated_lines(tmp_path):
    """rsyslog may write down a message that came several times once more only."""
    path = tmp_path / "mail.log"
    moment, program, process, message = entries(True)[0]
    repeated = f"message repeated 3 times: [ {message}]"
    path.write_text(
        rsyslog(moment, program, process, message) + "\n"
        + rsyslog(moment, program, process, repeated) + "\n"
    )  # fmt: skip
    answer = survey(tmp_path, path)
    assert answer["logins"] == 4 and answer["people"] == 1 and answer["unknown"] == 0


def test_forms_change_within_a_file(tmp_path, expected):
    """Somebody put them together: the same twenty logins from each."""
    path = tmp_path / "mail.log"
    texts = [text_of(rsyslog), text_of(docker), text_of(traditional)]
    texts.append(journalctl(tmp_path, "export", entries(True)))
    path.write_bytes(b"".join(texts))
    answer = summary(survey(tmp_path, path))
    assert answer.pop("logins") == len(texts) * expected["logins"]
    assert answer.items() <= expected.items()


def test_hosts_of_all_lengths(tmp_path):
    """Where the program stands in one line, another one has something else."""
    path = tmp_path / "mail.log"
    client = "unknown[2001:db8::25]"
    logins = [
        "imap-login: Login: user=<a@example.org>, method=PLAIN, rip=2001:db8::1, mpid=1, TLS"
        ", session=<abcdefgh>",
        f"4711: client={client}, sasl_method=PLAIN, sasl_username=a@example.org" + 40 * "x",
    ]
    with path.open("w") as log:
        for length in range(1, 250):
            for program, message in zip(("dovecot", "postfix/smtpd[9]"), logins):
                long = f"{'h' * length} amavis[7]: (7-1) Passed CLEAN, {'x' * 80}"
                log.write(f"2026-11-29T10:00:00Z {long}\n")
                log.write(f"2026-11-29T10:00:00Z mx1 {program}: {message}\n")
    assert survey(tmp_path, path)["logins"] == 2 * 249
