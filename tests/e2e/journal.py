"""The journals of the two writers, as the importer would read them."""

import datetime
import json

from pathlib import Path

from processes import Timeout, wait_until

DIRECTORY = Path("/var/lib/portcullis/journal")


class Journal:
    """One writer's file. Lines that were read once are not read again."""

    def __init__(self, source, directory=DIRECTORY):
        self.path = Path(directory) / f"{source}.jsonl"
        self._offset = 0

    def skip(self):
        """Forgets what has been written so far."""
        self._offset = self.path.stat().st_size if self.path.exists() else 0

    def read(self):
        """The events since the last call. A line must be whole, and JSON."""
        if not self.path.exists():
            return []
        with open(self.path, "rb") as file:
            file.seek(self._offset)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line.decode("utf-8", "strict")) for line in whole.splitlines()]

    def wait(self, count=1):
        """Waits for so many events since the last call and returns them all."""
        events = []

        def enough():
            events.extend(self.read())
            return len(events) >= count

        try:
            wait_until(enough, f"{count} event(s) in {self.path.name}")
        except Timeout as error:
            raise Timeout(f"{error}, only {events}") from None
        return events

    def wait_for_user(self, user):
        """Waits for the first event of this user's, and returns all before it."""
        events = []

        def seen():
            events.extend(self.read())
            return any(event["user"] == user for event in events)

        wait_until(seen, f"event of {user} in {self.path.name}")
        last = next(i for i, event in enumerate(events) if event["user"] == user)
        assert last == len(events) - 1, events
        return events[:last]

    def wait_one(self):
        """Waits for an event that must be the only one."""
        events = self.wait(1)
        assert len(events) == 1, events
        return events[0]


def moment_of(event):
    """In seconds since 1970."""
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
