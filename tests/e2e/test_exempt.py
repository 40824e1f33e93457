"""portcullis exempt: edits of the file of exemptions, as the servers read it."""

import json
import os
import signal
import stat
import subprocess
import time

from concurrent.futures import ThreadPoolExecutor

import pytest

from mailhost import BUILD
from recorded_site import EX_DATAERR, EX_USAGE, RecordedSite, day

RULES = f"""
rule encryption {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
rule mechanism  {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
rule abroad     {{ kind = "country" allow = {{ "DE" }} enforce = "always" }}
"""

# As people keep such a file: comments, columns, no newline at the end.
FILE = """\
# Let off by the help desk. Ask Erika first!

alice@example.org   encryption,mechanism   2025-01-31               # old scanner, ticket 4711
bob@example.org     abroad=US,CA           2024-10-01..2025-03-31   # semester abroad
\tbob\tabroad=JP,encryption 2030-04-01..2030-04-14
carol@example.org   nonsense               2030-01-01               # is left out
#dave@example.org   encryption             2030-01-01
BOB@EXAMPLE.ORG     mechanism              2030-12-31"""


@pytest.fixture
def site(tmp_path):
    site = RecordedSite(tmp_path, RULES)
    site.exemptions.write_text(FILE)
    return site


def edit(site, *arguments, status=0):
    """Runs it; the wrong line is told each time, and nothing else."""
    result = site.run("exempt", *arguments)
    assert result.returncode == status, result
    return result


def lines(site):
    return site.exemptions.read_text().splitlines()


def test_a_line_is_added_at_the_end(site):
    edit(site, "Dave", "encryption,mechanism", "--until", "2031-01-31", "--reason", "Ticket 12")
    assert site.exemptions.read_text() == (
        FILE + "\ndave@example.org  encryption,mechanism  2031-01-31  # Ticket 12\n")
    edit(site, "erin@example.com", "abroad", "--from", "2031-01-01", "--until", "2031-02-28",
         "--country", "US,CA")
    edit(site, "erin@example.com", "mechanism,abroad=JP,FR,encryption", "--until", "2031-02-28")
    assert lines(site)[-2:] == [
        "erin@example.com  abroad=US,CA  2031-01-01..2031-02-28",
        "erin@example.com  mechanism,abroad=JP,FR,encryption  2031-02-28",
    ]


def test_what_it_does(site):
    site.record("dave@example.org", "encryption")
    site.take()
    explain = ["explain", "--service", "imap", "--port", "143", "--tls", "none", "--mechanism",
               "PLAIN", "--user", "dave", "--client", "78.46.5.205", "--at", f"{day(40)} 12:00"]
    assert site.run(*explain).returncode == 1
    edit(site, "dave", "encryption", "--until", day(40))
    assert site.run(*explain).returncode == 0
    edit(site, "--remove", "dave", "encryption")
    assert site.run(*explain).returncode == 1


def test_once_is_enough(site):
    edit(site, "dave", "encryption", "--until", "2031-01-31")
    text = site.exemptions.read_text()
    assert "already" in edit(site, "dave", "encryption", "--until", "2031-01-01").stdout
    assert site.exemptions.read_text() == text
    edit(site, "dave", "encryption", "--until", "2031-02-01")
    edit(site, "dave", "encryption,mechanism", "--until", "2031-01-01")
    assert len(lines(site)) == len(FILE.splitlines()) + 3


def test_removing(site):
    edit(site, "--remove", "alice", "encryption")
    assert lines(site)[2] == (
        "alice@example.org   mechanism   2025-01-31               # old scanner, ticket 4711")
    edit(site, "--remove", "bob", "abroad")
    assert lines(site)[3:6] == [
        "\tbob\tencryption 2030-04-01..2030-04-14",
        "carol@example.org   nonsense               2030-01-01               # is left out",
        "#dave@example.org   encryption             2030-01-01",
    ]
    edit(site, "--remove", "bob")
    assert lines(site) == [
        "# Let off by the help desk. Ask Erika first!",
        "",
        "alice@example.org   mechanism   2025-01-31               # old scanner, ticket 4711",
        "carol@example.org   nonsense               2030-01-01               # is left out",
        "#dave@example.org   encryption             2030-01-01",
    ]
    text = site.exemptions.read_text()
    for arguments in (["bob"], ["alice", "encryption"], ["dave"], ["carol"], ["a b"]):
        edit(site, "--remove", *arguments, status=1)
    assert edit(site, "--remove", "alice", "nonsense", status=EX_USAGE)
    assert site.exemptions.read_text() == text


