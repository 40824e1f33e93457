"""The gate's setting, as doveconf sees it."""

import subprocess

import pytest

from mailhost import CONFIG


def _doveconf(*arguments):
    return subprocess.run(["doveconf", *arguments], capture_output=True, text=True)


def test_doveconf_shows_the_gate_first(host):
    host.dovecot.configure()
    done = _doveconf("-n")
    assert (done.returncode, done.stderr) == (0, "")
    gate = {
        (2, 3): f"passdb {{\n  args = {CONFIG}\n  driver = portcullis\n}}\n",
        (2, 4): f"passdb portcullis {{\n  config = {CONFIG}\n}}\n",
    }[host.dovecot.version]
    assert gate in done.stdout
    assert done.stdout.index(gate) == done.stdout.index("passdb ")


@pytest.mark.parametrize("wrong", ["confg", "portcullis_config_file", "args_file"])
def test_a_wrong_setting_is_an_error(host, wrong):
    name = {(2, 3): "passdb {\n  driver = portcullis", (2, 4): "passdb portcullis {"}
    host.dovecot.configure(f"\n{name[host.dovecot.version]}\n  {wrong} = {CONFIG}\n}}\n")
    try:
        done = _doveconf("-n")
    finally:
        host.dovecot.configure()
    assert done.returncode != 0
    assert wrong in done.stderr and "/etc/dovecot/local.conf line " in done.stderr, done.stderr


def test_a_file_of_the_operators_own(host):
    """2.4 takes it with the long name of the setting as well."""
    own = {
        (2, 3): "passdb {\n  driver = portcullis\n  args = /srv/own.conf\n}\n",
        (2, 4): "passdb own {\n  driver = portcullis\n  passdb_portcullis_config = "
        "/srv/own.conf\n}\n",
    }
    host.dovecot.configure("\n" + own[host.dovecot.version])
    try:
        done = _doveconf("-n")
    finally:
        host.dovecot.configure()
    assert (done.returncode, done.stderr) == (0, "")
    assert "/srv/own.conf" in done.stdout
