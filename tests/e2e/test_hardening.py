"""How the programs and modules are linked: addresses of other libraries' functions are
found at the start, and cannot be changed afterwards."""

import subprocess

import pytest

from mailhost import BUILD

FILES = ["portcullis", "portcullis-policyd", "libauthdb_portcullis.so"]
# Not with every version of Dovecot and libpq.
FILES += [name for name in ("libportcullis_settings.so", "store-postgresql.so")
          if (BUILD / name).exists()]  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_relocations_are_read_only(name):
    text = subprocess.run(
        ["readelf", "--wide", "--dynamic", "--segments", BUILD / name],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "GNU_RELRO" in text
    assert "FLAGS_1" in text and " NOW" in text.partition("FLAGS_1")[2].partition("\n")[0]
    assert "TEXTREL" not in text
    assert "DYN " in text.partition("Elf file type is")[2].partition("\n")[0]
