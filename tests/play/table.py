"""The measurements as a table, and what is promised of them."""

import collections
import json
import math
import sys

from dates import local_date
from forecasts import COURSE, EARLY, MANY, NOW, is_near
from measures import LET_OFF_NOTICE, NOTICE


FORECAST = "forecast"  # how the rows about them begin


def share(part, whole):
    return part / whole if whole else 0.0


class Table:
    def __init__(self):
        self.rows = []
        self.kept = True
        self.details = []  # lines about what was not kept
        self.forecasts = self.courses = []

    def say(self, what, figure):
        self.rows.append((what, str(figure), ""))

    def promise(self, what, figure, kept, wanted="0"):
        self.rows.append((what, str(figure), wanted if kept else f"{wanted}: NOT KEPT"))
        self.kept &= bool(kept)

    def none(self, what, number, of=""):
        self.promise(what, f"{number}{of}", number == 0)

    def add_intervals(self, forecasts):
        inside = sum(forecast.holds() for forecast in forecasts)
        self.promise(f"{FORECAST}: the truth was in the interval", f"{inside} of {len(forecasts)}",
                     inside >= math.floor(0.9 * len(forecasts) + 0.5), "9 of 10")  # fmt: skip

    def lines(self):
        rows = [("what", "measured", "promised"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return lines

    def print(self):
        print("\n".join(self.lines()), flush=True)
        for line in self.details:
            print(line, file=sys.stderr)

    def write_json(self, path):
        path.write_text(json.dumps({"kept": self.kept, "rows": self.rows,
                                    "forecasts": self.forecasts, "courses": self.courses},
                                   indent=1))  # fmt: skip


def of(play):
    table = Table()
    add_size(table, play)
    add_delivery(table, play)
    add_sample(table, play.sample)
    add_told(table, play.measures)
    add_good_news(table, play.measures)
    add_mails(table, play)
    add_forecasts(table, play)
    add_details(table, play.measures)
    return table


def add_size(table, play):
    costs = play.site.total
    table.say("people, days, lines of the journal",
              f"{len(play.people):,}, {play.days}, {play.measures.lines:,}")  # fmt: skip
    for command in ("import", "notify"):
        cost = costs[command]
        table.say(f"{command}: time, CPU, memory at most",
                  f"{cost.seconds:.0f} s, {cost.processor:.0f} s, {cost.memory / 1024:.0f} MiB")
    table.say("store", f"{play.site.size() / 2**20:.1f} MiB")
    killed = play.site.killed
    table.say("killed: import, notify", f"{killed['import']}, {killed['notify']}")


def add_delivery(table, play):
    measures = play.measures
    table.none("lines that the store lacks, or has twice", abs(measures.lines - play.site.lines()))
    table.none("notices whose mail did not come", len(measures.lost))
    table.none("mails without a notice in the store", measures.without_notice)
    kills = play.site.killed["notify"]
    table.promise("mails that came again, with the same Message-ID", measures.repeats,
                  measures.repeats <= kills, f"at most {kills}")  # fmt: skip
    table.none("logins judged otherwise than by explain", len(measures.disagreements),
               f" of {measures.explained}")  # fmt: skip


def add_sample(table, sample):
    if sample:
        table.none("logins that went otherwise on real servers", len(sample.differences),
                   f" of {len(sample.made):,}")  # fmt: skip
        table.details += sample.differences[:20]


def add_told(table, measures):
    table.say("locked out: people", len({user for user, _ in measures.locked_out}))
    users = {user for user, _ in measures.untold}
    table.none("of them on record for a week, and never told", len(users))
    for why, number in collections.Counter(why for why, _, _ in measures.untold.values()).items():
        table.say(f"... {why}", number)
    missing = measures.unreachable - measures.operators_list
    table.none("cannot be told, and not on the operator's list", len(missing),
               f" of {len(measures.unreachable)}")  # fmt: skip
    missing = measures.seen_too_late - measures.operators_list
    table.none("seen too late to be told, and not on the operator's list", len(missing),
               f" of {len(measures.seen_too_late)}")  # fmt: skip
    table.none("given grace, and refused before it was over", len(measures.hurried),
               f" of {measures.after_grace}")  # fmt: skip
    table.none("told four times, still to change it, and not on the call list",
               len(measures.not_called), f" of {measures.told_four_times}")  # fmt: skip
    for notice, who in ((NOTICE, "a date"), (LET_OFF_NOTICE, "their exemption ends")):
        late = len(measures.told_late[notice])
        table.none(f"on record for a week, and not told {notice} days before {who}", late,
                   f" of {late + measures.told_in_time[notice]}")  # fmt: skip
    table.none("told a date that was moved, and not the new one in time",
               len(measures.not_told_move),
               f" of {len(measures.not_told_move) + measures.told_move}")  # fmt: skip
    table.none("refused in a brown-out, on record for a week, and not told",
               len(measures.surprised))  # fmt: skip


def add_good_news(table, measures):
    reasons = collections.Counter(why for _, why in measures.false_good_news.values())
    of = f" of {measures.good_news}"
    table.none("told that all is well, and it was not", reasons["none"], of)
    table.none("... locked out within a month", measures.locked_out_after_good_news("none"))
    for why, what in (("rest", "after three times its rhythm"),
                      ("twin", "another device of this name was right since")):  # fmt: skip
        table.say(f"... and {what}", reasons[why])
        table.say("... ... locked out within a month", measures.locked_out_after_good_news(why))


def add_mails(table, play):
    measures = play.measures
    told = sorted(person.mails for person in play.university.people if person.mails)
    never = [person.mails for person in play.university.people
             if person.mails and not person.readiness]  # fmt: skip
    table.say("people told, mails", f"{len(told)}, {measures.mails}")
    reasons = ", ".join(f"{number} {reason}" for reason, number in measures.reasons.most_common())
    table.say("reasons", reasons)
    nine_of_ten = told[len(told) * 9 // 10] if told else 0
    # In a short phase, a brown-out, a date and a last call are all of one month.
    few = 5 if play.timetable.notify_days >= 60 else 6
    table.promise("mails for each of nine of ten", nine_of_ten, nine_of_ten <= few, f"at most {few}")
    most = told[-1] if told else 0
    table.promise("mails for anyone", most, most <= 8, "at most 8")
    table.say("mails on average, for who never changes",
              f"{share(sum(told), len(told)):.1f}, {share(sum(never), len(never)):.1f}")  # fmt: skip
    of = f" of {measures.mails}"
    table.none("people named a rule that they never broke", len(measures.never_broken))
    table.none("mails with a wrong date, or without theirs", len(measures.wrong_dates), of)
    of = f" of {measures.with_devices}"
    table.none("mails that name one program for each version", measures.twice_named, of)
    table.say("mails in which no device has a name",
              f"{share(measures.unnamed, measures.with_devices):.0%}")  # fmt: skip


def add_forecasts(table, play):
    made = play.forecasts.made
    # The truth of the others lies beyond the last day.
    courses = [course for course in play.forecasts.courses if course.truth is not None]
    for forecast in made:
        what = f"{FORECAST} of day {forecast.day}, and the truth"
        if forecast.day < EARLY:
            table.say(f"{what}, too early", forecast)
        else:
            table.promise(what, forecast, is_near(forecast.said, forecast.truth, NOW), f"{NOW:.0%}")
    table.add_intervals([forecast for forecast in made if forecast.day >= EARLY])
    for course in courses:
        what = f"{FORECAST} of day {course.day} for day {course.until}"
        if course.is_next and course.truth >= MANY:
            table.promise(what, course, is_near(course.said, course.truth, COURSE),
                          f"{COURSE:.0%}")  # fmt: skip
        else:
            table.say(what, course)
    table.forecasts = [vars(forecast) for forecast in made]
    table.courses = [vars(course) for course in courses]


def add_details(table, measures):
    tell = table.details.append
    for (user, title), (why, device, seen) in list(measures.untold.items())[:20]:
        days = (measures.locked_out[user, title] - seen) / 86400
        tell(f"{user} was never told of {title} ({why}): seen {days:.0f} days before, every"
             f" {device.gap:.0f} days, {device.client_id!r} {device.way}")  # fmt: skip
    for user, (_, why) in list(measures.false_good_news.items())[:20]:
        tell(f"{user} was told that all is well ({why})")
    for user in sorted(measures.seen_too_late - measures.operators_list)[:5]:
        tell(f"{user} was seen too late to be told, and is not on the list")
    for user, day in measures.not_called[:5]:
        tell(f"{user} is not on the call list of day {day}")
    for notice, late in measures.told_late.items():
        for user, title, moment in late[:10]:
            tell(f"{user} did not know of {title} on {local_date(moment)},"
                 f" {notice} days before the own date")  # fmt: skip
    for user, title in measures.not_told_move[:10]:
        tell(f"{user} does not know of the new date of {title}")
    for user in sorted(measures.surprised)[:10]:
        tell(f"{user} was refused in a brown-out, and had not been told")
    for mail, notice in measures.wrong_dates[:3]:
        tell(f"wrong dates: {notice}\n{mail.text}")
    for disagreement in measures.disagreements[:5]:
        tell(f"judged otherwise: {disagreement}")
    for user, title in measures.never_broken[:5]:
        tell(f"{user} never broke {title}")
    for user in sorted(measures.unreachable - measures.operators_list)[:5]:
        tell(f"{user} cannot be told, and is not on the list")
