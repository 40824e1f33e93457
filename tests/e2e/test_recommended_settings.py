"""check-config: settings that mails would recommend although a rule refuses them."""

import subprocess

import pytest

from mailhost import BUILD
from notices import write_config

SERVERS = """
client-settings {
    imap-server = "imap.example.org"
    pop3-server = "pop3.example.org"
    smtp-server = "smtp.example.org"
    smtp-port   = 587
}
"""
NOTIFY = 'notify = "2024-06-01"'


def _check(tmp_path, rules, settings=SERVERS):
    config = write_config(tmp_path, rules=rules, settings=settings)
    done = subprocess.run(
        [BUILD / "portcullis", "-c", config, "check-config"], capture_output=True, text=True
    )
    # A warning is no problem of the file.
    assert done.returncode == 0
    return config, done.stderr


@pytest.mark.parametrize(
    "rule, line, recommended, kind",
    [
        ('kind = "implicit-tls"', "smtp-port", "SMTP on port 587 with STARTTLS", "implicit-tls"),
        ('kind = "protocol" services = { "pop3" }', "pop3-server", "POP3 on port 995 with SSL/TLS",
         "protocol"),
        ('kind = "submission-port" allow-ports = { 465 }', "smtp-port",
         "SMTP on port 587 with STARTTLS", "submission-port"),
        ('kind = "mechanism" services = { "imap" } allow = { "XOAUTH2" }', "imap-server",
         "IMAP on port 993 with SSL/TLS", "mechanism"),
    ],
)  # fmt: skip
def test_what_a_rule_refuses(tmp_path, rule, line, recommended, kind):
    config, said = _check(tmp_path, f"rule it {{ {rule} {NOTIFY} }}\n")
    [number] = [number for number, text in enumerate(config.read_text().splitlines(), 1)
                if text.split()[:1] == [line]]  # fmt: skip
    assert said == (
        f"{config}:{number}: client-settings recommend {recommended} and a normal password, "
        f"which the rule 'it' ({kind}) refuses (warning)\n"
    )


@pytest.mark.parametrize(
    "rule",
    [
        f'kind = "encryption" minimum = "TLSv1.2" {NOTIFY}',
        f'kind = "implicit-tls" services = {{ "imap", "pop3" }} {NOTIFY}',
        f'kind = "mechanism" allow = {{ "LOGIN" }} {NOTIFY}',
        f'kind = "submission-port" {NOTIFY}',
        f'kind = "country" allow = {{ "DE" }} {NOTIFY}',
        # Nobody is to change anything for it yet.
        'kind = "implicit-tls" observe = "2024-06-01"',
    ],
)
def test_what_no_rule_refuses(tmp_path, rule):
    assert _check(tmp_path, f"rule it {{ {rule} }}\n")[1] == ""


def test_a_default_is_recommended_too(tmp_path):
    """The port that is not set is one of the texts all the same."""
    rule = f'rule it {{ kind = "submission-port" allow-ports = {{ 587 }} {NOTIFY} }}\n'
    config, said = _check(tmp_path, rule, settings='client-settings { imap-server = "a.example" }\n')
    [number] = [number for number, text in enumerate(config.read_text().splitlines(), 1)
                if text.startswith("client-settings")]  # fmt: skip
    assert said.startswith(f"{config}:{number}: client-settings recommend SMTP on port 465 with SSL")
    assert "SMTP on port 465" in _check(tmp_path, rule, settings="")[1]
