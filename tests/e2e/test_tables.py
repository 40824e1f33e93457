"""Tables: as wide as the terminal, and whole where there is none."""

import re

import pytest

from recorded_site import RecordedSite, day, fits_a_terminal, width

RULES = f"""
rule encryption {{ observe = "{day(-200)}" notify = "{day(-30)}" enforce = "{day(30)}" }}
rule a-rule-with-a-title-that-is-quite-long {{
    kind = "protocol" services = {{ "pop3" }} enforce = "{day(-1)}"
}}
"""

NAME = "a-very-long-name-that-goes-on.and-on@a-faculty.of-the-university.example.org"
PROGRAM = "A program with a very long name " * 4
COMPOSED, DECOMPOSED = "j\u00fcrgen@example.org", "ju\u0308rgen@example.org"
CHINESE = "\u540d\u524d@example.org"
EXPLAIN = ["explain", "--service", "imap", "--port", "143", "--tls", "none", "--client", "192.0.2.1",
           "--mechanism", "PLAIN", "--user", "alice"]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Nobody changes it."""
    site = RecordedSite(tmp_path_factory.mktemp("site"), RULES)
    site.record("alice@example.org", "encryption", count=3)
    for name in (NAME, COMPOSED, DECOMPOSED, CHINESE):
        site.record(name, "encryption", "a-rule-with-a-title-that-is-quite-long=enforce",
                    service="submission", port=50587, tls="starttls",
                    mechanism="SCRAM-SHA-256-PLUS", client_id="name=" + PROGRAM, count=12345)
    site.take()
    site.must("exempt", NAME, "encryption", "--until", day(20), "--reason", "because " * 20)
    return site


COMMANDS = [["offenders"], ["exempt", "--list"], ["notices"], ["status"], ["check-config"],
            ["forecast"], ["user", NAME], ["user", CHINESE], EXPLAIN,
            ["exempt", "--help"]]  # fmt: skip


def test_every_line_fits(site):
    for columns in (200, 80, 60, 40, 20, 5):
        for command in COMMANDS:
            text = site.show(*command, columns=columns, statuses=(0, 1))
            if columns < 40 and command[-1] == "--help":
                continue
            # The sentences around these are not wrapped, nor are warnings before them.
            if command[0] == "check-config":
                table = text.partition("\n\n")[0].splitlines()
                text = "\n".join(line for line in table if not line.endswith("(warning)"))
            if command[0] == "explain":
                text = text.partition("\n\n")[2]
            fits_a_terminal(text, columns)


def flat(text):
    """Without what a line break and an indentation add."""
    return "".join(text.split())


def test_forty_columns_can_be_read(site):
    """Where a table would be cut to nothing, each row takes several lines."""
    text = site.show("offenders", columns=40)
    rows = re.split(r"^USER:\s+", text, flags=re.MULTILINE)[1:]
    assert len(rows) == 9 and "\u2026" not in text
    [alice] = [row for row in rows if row.startswith("alice@")]
    assert alice.splitlines() == [
        "alice@example.org", "  RULE: encryption", "  PHASE: notify", "  SERVICE: imap:143",
        "  TLS: none", "  SASL: PLAIN", "  IN: DE", "  PROGRAM: Thunderbird 115.3", "  COUNT: 3",
        alice.splitlines()[9], alice.splitlines()[10]]  # fmt: skip
    assert [line.split(":")[0] for line in alice.splitlines()[9:]] == ["  FIRST", "  LAST"]
    for row in rows:
        if flat(NAME) in flat(row):
            assert flat(PROGRAM) in flat(row)
    assert any(flat(NAME) in flat(row) for row in rows)


@pytest.mark.parametrize("columns", [40, 20, 15])
def test_a_person_can_be_read(site, columns):
    text = site.show("user", NAME, columns=columns)
    assert "\u2026" not in text
    for part in (NAME, "fine PROGRAM: name=A program", "SERVICE: submission:50587",
                 "TLS: starttls", "SASL: SCRAM-SHA-256-PLUS", f"encryption until {day(20)}",
                 "IMAP imap.example.org, port 993, SSL/TLS, normal password"):
        assert flat(part) in flat(text), part


@pytest.mark.parametrize("columns", [60, 40, 20])
def test_health_can_be_read(site, columns):
    whole = site.run("status").stdout.partition("\n\n")[2]
    text = site.show("status", columns=columns, statuses=(0, 1)).partition("\n\n")[2]
    assert len(text.splitlines()) > len(whole.splitlines())
    assert flat(text).replace(":", "") == flat(whole).replace(":", "")
    # Words are not broken where they fit.
    if columns == 40:
        assert set(text.replace(":", "").split()) == set(whole.replace(":", "").split())


def test_sentences_are_as_they_were_on_a_wide_terminal(site):
    for command in (EXPLAIN, ["user", NAME], ["forecast"], ["exempt", "--help"]):
        whole = site.run(*command).stdout
        assert site.show(*command, columns=400, statuses=(0, 1)) == whole
        assert not any(line.endswith(" ") for line in whole.splitlines())
    assert [line for line in site.run(*EXPLAIN).stdout.splitlines() if line.startswith("rule ")]


def test_health_on_a_wide_terminal(site):
    whole = site.run("status").stdout
    assert site.show("status", columns=400, statuses=(0, 1)) == whole
    parts = site.show("status", columns=80, statuses=(0, 1)).partition("\n\n")[2].splitlines()
    assert all(line[:26].strip() == "" or line[24:26] == "  " for line in parts)


def test_whose_row_it_is_is_cut_last(site):
    name = "alice@example.org"
    for columns in (100, 80):
        [row] = [line for line in site.show("offenders", columns=columns).splitlines()
                 if line.startswith("alice")]  # fmt: skip
        assert row.startswith(f"{name} "), columns
    long = site.show("offenders", columns=200)
    assert NAME in long and PROGRAM.strip() not in long
    assert site.show("offenders", columns=1000).count(PROGRAM.strip()) > 0


def test_nothing_is_cut_in_a_pipe(site):
    for environment in ({}, {"COLUMNS": "40"}):
        table = site.must("offenders", environment=environment)
        assert NAME in table and PROGRAM.strip() in table and "\u2026" not in table
        listed = site.must("exempt", "--list", environment=environment)
        assert ("because " * 20).strip() in listed
    assert NAME in site.must("user", NAME)


def test_where_the_width_comes_from(site):
    def widest(**options):
        return max(map(width, site.show("offenders", **options).splitlines()))

    assert widest(columns=120) == 120
    assert widest(columns=120, environment={"COLUMNS": "70"}) == 70
    # Nonsense is none, and a terminal that does not know has 80.
    for nonsense in ("", "0", "-5", "wide", "70x"):
        assert widest(columns=120, environment={"COLUMNS": nonsense}) == 120
    assert widest(columns=0) == 80


def test_columns_stand_below_each_other(site):
    """Whatever a character takes: one column, two, or none."""
    title, *rows = site.show("offenders", columns=200).splitlines()
    column = title.index("RULE")
    names = {"alice@example.org", COMPOSED, DECOMPOSED, CHINESE}
    seen = set()
    for row in rows:
        name = row.split()[0]
        rule = row.split()[1]
        assert width(row[:row.index(f" {rule}") + 1]) == column, row
        seen.add(name)
    assert names <= seen
