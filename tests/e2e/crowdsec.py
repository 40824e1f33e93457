"""CrowdSec as its package brings it, with its own parsers and scenarios for mail servers and
what conf-examples adds. It knows no server of its makers'."""

import re
import shutil
import subprocess

from pathlib import Path

from mailhost import EXAMPLES

HUB = Path("/usr/share/crowdsec/hub")
SYSLOG = [
    "parsers/s00-raw/crowdsecurity/syslog-logs.yaml",
    "parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml",
]
# Its collections for Dovecot and Postfix.
MAIL = [
    "parsers/s01-parse/crowdsecurity/dovecot-logs.yaml",
    "parsers/s01-parse/crowdsecurity/postfix-logs.yaml",
    "scenarios/crowdsecurity/dovecot-spam.yaml",
    "scenarios/crowdsecurity/postfix-spam.yaml",
]
CONFIG = """
common: {{daemonize: false, log_media: stdout, log_level: info, log_dir: {0}, working_dir: {0}}}
config_paths:
  config_dir: {0}
  data_dir: {0}/data
  simulation_path: /etc/crowdsec/simulation.yaml
  hub_dir: /usr/share/crowdsec/hub
  index_path: /usr/share/crowdsec/hub/.index.json
  notification_dir: {0}/none
  plugin_dir: {0}/none
crowdsec_service: {{acquisition_path: {0}/acquis.yaml, parser_routines: 1}}
db_config: {{log_level: info, type: sqlite, db_path: {0}/data/crowdsec.db, use_wal: true}}
api:
  client: {{credentials_path: {0}/credentials.yaml}}
  server: {{listen_uri: 127.0.0.1:8080, profiles_path: /etc/crowdsec/profiles.yaml,
           console_path: {0}/console.yaml}}
prometheus: {{enabled: false}}
"""


def bans(lines, directory, mail=True):
    """(scenario, address) of each decision about these lines of a mail.log. directory: of its
    own. mail: with the collections for mail servers."""
    for folder in ("data", "none", "scenarios", "parsers/s01-parse"):
        (directory / folder).mkdir(parents=True)
    for item in SYSLOG + (MAIL if mail else []):
        place = directory / item.replace("/crowdsecurity", "")
        place.parent.mkdir(exist_ok=True)
        shutil.copy(HUB / item, place)
    shutil.copy(EXAMPLES / "crowdsec/portcullis-logs.yaml", directory / "parsers/s01-parse")
    shutil.copy(EXAMPLES / "crowdsec/portcullis-names.yaml", directory / "scenarios")
    shutil.copytree("/etc/crowdsec/patterns", directory / "patterns")
    (directory / "config.yaml").write_text(CONFIG.format(directory))
    (directory / "acquis.yaml").write_text("filename: /none\nlabels: {type: syslog}\n")
    (directory / "credentials.yaml").touch()
    (directory / "mail.log").write_text("".join(f"{line}\n" for line in lines))

    def run(program, *arguments):
        done = subprocess.run(
            [program, "-c", directory / "config.yaml", *arguments], capture_output=True, text=True
        )
        assert done.returncode == 0, done
        return done.stdout + done.stderr

    run("cscli", "machines", "add", "test", "--password", "x", "--force", "-f",
        directory / "credentials.yaml")  # fmt: skip
    said = run("crowdsec", "-dsn", f"file://{directory}/mail.log", "-type", "syslog")
    assert "Acquisition is finished" in said, said
    return set(re.findall(r"\(test/crowdsec\) (\S+) by ip (\S+) : \S+ ban on", said))
