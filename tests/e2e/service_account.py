"""An account that a service might have, and what belongs to it."""

import os

UID, GID = 65534, 65533


def give(directory):
    """Gives a test's directory and all in it to that account, which can also get there:
    pytest keeps other accounts out of its directories."""
    for parent in list(directory.parents)[:-2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    for path in (directory, *directory.rglob("*")):
        os.chown(path, UID, GID, follow_symlinks=False)
