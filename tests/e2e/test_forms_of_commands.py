"""Commands that do different things: an option that belongs to another of these is refused,
since whoever typed it expects it to count."""

import itertools

import pytest

from recorded_site import EX_USAGE, RecordedSite, day

RULES = f"""
rule encryption {{ notify = "{day(-30)}" enforce = "{day(30)}" }}
rule abroad     {{ kind = "country" allow = {{ "DE" }} enforce = "{day(30)}" }}
notices {{ from = "mail@example.org" languages = {{ "en" }} }}
"""

# For each command: how its forms begin, and each option with those that it belongs to.
COMMANDS = {
    "exempt": (
        {
            "": ["alice", "abroad", "--until", day(9)],
            "--current-offenders": ["--current-offenders", "abroad", "--until", day(9)],
            "--remove": ["--remove", "alice"],
            "--list": ["--list"],
        },
        {
            "--until": ([day(8)], {"", "--current-offenders"}),
            "--from": ([day(1)], {"", "--current-offenders"}),
            "--country": (["US"], {"", "--current-offenders"}),
            "--reason": (["Ticket"], {"", "--current-offenders", "--remove"}),
            "--since": (["7d"], {"--current-offenders"}),
            "--dry-run": ([], {"", "--current-offenders", "--remove"}),
            "--at": (["today"], {"--list"}),
            "--json": ([], {"--list"}),
        },
    ),
    "notify": (
        {
            "": [],
            "--send": ["--send"],
            "--dry-run": ["--dry-run"],
            "--preview": ["--preview", "alice"],
            "--to": ["--to", "test@example.org"],
            "--untold": ["--untold"],
            "--call-list": ["--call-list"],
        },
        {
            "--at": (["today"], {"", "--send", "--dry-run", "--preview", "--to", "--untold",
                                 "--call-list"}),
            "--quiet": ([], {"", "--send", "--to"}),
            "--json": ([], {"--dry-run", "--untold", "--call-list"}),
            "--csv": ([], {"--untold", "--call-list"}),
            "--raw": ([], {"--preview"}),
            "--all": ([], {"--to"}),
        },
    ),
    "notices": (
        {"": [], "--bounce": ["--bounce"]},
        {"--user": (["alice"], {""}), "--failed": ([], {""}), "--json": ([], {""})},
    ),
    "survey": (
        {
            "": ["/dev/null"],
            "--offenders": ["--offenders", "/dev/null"],
            "--forecast": ["--forecast", "/dev/null"],
            "--unknown": ["--unknown", "/dev/null"],
        },
        {
            "--csv": ([], {"", "--offenders"}),
            "--json": ([], {"", "--offenders", "--forecast"}),
        },
    ),
    "check-config": (
        {"": [], "--titles": ["--titles"]},
        {"--at": (["today"], {""}), "--json": ([], {""})},
    ),
    "import": (
        {"": [], "--follow": ["--follow"]},
        {"--at": (["today"], {""}), "--force": ([], {""})},
    ),
}  # fmt: skip

PAIRS = [
    (command, form, option)
    for command, (forms, options) in COMMANDS.items()
    for form in forms
    for option in options
]

SELECTIONS = [
    (command, *pair)
    for command, forms in [("exempt", ["--current-offenders", "--remove", "--list"]),
                           ("notify", ["--send", "--dry-run", "--preview", "--to", "--untold",
                                      "--call-list"])]
    for pair in itertools.combinations(forms, 2)
] + [("announce", "--html", "--text"), ("offenders", "--csv", "--json"),
     ("survey", "--csv", "--json"), ("survey", "--offenders", "--forecast")]  # fmt: skip


@pytest.fixture
def site(tmp_path):
    return RecordedSite(tmp_path, RULES)


def refusal(site, *arguments):
    """The first line of it; everything stays as it was."""
    before = site.exemptions.read_bytes()
    result = site.run(*arguments, stdin=-3)
    assert result.returncode == EX_USAGE, result
    assert not result.stdout
    assert site.exemptions.read_bytes() == before and not site.store.exists()
    return result.stderr.splitlines()[0]


@pytest.mark.parametrize("command, form, option",
                         [pair for pair in PAIRS if pair[1] not in COMMANDS[pair[0]][1][pair[2]][1]])
def test_what_belongs_to_another_form_is_refused(site, command, form, option):
    forms, options = COMMANDS[command]
    values, belongs = options[option]
    site.exemptions.write_text(f"alice abroad {day(5)}\n")
    problem = refusal(site, command, *forms[form], option, *values)
    if "" in belongs:
        assert problem == f"portcullis {command}: {option} does not work with {form}"
    else:
        assert problem == f"portcullis {command}: {option} works only with " + " or ".join(
            other for other in forms if other in belongs)
    # Wherever it stands.
    assert refusal(site, command, option, *values, *forms[form]) == problem


@pytest.mark.parametrize("command, form, option",
                         [pair for pair in PAIRS if pair[1] in COMMANDS[pair[0]][1][pair[2]][1]
                          and "import" not in pair])
def test_what_belongs_is_taken(site, command, form, option):
    forms, options = COMMANDS[command]
    arguments = [command, *forms[form], option, *options[option][0]]
    if form == "--remove" and option == "--reason":
        arguments.remove("alice")
    assert site.run(*arguments, stdin=-3).returncode != EX_USAGE


@pytest.mark.parametrize("command, one, other", SELECTIONS)
def test_one_form_at_a_time(site, command, one, other):
    forms = COMMANDS.get(command, ({},))[0]
    both = [*forms.get(one, [one]), *forms.get(other, [other])]
    problem = refusal(site, command, *both)
    assert problem == f"portcullis {command}: {one} and {other} cannot be used together"


def test_an_exemption_is_not_removed_whole_by_mistake(site):
    site.exemptions.write_text(f"alice abroad=FR,US {day(5)}\n")
    refusal(site, "exempt", "--remove", "alice", "--country", "FR", "--json")


@pytest.mark.parametrize("arguments, problem", [
    (["forget"], "name one user"),
    (["forget", "a", "b"], "name one user"),
    (["user", "a", "b"], "one USER at a time"),
    (["offenders", "alice"], "unexpected argument 'alice'"),
    (["explain", "--service", "imap", "--port", "143", "--tls", "none", "--tls-version", "TLSv1",
      "--client", "192.0.2.1", "--mechanism", "PLAIN", "--user", "a"],
     "--tls-version does not work with --tls none"),
])
def test_other_commands(site, arguments, problem):
    assert refusal(site, *arguments) == f"portcullis {arguments[0]}: {problem}"
