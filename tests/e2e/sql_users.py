"""Users in an SQL database, beside those of dovecot.USERS. Dovecot asks SQLite
in its auth workers, because the library blocks, and keeps what it answers in the
auth cache; a passwd-file does neither. A wrong password is answered at once
("nodelay"), to save the tests some time; but Dovecot before 2.3.14 crashes when
credentials were asked for."""

import shutil
import sqlite3

from dovecot import ETC, MAIL_UID, PASSWORD, release

# Every password is dovecot.PASSWORD.
USERS = ("heidi@example.org", "ivan@example.org", "judy@example.org")

_QUERY = "SELECT username AS user, password{nodelay} FROM users WHERE username ="

_SETTINGS = {
    (2, 3): """
passdb {{
  driver = sql
  args = {connection}
}}
userdb {{
  driver = static
  args = uid={uid} gid={uid} home=/var/vmail/%u allow_all_users=yes
}}
""",
    (2, 4): """
sql_driver = sqlite
sqlite_path = {database}
passdb sql {{
  query = {query} '%{{user}}'
}}
userdb static {{
  allow_all_users = yes
  fields {{
    uid = {uid}
    gid = {uid}
    home = /var/vmail/%{{user}}
  }}
}}
""",
}


def install(version):
    """Writes the database; returns the settings that make Dovecot use it."""
    rows = [(user, "{PLAIN}" + PASSWORD) for user in USERS]
    table = "users (username TEXT PRIMARY KEY, password TEXT)"
    nodelay = ", 'yes' AS nodelay" if release() >= (2, 3, 14) else ""
    return install_table(version, "users", table, rows, _QUERY.format(nodelay=nodelay))


def install_table(version, name, table, rows, query):
    """Writes a database of this name with one table; returns the settings that make Dovecot
    look users up in it. query: all but the user's name at its end."""
    database = ETC / f"{name}.sqlite"
    database.unlink(missing_ok=True)
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(f"CREATE TABLE {table}")
        values = ", ".join("?" for _ in rows[0])
        connection.executemany(f"INSERT INTO {table.split()[0]} VALUES ({values})", rows)
    connection.close()
    shutil.chown(database, "root", "dovecot")
    database.chmod(0o640)
    settings = ETC / f"{name}-sql.conf.ext"
    settings.write_text(f"driver = sqlite\nconnect = {database}\npassword_query = {query} '%u'\n")
    return _SETTINGS[version].format(
        connection=settings, database=database, query=query, uid=MAIL_UID
    )
