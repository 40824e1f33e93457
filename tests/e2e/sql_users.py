"""Users in an SQL database, beside those of dovecot.USERS. Dovecot asks SQLite
in its auth workers, because the library blocks, and keeps what it answers in the
auth cache; a passwd-file does neither. A wrong password is answered at once
("nodelay"), to save the tests some time."""

import shutil
import sqlite3

from dovecot import ETC, MAIL_UID, PASSWORD

DATABASE = ETC / "users.sqlite"

# Every password is dovecot.PASSWORD.
USERS = ("heidi@example.org", "ivan@example.org", "judy@example.org")

_QUERY = "SELECT username AS user, password, 'yes' AS nodelay FROM users WHERE username ="

_SETTINGS = {
    (2, 3): f"""
passdb {{
  driver = sql
  args = {ETC}/users-sql.conf.ext
}}
userdb {{
  driver = static
  args = uid={MAIL_UID} gid={MAIL_UID} home=/var/vmail/%u allow_all_users=yes
}}
""",
    (2, 4): f"""
sql_driver = sqlite
sqlite_path = {DATABASE}
passdb sql {{
  query = {_QUERY} '%{{user}}'
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = {MAIL_UID}
    gid = {MAIL_UID}
    home = /var/vmail/%{{user}}
  }}
}}
""",
}


def install(version):
    """Writes the database; returns the settings that make Dovecot use it."""
    DATABASE.unlink(missing_ok=True)
    connection = sqlite3.connect(DATABASE)
    with connection:
        connection.execute("CREATE TABLE users (username TEXT PRIMARY KEY, password TEXT)")
        rows = [(user, "{PLAIN}" + PASSWORD) for user in USERS]
        connection.executemany("INSERT INTO users VALUES (?, ?)", rows)
    connection.close()
    shutil.chown(DATABASE, "root", "dovecot")
    DATABASE.chmod(0o640)
    (ETC / "users-sql.conf.ext").write_text(
        f"driver = sqlite\nconnect = {DATABASE}\npassword_query = {_QUERY} '%u'\n"
    )
    return _SETTINGS[version]
