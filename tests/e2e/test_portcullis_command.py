"""portcullis(1): check-config and explain, as an operator types them."""

import json
import os
import re
import subprocess

import pytest

import mmdb

from mailhost import BUILD, EXAMPLES, ROOT

COMMANDS = ["announce", "check-config", "explain", "survey", "offenders", "forecast", "status",
            "doctor", "user", "exempt", "notify", "notices", "import", "store", "forget", "help"]

BUILT = 1718000000  # 2024-06-10 08:13 in Berlin

CONFIG = """
organisation     = "Example University"
help-url         = "https://www.example.org/mail"
default-domain   = "example.org"
country-database = "{directory}/country.mmdb"
exemptions       = "{directory}/exemptions"

network campus  {{ addresses = {{ "192.0.2.0/24", "2001:db8::/32" }} }}
network webmail {{ addresses = {{ "198.51.100.25" }} }}

rule encryption {{
    services  = {{ "imap", "pop3", "submission", "sieve" }}
    observe   = "2024-05-01"
    notify    = "2024-06-01"
    enforce   = "2024-09-20"
    brownouts = {{ "2024-08-20 10:00 +4h" }}
    minimum   = "TLSv1.2"
    except-networks = {{ "webmail" }}
}}
rule tls-ports {{
    kind    = "implicit-tls"
    services = {{ "imap", "pop3" }}
    enforce = "2025-03-17"
}}
rule abroad {{
    kind     = "country"
    services = {{ "imap", "pop3" }}
    allow    = {{ "DE", "AT", "CH", "FR" }}
    enforce  = "always"
    except-networks = {{ "campus" }}
}}
rule mechanism {{
    notify   = "2024-06-01"
}}
rule pop3 {{
    kind     = "protocol"
    services = {{ "pop3" }}
    enforce  = "2026-01-01"
    message  = "POP3 has ended"
}}
rule smtp-port-25 {{
    kind            = "submission-port"
    client-networks = {{ "campus" }}
    enforce         = "2024-09-20 06:00"
}}
rule inbound-relays {{
    kind           = "relay"
    allow-networks = {{ "webmail" }}
    enforce        = "2024-09-20 06:00"
    except-networks = {{ "campus" }}
}}
"""

EXEMPTIONS = """
alice@example.org  encryption,mechanism  2024-10-31              # old scanner
bob@example.org    abroad=US,CA          2024-10-01..2025-03-31  # semester abroad
bob@example.org    abroad=JP             2025-04-01..2025-04-14
"""

GERMAN = mmdb.CLIENTS["DE"][0]
AMERICAN = mmdb.CLIENTS["US"][0]


class Site:
    """A portcullis.conf with its files."""

    def __init__(self, directory):
        self.directory = directory
        self.config = directory / "portcullis.conf"
        self.exemptions = directory / "exemptions"
        self.country_database = directory / "country.mmdb"
        self.config.write_text(CONFIG.format(directory=directory))
        self.exemptions.write_text(EXEMPTIONS)
        mmdb.write(self.country_database, built=BUILT)

    def run(self, *arguments, **options):
        command = [BUILD / "portcullis", "-c", self.config, *arguments]
        environment = dict(os.environ, TZ="Europe/Berlin")
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=180, **options
        )

    def explain(self, *options, service="imap", port=993, tls="implicit", mechanism="PLAIN",
                client=GERMAN, user="carol", at="2024-07-01 12:00"):
        arguments = ["explain", "--service", service, "--port", str(port), "--tls", tls]
        arguments += ["--client", client, "--at", at, *options]
        if service != "smtp":
            arguments += ["--mechanism", mechanism, "--user", user]
        return self.run(*arguments)

    def explain_json(self, **attempt):
        """Checks what must be so in every answer, and returns it."""
        result = self.explain("--json", **attempt)
        answer = json.loads(result.stdout)
        assert list(answer) == ["action", "when", "message", "rules", "country"]
        assert result.returncode == {"allow": 0, "reject": 1}[answer["action"]]
        assert (answer["when"] is None) == (answer["action"] == "allow")
        assert (answer["message"] is None) == (answer["action"] == "allow")
        for rule in answer["rules"]:
            assert list(rule) == ["rule", "kind", "phase", "broken", "why"]
        assert result.stderr == ""
        return answer


