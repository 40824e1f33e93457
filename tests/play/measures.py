"""What is counted in the play. The people's side is known here, as nobody knows it
outside: who has which device, who will come again, who can no longer come."""

import collections

import dates
import mails
import record

from timetable import ENFORCE, NOTIFY, OBSERVE, midnight
from truth import breaks_when_it_comes_again

DAY = 86400
WEEK = 7 * DAY
MONTH = 30 * DAY
NAMELESS = "A program that does not say what it is"
LET_OFF_NOTICE = 14  # days before an exemption ends, at least
EXPLAINED = 1  # logins a day


class Measures:
    def __init__(self, play):
        self.play = play
        self.timetable = play.timetable
        self.lines = 0
        self.locked_out = {}  # (user, title): when somebody was refused for good first
        self.untold = {}  # of these: (why, device, when it was seen first)
        self.unreachable = set()  # of these, users who could not be told, and were on record
        self.operators_list = set()  # users whom notify --untold gave
        self.told_late = 0  # less than a week before they were locked out
        self.let_off_told, self.let_off_untold = 0, []
        self.message_ids = set()
        self.repeats = self.mails = 0
        self.reasons = collections.Counter()
        self.good_news = 0
        self.false_good_news = {}  # user: (when, why)
        self.twice_named = self.unnamed = self.with_devices = 0
        self.never_broken = []  # (user, title): named in a mail, and never broken before
        self.wrong_dates = []  # (mail, notice)
        self.without_notice = 0  # mails that the store knows nothing of
        self.lost = []  # notices of the store whose mail never came
        self.late_calls = 0
        self.explained = 0
        self.disagreements = []

    # ---- what is asked ----

    def begin_day(self, day):
        self.explain(day)
        self.ask_for_untold(day)
        self.look_at_let_off(day)

    def explain(self, day):
        """Whether the real policy judges some logins of the day in the same way."""
        phases = self.timetable.phases(midnight(self.timetable.date(day)) + DAY / 2)
        source, devices = self.play.random, self.play.calendar[day]
        wrong = [device for device in devices if device.broken]
        for device in source.sample(wrong, min(EXPLAINED, len(wrong))):
            person = device.person
            let_off = person.let_off(self.timetable.date(day))
            broken = {title for title in device.broken if title in phases} - let_off
            refused = any(phases[title] == ENFORCE for title in broken)
            said = self.play.site.explain(
                device, midnight(self.timetable.date(day)) + DAY / 2
            )
            self.explained += 1
            if said != ("reject" if refused else "allow", broken):
                self.disagreements.append((day, person.user, device.way, broken, said))

    def ask_for_untold(self, day):
        """On the day before each date, and now and then."""
        tomorrow = self.timetable.date(day + 1)
        if self.play.site.knows_untold and (
            day % 7 == 0 or any(rule.enforce == tomorrow for rule in self.timetable.rules)
        ):
            self.operators_list.update(self.play.site.untold(midnight(self.timetable.date(day))))

    def look_at_let_off(self, day):
        """Whether they know it in time before that ends."""
        for person, exemption in self.play.university.exemptions:
            rule = self.timetable.rule(exemption.title)
            own = self.timetable.own_date(person, rule)
            if own == rule.enforce or (own - self.timetable.date(day)).days != LET_OFF_NOTICE \
                    or not self.is_reachable(person):  # fmt: skip
                continue
            begin = midnight(self.timetable.date(day))
            depends = any(rule.title in breaks_when_it_comes_again(device, day, self.timetable)
                          and device.seen.get(rule.title, begin) < begin - DAY
                          for device in person.devices)  # fmt: skip
            if depends and rule.title in person.told:
                self.let_off_told += 1
            elif depends:
                self.let_off_untold.append((person.user, rule.title, own))

    # ---- logins ----

    def refuse(self, device, titles, moment):
        for title in titles:
            key = (device.person.user, title)
            if moment >= midnight(self.timetable.rule(title).enforce) \
                    and key not in self.locked_out:  # fmt: skip
                self.locked_out[key] = moment
                self.ask_why(device, title, moment)

    def ask_why(self, device, title, moment):
        """Why somebody who was on record for a week did not know it."""
        person = device.person
        seen = min((other.seen[title] for other in person.devices if title in other.seen),
                   default=moment)  # fmt: skip
        if seen > moment - WEEK:
            return
        if title in person.told:
            self.told_late += person.told[title] > moment - WEEK
        elif not self.is_reachable(person):
            self.unreachable.add(person.user)
        else:
            self.untold[person.user, title] = (self.reason(person, title, seen), device, seen)

    def reason(self, person, title, seen):
        rule = self.timetable.rule(title)
        own = midnight(self.timetable.own_date(person, rule))
        if own != midnight(rule.enforce) or any(exemption.title == title
                                                for exemption in person.exemptions):  # fmt: skip
            return "let off"
        if seen > own - WEEK:
            return "first seen in the last week before the date"
        last = max(row.last for rows in person.rows.values() for row in rows.values()
                   if title in self.timetable.broken_by(row.way))  # fmt: skip
        if last < midnight(rule.notify):
            return f"seen in {OBSERVE} only"
        return "other"

    @staticmethod
    def is_reachable(person):
        return not person.has_no_address and not person.mails_come_back

    # ---- mails ----

    def mail(self, person, mail, notice):
        """notice: as the store has it, or None. True when it is a mail that has not come
        before, and that the person reads."""
        if mail.message_id in self.message_ids:
            self.repeats += 1
            return False
        self.message_ids.add(mail.message_id)
        self.mails += 1
        if notice is None:
            self.without_notice += 1
        elif not dates.are_right(person, mail, notice, self.timetable):
            self.wrong_dates.append((mail, notice))
        if mails.devices(mail.text):
            self.with_devices += 1
            self.twice_named += mails.names_versions_twice(mail.text)
            self.unnamed += mails.names_nobody(mail.text, NAMELESS)
        if person.mails_come_back:
            self.play.site.bounce(mail)
            return False
        person.mails += 1
        return True

    def notice(self, person, notice, day):
        """One that was handed over in the morning of that day."""
        self.reasons[notice.reason] += 1
        if notice.message_id not in self.message_ids:
            self.lost.append(notice)
        self.never_broken += [(person.user, title) for title in notice.rules
                              if title not in person.broke]  # fmt: skip
        if notice.reason == "fixed":
            self.hear_good_news(person, notice, day)
        elif not person.mails_come_back:
            for title in notice.rules:
                person.told.setdefault(title, notice.moment)
        if notice.reason == "last-call":
            self.late_calls += self.is_late(person, notice)

    def is_late(self, person, notice):
        """A last call that leaves less time than it is to: seven days, or one."""
        left = [midnight(self.timetable.own_date(person, self.timetable.rule(title)))
                - notice.moment for title in notice.rules]  # fmt: skip
        return not any(DAY <= time <= 2 * DAY or WEEK <= time <= WEEK + DAY for time in left)

    def hear_good_news(self, person, notice, day):
        """Whether all is well, or at least seems to be."""
        self.good_news += 1
        phases = self.timetable.phases(notice.moment)
        let_off = person.let_off(self.timetable.date(day))
        for device in person.devices:
            for title in breaks_when_it_comes_again(device, day, self.timetable):
                if phases.get(title) in (NOTIFY, ENFORCE) and title not in let_off \
                        and title in device.seen:  # fmt: skip
                    why = self.why_it_seems_well(device, title, notice.moment)
                    self.false_good_news.setdefault(person.user, (notice.moment, why))

    def why_it_seems_well(self, device, title, moment):
        rows = device.person.rows.get(record.name(device), {}).values()
        if record.is_repaired(rows, title, self.timetable):
            return "twin"
        if record.rests(rows, title, self.timetable, moment):
            return "rest"
        return "none"

    # ---- the end ----

    def locked_out_after_good_news(self):
        """Within a month."""
        return sum(
            any(0 <= moment - self.false_good_news[user][0] <= MONTH
                for (other, _), moment in self.locked_out.items() if other == user)
            for user in self.false_good_news
        )  # fmt: skip
