"""A certificate for the servers, made when the tests start."""

import subprocess

from pathlib import Path

CERTIFICATE = "/etc/ssl/mail.pem"
KEY = "/etc/ssl/mail.key"


def make(host_name, certificate=CERTIFICATE, key=KEY):
    for path in (certificate, key):
        # What a machine has there may be a link to elsewhere.
        Path(path).unlink(missing_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        + ["-nodes", "-days", "30", "-subj", f"/CN={host_name}"]
        + ["-addext", f"subjectAltName=DNS:{host_name}", "-out", certificate, "-keyout", key],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