def test_the_list(site):
    result = edit(site, "--list", "--json", "--at", "2025-02-01")
    rows = json.loads(result.stdout)
    assert [(row["user"], row["rules"], row["from"], row["until"], row["state"], row["reason"],
             row["line"]) for row in rows] == [
        ("alice@example.org", "encryption,mechanism", None, "2025-01-31", "over",
         "old scanner, ticket 4711", 3),
        ("bob@example.org", "abroad=US,CA", "2024-10-01", "2025-03-31", "holds",
         "semester abroad", 4),
        ("bob@example.org", "abroad=JP,encryption", "2030-04-01", "2030-04-14", "to come", "", 5),
        ("bob@example.org", "mechanism", None, "2030-12-31", "holds", "", 8),
    ]
    assert "carol@example.org" not in edit(site, "--list").stdout
    assert len(edit(site, "--list", "Alice").stdout.splitlines()) == 2


def test_wrong_lines_are_told_once(site):
    result = edit(site, "dave", "encryption", "--until", "2031-01-31")
    assert result.stderr == f"{site.exemptions}:6: no rule is called 'nonsense'\n"


@pytest.mark.parametrize("arguments", [
    ["dave"],
    [],
    ["dave", "encryption"],
    ["dave", "nonsense", "--until", "2031-01-31"],
    ["dave", "encryption,", "--until", "2031-01-31"],
    ["dave", "", "--until", "2031-01-31"],
    ["dave", "encryption=US", "--until", "2031-01-31"],
    ["dave", "abroad=ZZ", "--until", "2031-01-31"],
    ["dave", "abroad", "--country", "us", "--until", "2031-01-31"],
    ["dave", "abroad", "--country", "", "--until", "2031-01-31"],
    ["dave", "encryption", "--country", "US", "--until", "2031-01-31"],
    ["dave", "encryption", "--until", "2031-02-29"],
    ["dave", "encryption", "--until", "2031-01-31 12:00"],
    ["dave", "encryption", "--until", "always"],
    ["dave", "encryption", "--until", "2031-01-31", "--from", "2031-02-01"],
    ["dave", "encryption", "--until", "2031-01-31", "--reason", "two\nlines"],
    ["dave", "encryption", "extra", "--until", "2031-01-31"],
    ["--list", "--remove", "alice"],
    ["--current-offenders", "encryption"],
    ["--remove"],
    ["--remove", "alice", "--reason", "Ticket 12"],
    ["--remove", "--reason", ""],
    ["--list", "--dry-run"],
    ["--current-offenders", "encryption", "alice", "--until", "2031-01-31"],
])
def test_command_line(site, arguments):
    result = edit(site, *arguments, status=EX_USAGE)
    assert result.stderr.splitlines()[0].startswith("portcullis exempt: ") or (
        result.stderr.splitlines()[1].startswith("portcullis exempt: "))
    assert site.exemptions.read_text() == FILE


@pytest.mark.parametrize("name", [
    "old scanner", "#hash", "two\nlines", "tab\tbed", "esc\x1b[31m", "x" * 2000, "",
    "c1\x9b31m", "\ufeff no",
])
def test_names_that_the_servers_would_not_read_back(site, name):
    result = edit(site, name, "encryption", "--until", "2031-01-31", status=EX_DATAERR)
    assert "\x1b" not in result.stderr + result.stdout
    assert site.exemptions.read_text() == FILE
    assert os.listdir(site.directory).count("exemptions") == 1


@pytest.mark.parametrize("name", [
    "jürgen@müller.example", "名前@example.org", "o'brien@example.org", "a#b@example.org",
    "x';drop@example.org", "back\\slash@example.org", "%s@example.org", "..@example.org",
])
def test_names_that_they_would(site, name):
    edit(site, name, "encryption", "--until", "2031-01-31")
    assert lines(site)[-1] == f"{name}  encryption  2031-01-31"
    edit(site, "--remove", name)
    assert site.exemptions.read_text() == FILE + "\n"


def test_a_reason_that_would_not_be_read_back(site):
    """Its line would be too long for the servers, which then leave it out."""
    result = edit(site, "dave", "encryption", "--until", "2031-01-31", "--reason", "x" * 5000,
                  status=EX_DATAERR)
    assert "the servers would not read it as it is meant" in result.stderr
    assert site.exemptions.read_text() == FILE
    assert [name for name in os.listdir(site.directory) if ".new" in name] == []


