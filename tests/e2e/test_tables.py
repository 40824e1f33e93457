"""Tables: as wide as the terminal, and whole where there is none."""

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


@pytest.fixture
def site(tmp_path):
    site = RecordedSite(tmp_path, RULES)
    site.record("alice@example.org", "encryption", count=3)
    for name in (NAME, COMPOSED, DECOMPOSED, CHINESE):
        site.record(name, "encryption", "a-rule-with-a-title-that-is-quite-long=enforce",
                    service="submission", port=50587, tls="starttls",
                    mechanism="SCRAM-SHA-256-PLUS", client_id="name=" + PROGRAM, count=12345)
    site.take()
    site.must("exempt", NAME, "encryption", "--until", day(20), "--reason", "because " * 20)
    return site


@pytest.mark.parametrize("command", [["offenders"], ["exempt", "--list"], ["notices"]])
def test_every_line_fits(site, command):
    for columns in (200, 132, 100, 80, 72, 60, 50, 40):
        fits_a_terminal(site.show(*command, columns=columns), columns)


def test_tables_between_other_lines_fit(site):
    for columns in (200, 80, 60):
        for command in ("status", "check-config"):
            table, _, _ = site.show(command, columns=columns).partition("\n\n")
            fits_a_terminal(table, columns)
        parts = site.show("forecast", columns=columns).split("\n\n")
        for table in parts[2:]:
            fits_a_terminal(table, columns)
        fits_a_terminal(site.show("user", NAME, columns=columns).split("\n\n")[1], columns)


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