def why(answer, title):
    """(phase, broken, why) of a rule."""
    [rule] = [rule for rule in answer["rules"] if rule["rule"] == title]
    return rule["phase"], rule["broken"], rule["why"]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_help_and_version(site):
    commands = site.run("--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [command.split()[0] for command in commands] == COMMANDS
    assert site.run("--version").stdout.startswith("portcullis ")


def test_the_manual_has_every_option(site):
    page = (ROOT / "man/portcullis.1").read_text().replace("\\-", "-")
    synopsis = page.partition(".SH SYNOPSIS")[2].partition(".SH")[0].split(".PP")
    for command in COMMANDS:
        forms = " ".join(form for form in synopsis if re.search(rf"^\.B {command}\b", form, re.M))
        for option in re.findall(r"--[a-z-]+", site.run(command, "--help").stdout):
            if option != "--help":
                assert option in forms, f"{command} {option}"


def test_help_command(site):
    site.config.write_text("nonsense")
    assert site.run("help").stdout == site.run("--help").stdout
    for command in COMMANDS:
        asked = site.run("help", command)
        assert (asked.returncode, asked.stderr) == (0, "")
        assert asked.stdout == site.run(command, "--help").stdout
    wrong = site.run("help", "exempt", "forget")
    assert (wrong.returncode, wrong.stdout) == (64, "")


@pytest.mark.parametrize("typed, meant", [
    (["ofenders"], "offenders"),
    (["exmept"], "exempt"),
    (["check_config"], "check-config"),
    (["check"], "check-config"),
    (["Status"], "status"),
    (["help", "notfy"], "notify"),
    (["offenders", "--sinze", "7d"], "--since"),
    (["offenders", "--sinze=7d"], "--since"),
    (["notify", "--dryrun"], "--dry-run"),
    (["status", "--hlep"], "--help"),
    (["--versoin"], "--version"),
    # Nothing is like these, or too much.
    (["frobnicate"], None),
    (["x"], None),
    (["x" * 10000], None),
    (["offenders", "--frobnicate"], None),
    (["offenders", "--s", "7d"], None),
    (["offenders", "-x"], None),
])
def test_did_you_mean(site, typed, meant):
    result = site.run(*typed)
    assert (result.returncode, result.stdout) == (64, "")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("portcullis")
    assert lines[-1].startswith("Try 'portcullis ")
    assert lines[1:-1] == ([] if meant is None else [f"Did you mean {meant}?"])


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(site, command, option):
    """Whatever the configuration is, and whatever stands behind it."""
    site.config.write_text("nonsense")
    result = site.run(command, option, "--nonsense")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Usage: portcullis [-c FILE] {command} ")
    assert "  -h, --help  " in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("option", ["--nonsense", "-Z", "--help=yes"])
@pytest.mark.parametrize("command", COMMANDS)
def test_wrong_option_of_a_command(site, command, option):
    result = site.run(command, option)
    assert (result.returncode, result.stdout) == (64, "")
    # As all its messages, in a log of timers for instance.
    assert result.stderr.startswith(f"portcullis {command}: ")


@pytest.mark.parametrize("arguments", [
    [],
    ["nonsense"],
    ["--nonsense"],
    ["check-config", "now"],
    ["status", "now"],
    ["announce", "--html", "--text"],
    ["announce", "page"],
    ["notices", "alice"],
    ["notify", "alice"],
    ["user"],
    ["user", "alice", "bob"],
    ["forget"],
    ["forget", "alice", "bob"],
    ["offenders", "--csv", "--json"],
    ["import", "--quiet=yes"],
    ["forecast", "--rule"],
    ["explain"],
    ["explain", "--service", "imap"],
])
def test_usage_errors(site, arguments):
    result = site.run(*arguments)
    assert result.returncode == 64
    assert result.stdout == ""
    assert result.stderr != ""


@pytest.mark.parametrize("wrong", [
    {"service": "nntp"},
    {"port": 0},
    {"port": 65536},
    {"port": "imap"},
    {"tls": "yes"},
    {"client": "mail.example.org"},
    {"client": "192.0.2.0/24"},
    {"at": "2024-02-30 12:00"},
    {"at": "always"},
    {"user": "x" * 2000},
])
def test_wrong_options_of_explain(site, wrong):
    result = site.explain(**wrong)
    assert result.returncode == 64
    assert result.stdout == ""
    assert result.stderr.startswith("portcullis explain: --")


def test_no_login_on_smtp(site):
    result = site.explain("--user", "carol", service="smtp")
    assert result.returncode == 64
    assert "takes no --mechanism and no --user" in result.stderr


def test_check_config(site):
    result = site.run("check-config")
    assert result.returncode == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["RULE", "KIND", "PHASE", "NEXT"]
    assert lines[1].split() == ["encryption", "encryption", "enforce", "-"]
    assert lines[5].split()[:2] == ["pop3", "protocol"]
    assert f"3 exemptions in {site.exemptions}" in lines
    assert f"Countries from {site.country_database}, built 2024-06-10 08:13" in lines


def test_check_config_prints_titles_and_reads_nothing_else(site):
    rules = "".join(f'rule {title} {{ kind = "encryption" observe = "always" }}\n'
                    for title in ("b", "a", "c-3_x"))
    site.config.write_text('exemptions = "/none"\ncountry-database = "/none"\n'
                           f'store = "postgresql://192.0.2.99/x"\n{rules}')
    result = site.run("check-config", "--titles")
    assert (result.returncode, result.stdout, result.stderr) == (0, "b\na\nc-3_x\n", "")
    site.config.write_text("rule {")
    result = site.run("check-config", "--titles")
    assert (result.returncode, result.stdout) == (78, "") and f"{site.config}:1: " in result.stderr


def test_check_config_says_what_changes_next(site):
    site.config.write_text('rule encryption { observe = "always" notify = "2098-01-01" '
                           'enforce = "2099-01-01 06:00" }')
    assert "observe  notify from 2098-01-01 00:00" in site.run("check-config").stdout
    answer = json.loads(site.run("check-config", "--json").stdout)
    assert answer["rules"] == [{
        "rule": "encryption",
        "kind": "encryption",
        "services": ["imap", "pop3", "sieve", "submission"],
        "phase": "observe",
        "next_phase": "notify",
        "next_change": "2098-01-01T00:00:00+01:00",
        "grace": None,
    }]
    assert answer["problems"] == 0
    assert answer["exemptions"] == 0
    assert answer["country_database_built"] is None
    then = site.run("check-config", "--at", "2098-01-01").stdout
    assert "notify   enforce from 2099-01-01 06:00" in then


def test_wrong_config(site):
    site.config.write_text('# comment\nfoo = 1\nrule encryption { enforce = "2024-02-30" }\n')
    for command in [["check-config"], ["check-config", "--json"]]:
        result = site.run(*command)
        assert result.returncode == 78
        assert result.stdout == ""
        assert result.stderr.splitlines() == [
            f"{site.config}:2: unknown key 'foo' at the top of the file",
            f"{site.config}:3: enforce: '2024-02-30': there is no such day",
        ]
    assert site.explain().returncode == 78


def test_missing_config(site):
    site.config.unlink()
    result = site.run("check-config")
    assert result.returncode == 78
    assert result.stderr == f"{site.config}: No such file or directory\n"


def test_wrong_exemptions(site):
    """The servers leave the lines out; who asks is told."""
    site.exemptions.write_text(EXEMPTIONS + "carol nonsense 2025-01-01\ndave\n")
    result = site.run("check-config")
    assert result.returncode == 1
    assert "3 exemptions in" in result.stdout
    assert result.stderr.splitlines() == [
        f"{site.exemptions}:5: no rule is called 'nonsense'",
        f"{site.exemptions}:6: a line consists of a user, rules, and the last day or FIRST..LAST",
    ]
    assert json.loads(site.run("check-config", "--json").stdout)["problems"] == 2


def test_missing_exemptions(site):
    site.exemptions.unlink()
    result = site.run("check-config")
    assert result.returncode == 1
    assert result.stderr == f"{site.exemptions}: No such file or directory\n"


def test_broken_country_database(site):
    whole = site.country_database.read_bytes()
    for content in [b"", b"country", whole[: len(whole) // 2], whole[-1000:], bytes(len(whole))]:
        site.country_database.write_bytes(content)
        result = site.run("check-config")
        assert result.returncode == 1
        assert result.stderr.startswith(f"{site.country_database}: ")
        assert "Countries from" not in result.stdout


def test_warning_is_no_error(site):
    site.config.write_text('rule encryption { notify = "2024-06-01" enforce = "2024-09-01"\n'
                           'brownouts = { "2024-10-01 10:00 +4h" } }')
    result = site.run("check-config")
    assert result.returncode == 0
    assert result.stderr.startswith(f"{site.config}:2: brownouts: ")
    assert result.stderr.endswith(" (warning)\n")


@pytest.mark.parametrize("arguments", [["--help"], ["check-config"], ["check-config", "--help"]])
def test_output_that_cannot_be_written(site, arguments):
    with open("/dev/full", "w", encoding="ascii") as full:
        command = [BUILD / "portcullis", "-c", site.config, *arguments]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=180)
    assert result.returncode == 74
    assert "cannot write the output" in result.stderr


def test_allowed(site):
    answer = site.explain_json()
    assert answer["action"] == "allow"
    assert answer["country"] == "DE"
    assert [rule["rule"] for rule in answer["rules"] if rule["broken"]] == []


def test_phases_of_encryption(site):
    for at, phase, action in [
        ("2024-04-30 23:59", "off", "allow"),
        ("2024-05-01", "observe", "allow"),
        ("2024-05-31 23:59", "observe", "allow"),
        ("2024-06-01 00:00", "notify", "allow"),
        ("2024-08-20 09:59", "notify", "allow"),
        ("2024-08-20 10:00", "enforce", "reject"),
        ("2024-08-20 13:59", "enforce", "reject"),
        ("2024-08-20 14:00", "notify", "allow"),
        ("2024-09-19 23:59", "notify", "allow"),
        ("2024-09-20 00:00", "enforce", "reject"),
    ]:
        answer = site.explain_json(port=143, tls="none", at=at)
        assert (at, answer["action"]) == (at, action)
        expected = (phase, phase != "off", "there is no TLS" if phase != "off" else
                    "the rule is off until 2024-05-01 00:00+02:00")
        assert why(answer, "encryption") == expected


def test_rejected_after_the_password(site):
    answer = site.explain_json(port=143, tls="none", at="2024-10-01 12:00")
    assert answer["when"] == "after-password"
    assert answer["message"].endswith(" See https://www.example.org/mail")


def test_rejected_before_the_password(site):
    """The country's rule is stronger, though encryption's stands first."""
    answer = site.explain_json(port=143, tls="none", client=AMERICAN, at="2024-10-01 12:00")
    assert answer["when"] == "before-password"
    assert answer["country"] == "US"
    assert answer["message"].startswith("Mail access from this country")
    assert why(answer, "abroad") == (
        "enforce", True,
        f"{AMERICAN} is in US (18.0.0.0/10; database of 2024-06-10), and not in DE, AT, CH or FR",
    )


def test_tls_version(site):
    result = site.explain("--json", "--tls-version", "TLSv1.1", tls="starttls", port=143)
    assert why(json.loads(result.stdout), "encryption") == (
        "notify", True, "TLSv1.1 is older than TLSv1.2")
    result = site.explain("--json", "--tls-version", "TLSv1.3", tls="starttls", port=143)
    assert why(json.loads(result.stdout), "encryption") == (
        "notify", False, "there is TLS (starttls)")
    assert site.explain("--tls-version", "TLSv2").returncode == 64


def test_ports(site):
    late = "2025-04-01 12:00"
    assert why(site.explain_json(port=143, tls="starttls", at=late), "tls-ports") == (
        "enforce", True, "port 143 is not one of the implicit-tls-ports")
    assert why(site.explain_json(at=late), "tls-ports") == (
        "enforce", False, "port 993 is one of the implicit-tls-ports")


def test_mechanisms(site):
    assert why(site.explain_json(mechanism="cram-md5"), "mechanism") == (
        "notify", True, "CRAM-MD5 is not PLAIN or LOGIN")
    assert why(site.explain_json(mechanism="login"), "mechanism") == (
        "notify", False, "LOGIN is allowed")


def test_exemption_of_a_rule(site):
    """Exemption, then network, then the rule itself."""
    attempt = {"user": "Alice", "port": 143, "tls": "none"}
    answer = site.explain_json(at="2024-10-31 23:59", **attempt)
    assert answer["action"] == "allow"
    assert why(answer, "encryption") == (
        "enforce", False,
        f"line 2 of {site.exemptions} lets alice@example.org off until 2024-10-31")
    assert site.explain_json(at="2024-11-01 00:00", **attempt)["action"] == "reject"
    text = site.explain(at="2024-11-01 00:00", **attempt).stdout
    assert "exemption  that of alice@example.org in line 2 ended after 2024-10-31" in text


def test_exemption_that_adds_countries(site):
    attempt = {"user": "bob@example.org", "client": AMERICAN}
    answer = site.explain_json(at="2024-10-01 00:00", **attempt)
    assert why(answer, "abroad") == (
        "enforce", False,
        f"{AMERICAN} is in US (18.0.0.0/10), which line 3 of {site.exemptions} adds for "
        "bob@example.org")
    assert site.explain_json(at="2024-09-30 23:59", **attempt)["action"] == "reject"
    assert site.explain_json(at="2025-04-01 00:00", **attempt)["action"] == "reject"
    # The home countries stay.
    assert site.explain_json(user="bob", at="2024-10-01 00:00")["action"] == "allow"
    # Those that somebody names besides were never closed to him.
    site.exemptions.write_text("bob@example.org abroad=US,DE 2024-10-01..2025-03-31\n")
    answer = site.explain_json(user="bob", at="2024-10-01 00:00")
    assert why(answer, "abroad")[2].endswith("which is allowed")


def test_order_of_the_steps(site):
    text = site.explain(port=143, tls="none", at="2024-10-01 12:00").stdout
    steps = [line.split()[0] for line in text.partition("rule encryption")[2].splitlines()[1:4]]
    assert steps == ["exemption", "network", "rule"]
    text = site.explain(port=143, tls="none", client="198.51.100.25", at="2024-10-01 12:00").stdout
    steps = text.partition("rule encryption")[2].partition("\n\n")[0].splitlines()[1:]
    assert [step.split()[0] for step in steps] == ["exemption", "network"]
    assert "198.51.100.25 is in one of except-networks" in steps[1]


def test_text_names_prefix_and_date_of_the_database(site):
    text = site.explain(client=mmdb.CLIENTS["FR"][1]).stdout
    assert "country  FR for 2001:660::/32, by the database built 2024-06-10 08:13" in text
    assert text.endswith("\nAllowed.\n")


def test_mapped_address(site):
    answer = site.explain_json(client=f"::ffff:{AMERICAN}")
    assert answer["country"] == "US"
    assert f"{AMERICAN} is in US (18.0.0.0/10;" in why(answer, "abroad")[2]


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", "10.1.2.3", "fe80::1", "fd00::1"])
def test_local_addresses_have_no_country(site, client):
    answer = site.explain_json(client=client)
    assert answer["action"] == "allow"
    assert answer["country"] is None
    assert why(answer, "abroad") == (
        "enforce", False, f"{client} is a local address and has no country")


def test_unknown_country(site):
    answer = site.explain_json(client="203.0.113.5")
    assert answer["action"] == "reject"
    assert answer["country"] is None
    assert why(answer, "abroad") == (
        "enforce", True,
        "the country database of 2024-06-10 does not know 203.0.113.5, and such addresses are "
        "refused")


def test_without_a_country_database_nobody_is_abroad(site):
    site.country_database.unlink()
    result = site.explain("--json", client=AMERICAN)
    assert result.returncode == 0
    assert result.stderr == f"{site.country_database}: No such file or directory\n"
    assert why(json.loads(result.stdout), "abroad") == (
        "enforce", False, "there is no country database to ask")


def test_protocol(site):
    answer = site.explain_json(service="pop3", port=995, at="2026-01-01 00:00")
    assert answer["message"] == "POP3 has ended"
    assert answer["when"] == "before-password"
    assert why(answer, "pop3") == ("enforce", True, "the service is one of pop3")
    assert why(site.explain_json(), "pop3")[2] == "the service is not pop3"


def test_submission_port(site):
    late = "2024-10-01 12:00"
    answer = site.explain_json(service="submission", port=25, tls="starttls", at=late)
    assert answer["when"] == "after-password"
    assert why(answer, "smtp-port-25") == (
        "enforce", True, "mail is submitted on port 25, not on 587 or 465")
    answer = site.explain_json(service="submission", port=587, tls="starttls", at=late)
    assert why(answer, "smtp-port-25") == ("enforce", False, "port 587 is allowed")
    answer = site.explain_json(service="smtp", port=25, tls="none", client="192.0.2.7", at=late)
    assert why(answer, "smtp-port-25")[1]
    answer = site.explain_json(service="smtp", port=25, tls="none", at=late)
    assert why(answer, "smtp-port-25")[2].startswith("nobody is logged in, and the client is in")


def test_submission_without_the_daemon(site):
    """Dovecot cannot let Postfix's logins be refused after the password."""
    attempt = {"service": "submission", "port": 25, "tls": "none", "at": "2024-10-01 12:00"}
    assert site.explain_json(**attempt)["when"] == "after-password"
    site.config.write_text('smtp-enforcement = "auth"\n' + site.config.read_text())
    assert site.explain_json(**attempt)["when"] == "before-password"
    # None is stronger than another then: the first one's message is told.
    site.config.write_text(
        'smtp-enforcement = "auth"\n'
        'rule encryption { enforce = "always" message = "first" }\n'
        'rule protocol { services = { "submission" } enforce = "always" message = "second" }\n'
    )
    assert site.explain_json(**attempt)["message"] == "first"


def test_relay(site):
    attempt = {"service": "smtp", "port": 25, "tls": "none", "at": "2024-10-01 12:00"}
    answer = site.explain_json(**attempt)
    assert answer["when"] == "before-password"
    assert why(answer, "inbound-relays") == (
        "enforce", True, f"{GERMAN} is in none of the allow-networks")
    assert site.explain_json(client="198.51.100.25", **attempt)["action"] == "allow"


def test_cases_of_the_examples_are_valid(site):
    examples = sorted((EXAMPLES / "portcullis").glob("*.conf"))
    assert examples
    for example in examples:
        site.config.write_text(example.read_text())
        result = site.run("check-config")
        # The files that they name need not be on this machine.
        assert result.returncode in (0, 1)
        assert f"{site.config}:" not in result.stderr