def test_owner_mode_and_links_stay(site):
    os.chmod(site.exemptions, 0o640)
    os.chown(site.exemptions, 1234, 4321)
    real = site.directory / "real"
    site.exemptions.rename(real)
    site.exemptions.symlink_to("real")
    edit(site, "dave", "encryption", "--until", "2031-01-31")
    assert site.exemptions.is_symlink()
    status = real.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o640, 1234, 4321)
    assert real.read_text().endswith("2031-01-31\n")


def test_the_first_exemption_makes_the_file(site):
    site.exemptions.unlink()
    edit(site, "dave", "encryption", "--until", "2031-01-31")
    assert site.exemptions.read_text() == "dave@example.org  encryption  2031-01-31\n"
    # The servers run as other users.
    assert stat.S_IMODE(site.exemptions.stat().st_mode) == 0o644


def test_lines_of_another_system(site):
    site.exemptions.write_bytes(b"alice encryption,mechanism 2031-01-01 # x\r\nbob mechanism "
                                b"2031-01-01\r\n")
    edit(site, "--remove", "alice", "mechanism")
    assert site.exemptions.read_bytes() == (
        b"alice encryption 2031-01-01 # x\r\nbob mechanism 2031-01-01\r\n")


def test_editors_wait_for_each_other(site):
    def add(number):
        return edit(site, f"user{number}", "encryption", "--until", "2031-01-31")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(60)))
    assert sorted(lines(site)[8:]) == sorted(
        f"user{number}@example.org  encryption  2031-01-31" for number in range(60))


def test_killed_at_any_moment(site):
    """The file is the old one or the new one, never something else."""
    site.exemptions.write_text(
        "".join(f"user{n}@example.org encryption 2031-01-31\n" for n in range(20000)))
    before = site.exemptions.read_text()
    after = before + "dave@example.org  encryption  2031-01-31\n"
    seen = set()
    command = [BUILD / "portcullis", "-c", site.config, "exempt", "dave", "encryption",
               "--until", "2031-01-31"]
    begin = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    duration = time.monotonic() - begin
    for number in range(60):
        site.exemptions.write_text(before)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            time.sleep(duration * number / 40)
            process.send_signal(signal.SIGKILL)
        text = site.exemptions.read_text()
        assert text in (before, after)
        seen.add(text == after)
    assert False in seen
    # What was left behind is in nobody's way.
    edit(site, "--remove", "user7")


def test_current_offenders(site):
    site.exemptions.write_text(f"known@example.org encryption {day(90)}\n"
                               f"short@example.org encryption {day(9)}\n")
    for user in ("alice", "bob", "known", "short"):
        site.record(f"{user}@example.org", "encryption", days_ago=5)
    site.record("alice@example.org", "encryption", "mechanism", mechanism="CRAM-MD5")
    site.record("long-ago@example.org", "encryption", days_ago=50)
    site.record("victim@example.org", "encryption", verified=False)
    site.record("other@example.org", "mechanism", tls="implicit", mechanism="CRAM-MD5")
    site.fine("fine@example.org")
    site.take()
    command = ["--current-offenders", "encryption", "--until", day(90)]
    assert edit(site, *command).stdout == (
        f"Users let off encryption until {day(90)}: 3. Already let off: 1.\n")
    added = [line.split() for line in lines(site)[2:]]
    assert [line[0] for line in added] == ["alice@example.org", "bob@example.org",
                                           "short@example.org"]
    assert all(line[1:3] == ["encryption", day(90)] for line in added)
    # Enforced for everybody else today: nobody who was seen lately is locked out by it.
    forecast = site.ask("forecast", "--rule", "encryption", "--since", day(-30))
    assert (forecast["locked_out"], forecast["partly"]) == (0, 0)
    # Doing it again changes nothing.
    text = site.exemptions.read_text()
    assert ": 0. Already let off: 4." in edit(site, *command).stdout
    assert site.exemptions.read_text() == text
    stdout = edit(site, *command, "--since", day(-60), "--reason", "Erika").stdout
    assert ": 1. Already let off: 4." in stdout
    assert lines(site)[-1] == f"long-ago@example.org  encryption  {day(90)}  # Erika"
    edit(site, "--current-offenders", "nonsense", "--until", day(90), status=EX_USAGE)


def test_the_last_one_is_taken_back(site):
    """The servers would not believe a file with nothing in it."""
    site.exemptions.write_text("alice@example.org  encryption  2031-01-31\n")
    edit(site, "--remove", "alice", "encryption")
    text = "# edited by 'portcullis exempt', see portcullis.conf(5)\n"
    assert site.exemptions.read_text() == text
    edit(site, "alice", "encryption", "--until", "2031-01-31")
    assert site.exemptions.read_text() == text + "alice@example.org  encryption  2031-01-31\n"


