"""The journals of the two writers, as the importer would read them."""

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

    def wait(self, count=1, timeout=5.0):
        """Waits for so many events since the last call and returns them all."""
        events = []

        def enough():
            events.extend(self.read())
            return len(events) >= count

        try:
            wait_until(enough, f"{count} event(s) in {self.path.name}", timeout)
        except Timeout as error:
            raise Timeout(f"{error}, only {events}") from None
        return events

    def wait_one(self, timeout=5.0):
        """Waits for an event that must be the only one."""
        events = self.wait(1, timeout)
        assert len(events) == 1, events
        return events[0]
