"""The measurements as a table, and what is promised of them."""

import sys


def share(part, whole):
    return part / whole if whole else 0.0


class Table:
    def __init__(self):
        self.rows = []
        self.kept = True

    def say(self, what, figure):
        self.rows.append((what, figure, ""))

    def promise(self, what, figure, kept, wanted):
        self.rows.append((what, figure, wanted if kept else f"{wanted}: NOT KEPT"))
        self.kept &= kept

    def print(self):
        widths = [max(len(row[column]) for row in self.rows) for column in range(3)]
        for row in self.rows:
            print("| " + " | ".join(map(str.ljust, row, widths)) + " |")


def tell(play):
    """Returns whether all promises were kept."""
    measures, site = play.measures, play.site
    told = sorted(person.mails for person in play.university.people if person.mails)
    table = Table()
    table.say("people, days, lines of the journal",
              f"{len(play.people):,}, {play.days}, {measures.lines:,}")  # fmt: skip
    table.say("import, notify", f"{site.seconds['import']:.0f} s, {site.seconds['notify']:.0f} s")
    table.say("killed", f"{site.killed}")
    table.promise("lines that the store does not have", f"{measures.lines - site.lines()}",
                  measures.lines == site.lines(), "none")  # fmt: skip
    table.promise("notices whose mail did not come", f"{len(measures.lost)}", not measures.lost,
                  "none")  # fmt: skip
    table.promise("mails to people who were always fine", f"{measures.to_the_fine}",
                  not measures.to_the_fine, "none")  # fmt: skip
    users = {user for user, _ in measures.locked_out}
    table.say("locked out", f"{len(users)}")
    users = {user for user, _ in measures.untold}
    table.promise("of them on record for a week, and never told", f"{len(users)}", not users,
                  "none")  # fmt: skip
    table.say("people told, mails, with the same Message-ID again",
              f"{len(told)}, {measures.mails}, {measures.repeats}")  # fmt: skip
    table.say("reasons", ", ".join(f"{n} {reason}" for reason, n in measures.reasons.most_common()))
    nine_of_ten = told[len(told) * 9 // 10] if told else 0
    most = told[-1] if told else 0
    table.promise("mails for each, nine of ten, anyone",
                  f"{share(measures.mails, len(told)):.1f}, {nine_of_ten}, {most}",
                  nine_of_ten <= 5 and most <= 8, "at most 5, 8")  # fmt: skip
    fixed = measures.reasons["fixed"]
    table.promise("told that all is well, and it was not",
                  f"{len(measures.false_good_news)} of {fixed}",
                  not measures.false_good_news, "none")  # fmt: skip
    table.promise("locked out within a month of that",
                  f"{measures.locked_out_within_a_month_of_good_news()}",
                  not measures.locked_out_within_a_month_of_good_news(), "none")  # fmt: skip
    table.promise("mails that name one program for each version",
                  f"{measures.twice_named} of {measures.with_devices}",
                  not measures.twice_named, "none")  # fmt: skip
    table.say("mails in which no device has a name",
              f"{share(measures.unnamed, measures.with_devices):.0%}")  # fmt: skip
    for day, said, true in measures.forecasts:
        near = abs(said - true) <= max(0.05 * true, 3)
        table.promise(f"forecast of day {day}, and the truth", f"{said} : {true}", near, "5 %")
    table.print()
    if measures.untold:
        print_untold(measures)
    return table.kept


def print_untold(measures):
    for (user, title), (device, seen) in list(measures.untold.items())[:20]:
        moment = measures.locked_out[user, title]
        print(f"{user} was never told of {title}: seen {(moment - seen) / 86400:.0f} days before,"
              f" every {device.gap:.0f} days, {device.program} {device.way}", file=sys.stderr)  # fmt: skip