def test_current_offenders_of_another_default_domain(site):
    """Before it was set, or on another host, they were recorded as they typed it."""
    site.exemptions.write_text("")
    for user in ("alice", "alice@example.org", "Bob", "=carol"):
        site.record(user, "encryption")
    site.take()
    command = ["--current-offenders", "encryption", "--until", day(90)]
    assert ": 3. Already let off: 0." in edit(site, *command).stdout
    assert [line.split()[0] for line in lines(site)] == [
        "alice@example.org", "bob@example.org", "=carol@example.org"]
    assert ": 0. Already let off: 3." in edit(site, *command).stdout


def test_current_offenders_who_cannot_stand_in_the_file(site):
    site.exemptions.write_text("")
    site.record("old scanner@example.org", "encryption")
    site.record("esc\x1b[31m@example.org", "encryption")
    site.record("\ufeffmark@example.org", "encryption")
    site.record("alice@example.org", "encryption")
    site.take()
    result = edit(site, "--current-offenders", "encryption", "--until", day(90), status=1)
    assert len(lines(site)) == 1
    assert "old scanner@example.org" in result.stderr
    assert "\x1b" not in result.stderr
    assert "users who cannot be let off: 3\n" in result.stderr


def test_what_would_be_let_off(site):
    """--dry-run says who, and writes nothing."""
    for user in ("alice", "bob", "old scanner"):
        site.record(f"{user}@example.org", "encryption")
    site.take()
    site.exemptions.write_text(f"bob@example.org  encryption  {day(90)}\n")
    before = site.exemptions.stat()
    command = ["--current-offenders", "encryption", "--until", day(90)]
    result = edit(site, *command, "--dry-run", status=1)
    assert result.stdout == (
        f"alice@example.org\nUsers who would be let off encryption until {day(90)}: 1. "
        "Already let off: 1.\n")
    assert "old scanner" in result.stderr and "cannot be let off: 1" in result.stderr
    assert site.exemptions.stat().st_mtime_ns == before.st_mtime_ns
    assert site.exemptions.stat().st_ino == before.st_ino
    # Also where there is no file yet.
    site.exemptions.unlink()
    edit(site, *command, "--dry-run", status=1)
    assert not site.exemptions.exists()


def test_a_batch_is_taken_back(site):
    """By its reason, to the letter; everything else stays as it is, byte by byte."""
    for number in range(300):
        site.record(f"user{number}@example.org", "encryption")
    site.take()
    edit(site, "--current-offenders", "encryption", "--until", day(90))
    reason = f"current offender of encryption on {day()}"
    edit(site, "alice", "encryption", "--until", day(90), "--reason", "kept")
    edit(site, "user7", "mechanism", "--until", day(90), "--reason", reason + "!")
    edit(site, "user8", "mechanism", "--until", day(90), "--reason", reason.upper())
    # A comment, and a line that the servers leave out, are no exemptions.
    with open(site.exemptions, "a") as file:
        file.write(f"# {reason}\nuser9@example.org nonsense {day(90)} # {reason}\n")
    before = site.exemptions.read_text()
    command = ["--remove", "--reason", reason]
    assert edit(site, *command, "--dry-run").stdout.splitlines()[-1] == (
        "Lines that would be removed: 300.")
    assert site.exemptions.read_text() == before
    assert edit(site, *command).stdout == "Lines removed: 300.\n"
    assert site.exemptions.read_text() == "".join(
        line for line in before.splitlines(keepends=True)
        if not line.endswith(f"  # {reason}\n") or "nonsense" in line)
    assert "no such exemption" in edit(site, *command, status=1).stderr
    # As people type them.
    site.exemptions.write_text(FILE)
    assert edit(site, *command[:2], "old scanner, ticket 4711").stdout == "Lines removed: 1.\n"
    assert lines(site) == [line for line in FILE.splitlines() if "4711" not in line]


def test_an_edit_can_be_tried(site):
    for arguments in (["alice", "encryption"], ["bob"]):
        count = 1 if arguments[0] == "alice" else 3
        result = edit(site, "--remove", *arguments, "--dry-run")
        assert result.stdout.splitlines()[-1] == (
            f"Lines that would be changed or removed: {count}.")
    result = edit(site, "dave", "encryption", "--until", "2031-01-31", "--dry-run")
    assert result.stdout == "dave@example.org would be let off encryption until 2031-01-31.\n"
    assert site.exemptions.read_text() == FILE
