"""What bash completes: all that the tool's help names, asked of the tool as it is installed.

A new command, option or kind of argument that completes to nothing fails here."""

import re

import pytest

from recorded_site import RecordedSite, day
from shell import Bash

BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"
TITLES = ["encryption", "abroad", "pop-3_old"]
RULES = f"""
rule encryption {{ notify = "{day(-30)}" }}
rule abroad     {{ kind = "country" allow = {{ "DE" }} enforce = "{day(30)}" }}
rule pop-3_old  {{ kind = "protocol" services = {{ "pop3" }} observe = "always" }}
"""
FILES = ["a.txt", "b.conf"]

# What an argument of each name becomes, in the help of options and in usages.
ARGUMENTS = {
    "FILE": FILES,
    "FILE|DIRECTORY": FILES,
    "RULE": TITLES,
    "RULES": TITLES,
    "SERVICE": ["imap", "pop3", "sieve", "submission", "smtp"],
    "STATE": ["none", "starttls", "implicit"],
    "VERSION": ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
    "PHASE": ["off", "observe", "notify", "enforce"],
    "KEY": ["user", "rule", "count", "first", "last"],
    # Known to the store, or to nobody.
    **dict.fromkeys(["USER", "HOST", "ADDRESS", "NAME", "DATE", "PORT", "MECHANISM", "TEXT",
                     "CODE", "CC[,CC...]", "COUNTRIES", "PERCENT", "URI", "FROM", "TO"], []),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = RecordedSite(tmp_path_factory.mktemp("site"), RULES)
    for user in ("alice", "bob", "carol"):
        site.record(f"{user}@example.org", "encryption")
    assert site.run("import").returncode == 0
    return site


@pytest.fixture(scope="module")
def bash(_installed_host, site, tmp_path_factory):
    """In a directory of two files."""
    directory = tmp_path_factory.mktemp("directory")
    for name in FILES:
        (directory / name).write_text("")
    bash = Bash(BASH_COMPLETION, directory)
    yield bash
    bash.close()


@pytest.fixture
def complete(bash, site):
    """Function: what the last word of a command line becomes, with the site's configuration."""
    return lambda line: bash.completions(f"portcullis -c {site.config} {line}")


def commands(site):
    return sorted(re.findall(r"^  ([a-z-]+) ", site.run("--help").stdout, re.M))


def options(site, command=""):
    """(letter or "", name, argument or "") of each, by the help."""
    help = site.run(*command.split(), "--help").stdout
    return re.findall(r"^ +(?:(-\w), )?(--[a-z0-9-]+)(?: (\S+))?  ", help, re.M)


def test_commands(site, bash, complete):
    assert len(commands(site)) >= 15
    assert bash.completions("portcullis ") == commands(site)
    assert complete("") == commands(site)
    assert complete("off") == ["offenders"]
    assert complete("help ") == commands(site)
    assert complete("help no") == ["notices", "notify"]
    assert complete("frobnicate ") == []


def test_options(site, bash, complete):
    for command in ["", *commands(site)]:
        names = sorted(name for _, name, _ in options(site, command))
        assert "--help" in names
        assert sorted(complete(f"{command} --".lstrip())) == names, command
    assert sorted(bash.completions("portcullis -")) == ["--config", "--help", "--version"]


def test_values_of_options(site, complete):
    seen = {}
    for command in commands(site):
        for _, name, argument in options(site, command):
            if argument:
                seen[argument] = complete(f"{command} {name} ")
                assert seen[argument] == sorted(ARGUMENTS[argument]), (command, name)
    assert seen.keys() >= {"FILE", "RULE", "SERVICE", "STATE", "VERSION", "PHASE", "KEY"}


def test_ways_to_give_an_option(complete):
    for given in ("-r ", "--rule ", "--rule=", "--json --rule ", "--at now -r ", "--at=now -r "):
        assert complete(f"forecast {given}") == sorted(TITLES), given
    assert complete("forecast --rule=en") == ["encryption"]
    assert complete("forecast --rule=abroad --fa") == ["--fail-above"]
    # It takes no value.
    assert complete("import --log ") == complete("import --log -q ") == FILES
    assert complete("forecast --json ") == complete("forecast -j a") == []


def usages(site, command):
    """Of each form of a command, its words that are no options, nor values of such."""
    text = site.run(command, "--help").stdout.partition("\n\n")[0]
    taking = [name for _, name, argument in options(site, command) if argument]
    for usage in text.split(f"portcullis [-c FILE] {command}")[1:]:
        for name in taking:
            usage = re.sub(rf"{name} \S+", "", usage)
        words = re.sub(r"--[a-z-]+|\[OPTION\.\.\.\]|[][]|\.\.\.|\|journal\|-", " ", usage).split()
        yield [word for word in words if word not in ("|", "Usage:")]


def test_arguments(site, complete):
    """By the usages: an argument of a new kind is to be thought of."""
    actions = {}
    for command in commands(site):
        for arguments in usages(site, command):
            typed = f"{command} "
            for argument in arguments:
                offered = complete(typed)
                if argument.islower():
                    actions.setdefault(command, []).append(argument)
                    assert argument in offered
                    typed += f"{argument} "
                else:
                    expected = commands(site) if argument == "COMMAND" else ARGUMENTS[argument]
                    assert offered == sorted(expected), (command, argument)
                    typed += "x "
    assert list(actions) == ["store"] and complete("store ") == sorted(actions["store"])


def test_lists_of_rules(complete):
    assert complete("exempt alice enc") == ["encryption"]
    assert complete("exempt alice encryption,") == [f"encryption,{title}" for title in sorted(TITLES)]
    assert complete("exempt --until 7d -r why alice encryption,ab") == ["encryption,abroad"]
    assert complete("exempt --remove alice pop") == ["pop-3_old"]
    assert complete("exempt alice abroad ") == []


def test_whose_configuration(site, bash, tmp_path):
    other = tmp_path / "other.conf"
    site.write_rules('rule other { kind = "encryption" observe = "always" }', other)
    for given in (f"-c {other}", f"-c{other}", f"--config {other}", f"--config={other}"):
        assert bash.completions(f"portcullis {given} forecast --rule ") == ["other"], given
    assert bash.completions(f"portcullis -c {tmp_path}/ot") == [str(other)]
    # A broken one, or none: nothing, and no word of it on the terminal.
    other.write_text("rule {")
    for path in (other, tmp_path / "none"):
        assert bash.completions(f"portcullis -c {path} forecast --rule ") == []
        assert f"{path}:".encode() not in bash.shown, bash.shown


def test_tab(bash, site):
    """As it is pressed, by bash-completion, which finds the file where it is installed."""
    line = f"portcullis -c {site.config} "
    assert bash.type(f"{line}fore\t") == f"{line}forecast "
    assert bash.type(f"{line}forecast --ru\tabr\t") == f"{line}forecast --rule abroad "
    assert bash.type(f"{line}announce --history b\t") == f"{line}announce --history b.conf "
    assert bash.type(f"sudo {line}stat\t") == f"sudo {line}status "


def test_nobodys_name_is_shown(site, complete):
    everything = " ".join(
        word for command in commands(site) for word in complete(f"{command} ")
    ) + " ".join(complete("user al") + complete("forget ") + complete("store forget-host "))
    assert "mx1" not in everything and "@" not in everything and "alice" not in everything


def test_nothing_of_a_line_is_run(bash, site, tmp_path):
    made = tmp_path / "made"
    for line in (f"portcullis -c '$(touch${{IFS}}{made})' forecast --rule ",
                 f"portcullis -c {site.config} exempt '$(touch {made})' $(touch${{IFS}}{made})",
                 f"portcullis -c {site.config} forecast '--a[$(touch {made})]' --rule ",
                 f"portcullis '$(touch {made})' --"):  # fmt: skip
        bash.completions(line)
        assert not made.exists(), line
