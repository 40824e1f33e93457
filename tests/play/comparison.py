"""What real servers did, beside what the play thought that they would do."""

import json

from journal import moment_of

MAY_DIFFER = ("time", "host", "session", "edition")
EARLIER = 0.01  # seconds that a clock may seem to go back where it is set


def differences(logins, outcomes, events, lines):
    """logins: in the order of time. outcomes: of each, what the client was told. events:
    all that the servers have recorded. lines: of each login, what the play writes of it, or
    None. Returns a text for each login that went otherwise."""
    found = []
    recorded = by_login(logins, events)
    lines = list(lines)
    assert len(outcomes) == len(lines) == len(logins)
    for login, outcome, events_of_it, line in zip(logins, outcomes, recorded, lines):
        reasons = []
        if outcome.accepted != login.is_let_in():
            reasons.append(f"the client was told: {outcome.text}")
        expected = [json.loads(line)] if line else []
        if list(map(without_chance, expected)) != list(map(without_chance, events_of_it)):
            reasons.append("the lines are different")
        if any(moment_of(event) - login.moment > outcome.seconds for event in events_of_it):
            reasons.append("the time is wrong")
        if reasons:
            found.append("\n".join([
                f"{login.attempt()}: {', '.join(reasons)}",
                *(f"  play    {json.dumps(event)}" for event in expected),
                *(f"  server  {json.dumps(event)}" for event in events_of_it),
            ]))  # fmt: skip
    return found


def by_login(logins, events):
    """What was recorded from the moment of each to that of the next."""
    recorded = [[] for _ in logins]
    for event in sorted(events, key=moment_of):
        moment = moment_of(event) + EARLIER
        number = sum(login.moment <= moment for login in logins)
        recorded[max(0, number - 1)].append(event)
    return recorded


def without_chance(event):
    """With its members in their order, which is part of the line."""
    return [(name, value) for name, value in event.items() if name not in MAY_DIFFER]
