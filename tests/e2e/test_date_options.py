"""Commands take a date as --at; of one that is none they say why."""

import os
import subprocess

import pytest

from mailhost import BUILD


@pytest.mark.parametrize("command", ["announce", "check-config", "explain", "offenders", "forecast",
                                     "status", "user", "exempt", "notify", "import"])
@pytest.mark.parametrize("date, why", [
    ("tomorrow", "a date is YYYY-MM-DD or YYYY-MM-DD HH:MM"),
    ("always", "a date is YYYY-MM-DD or YYYY-MM-DD HH:MM"),
    ("2026-02-29", "there is no such day"),
    ("2026-03-01 24:00", "the time must be from 00:00 to 23:59"),
    ("2026-03-29 02:30", "this time does not exist: daylight saving skips it"),
])
def test_what_is_wrong_with_a_date(tmp_path, command, date, why):
    config = tmp_path / "portcullis.conf"
    config.write_text('rule encryption { observe = "always" }\n')
    result = subprocess.run(
        [BUILD / "portcullis", "-c", config, command, "--at", date],
        env=os.environ | {"TZ": "Europe/Berlin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 64
    assert result.stderr.startswith(f"portcullis {command}: --at: {why}\n"), result.stderr
