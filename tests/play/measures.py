"""What is counted in the play. The people's side is known here, as nobody knows it
outside: who has which device, who will come again, who can no longer come."""

import collections

import mails

from timetable import ENFORCE, NOTIFY, midnight
from truth import depends_on_it

DAY = 86400
WEEK = 7 * DAY
MONTH = 30  # days
NAMELESS = "A program that does not say what it is"


class Measures:
    def __init__(self, play):
        self.play = play
        self.lines = 0
        self.locked_out = {}  # (user, title): when somebody was refused for good first
        self.untold = {}  # of these: (device, when it was seen first), as struct
        self.forecasts = []  # (day, what was said, what was true)
        self.message_ids = set()
        self.repeats = 0
        self.mails = 0
        self.reasons = collections.Counter()
        self.false_good_news = {}  # user: when
        self.twice_named = self.unnamed = self.with_devices = 0
        self.to_the_fine = 0
        self.lost = []  # notices of the store whose mail never came

    # ---- forecasts ----

    def begin_day(self, day):
        timetable = self.play.timetable
        tomorrow = timetable.date(day + 1)
        if day in (30, 60, 90) or any(rule.enforce == tomorrow for rule in timetable.rules):
            answer = self.play.site.ask("forecast")
            depend = [person.user for person in self.play.university.people
                      if depends_on_it(person, day, timetable)]  # fmt: skip
            self.forecasts.append((day, answer["locked_out"] + answer["partly"], len(depend)))
            if self.play.keep:
                self.play.site.keep(self.play.keep / f"day-{day}", depend)

    # ---- logins ----

    def refuse(self, device, titles, moment):
        person = device.person
        for title in titles:
            key = (person.user, title)
            if moment < midnight(self.play.timetable.rule(title).enforce) or \
                    key in self.locked_out:  # fmt: skip
                continue
            self.locked_out[key] = moment
            seen = min((other.seen[title] for other in person.devices if title in other.seen),
                       default=moment)  # fmt: skip
            if seen <= moment - WEEK and title not in person.told:
                self.untold[key] = (device, seen)

    # ---- mails ----

    def mail(self, person, mail):
        """True when it is none that has come before."""
        if mail.message_id in self.message_ids:
            self.repeats += 1
            return False
        self.message_ids.add(mail.message_id)
        self.mails += 1
        person.mails += 1
        if mails.devices(mail.text):
            self.with_devices += 1
            self.twice_named += mails.names_versions_twice(mail.text)
            self.unnamed += mails.names_nobody(mail.text, NAMELESS)
        if not any(device.ever_wrong for device in person.devices):
            self.to_the_fine += 1
        return True

    def notice(self, person, notice):
        """As the store has it."""
        self.reasons[notice["reason"]] += 1
        if notice["message_id"] not in self.message_ids:
            self.lost.append(notice)
        if notice["reason"] == "fixed":
            if self.comes_again_in_a_wrong_way(person, notice["time"]):
                self.false_good_news.setdefault(person.user, notice["time"])
            return
        for title in notice["rules"]:
            person.told.setdefault(title, notice["time"])

    def comes_again_in_a_wrong_way(self, person, moment):
        phases = self.play.timetable.phases(moment)
        return any(
            device.next_use < min(device.end, self.play.days)
            and midnight(self.play.timetable.date(device.next_use)) > moment - DAY
            and any(phases.get(title) in (NOTIFY, ENFORCE) for title in device.broken)
            for device in person.devices
        )

    # ---- the end ----

    def locked_out_within_a_month_of_good_news(self):
        return sum(
            any(0 <= moment - self.false_good_news[user] <= MONTH * DAY
                for (other, _), moment in self.locked_out.items() if other == user)
            for user in self.false_good_news
        )  # fmt: skip
