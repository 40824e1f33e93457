"""What is counted in the play. The people's side is known here, as nobody knows it
outside: who has which device, who will come again, who can no longer come."""

import collections
import math

import dates
import mails
import record

from timetable import ENFORCE, OBSERVE, midnight
from truth import breaks_when_it_comes_again, way_of_next_use

DAY = 86400
WEEK = 7 * DAY
MONTH = 30 * DAY
NAMELESS = "A device or program without a name"
# Days before their own date on which all who depend on it have heard of it: who is let off
# until then, and all others.
LET_OFF_NOTICE, NOTICE = 14, 7
EXPLAINED = 1  # logins a day
CALLED_AFTER = 4  # mails


class Measures:
    def __init__(self, play):
        self.play = play
        self.timetable = play.timetable
        self.lines = 0
        self.refusals = []  # of today: (device, since when it was seen, by title, moment)
        self.locked_out = {}  # (user, title): when somebody was refused for good first
        self.untold = {}  # of these: (why, device, when it was seen first)
        self.unreachable = set()  # of these, users who could not be told, and were on record
        self.after_grace = 0  # people who were told, and refused after their grace
        self.hurried = set()  # of these, users for whom it was shorter than the rule says
        self.seen_too_late = set()  # users who were not told for this reason
        self.operators_list = set()  # users whom notify --untold gave
        self.told_four_times = 0  # on the day before a date, of what they still break
        self.not_called = []  # of these, users who were not on the call list
        self.surprised = set()  # users who were refused in a brown-out, and did not know
        self.told_move, self.not_told_move = 0, []  # (user, title)
        self.told_in_time = {LET_OFF_NOTICE: 0, NOTICE: 0}
        self.told_late = {LET_OFF_NOTICE: [], NOTICE: []}  # (user, title, own date)
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
        self.explained = 0
        self.disagreements = []

    # ---- what is asked ----

    def is_due(self, day):
        """Whether something is looked at on that day that the mails before may change."""
        return day > 0 and (
            day % 7 == 0 or self.is_before_a_date(day)
            or any(self.own_dates_in(day, notice) for notice in (NOTICE, LET_OFF_NOTICE))
            or self.moves_due(day)
        )

    def moves_due(self, day):
        """Of which everybody who was told the old date has heard by now."""
        return [move for move in self.timetable.moves
                if min(move.old, move.new) == self.timetable.date(day)]  # fmt: skip

    def is_before_a_date(self, day):
        tomorrow = self.timetable.date(day + 1)
        return any(rule.enforce == tomorrow for rule in self.timetable.rules)

    def begin_day(self, day):
        self.explain(day)
        if self.is_due(day):
            self.ask_for_lists(day)
            for notice in (NOTICE, LET_OFF_NOTICE):
                for person, rule in self.own_dates_in(day, notice):
                    self.look_at(person, rule, day, notice)
            for move in self.moves_due(day):
                self.look_at_move(move, day)

    def look_at_move(self, move, day):
        """Whether those who were told the old date, and depend on it, know the new one."""
        title, moved = move.rule.title, midnight(move.on)
        for person in self.play.university.people:
            if person.told.get(title, moved) >= moved \
                    or self.timetable.own_date(person, move.rule) != move.new:  # fmt: skip
                continue
            depends = any(
                title in breaks_when_it_comes_again(device, day, self.timetable)
                and not self.seems_well(device, title, midnight(self.timetable.date(day)))
                for device in person.devices
            )
            if depends and person.told_last[title] >= moved:
                self.told_move += 1
            elif depends:
                self.not_told_move.append((person.user, title))

    def explain(self, day):
        """Whether the real policy judges some logins of the day in the same way."""
        phases = self.timetable.phases(midnight(self.timetable.date(day)) + DAY / 2)
        source, devices = self.play.random, self.play.calendar[day]
        wrong = [device for device in devices if device.broken]
        for device in source.sample(wrong, min(EXPLAINED, len(wrong))):
            person = device.person
            let_off = person.let_off(self.timetable.date(day), device.way.country)
            broken = {title for title in device.broken if title in phases} - let_off
            refused = any(phases[title] == ENFORCE for title in broken)
            said = self.play.site.explain(
                device, midnight(self.timetable.date(day)) + DAY / 2
            )
            self.explained += 1
            if said != ("reject" if refused else "allow", broken):
                self.disagreements.append((day, person.user, device.way, broken, said))

    def ask_for_lists(self, day):
        moment = midnight(self.timetable.date(day))
        self.operators_list.update(self.play.site.list("--untold", moment))
        if not self.is_before_a_date(day):
            return
        called = self.play.site.list("--call-list", moment)
        for person in self.play.university.people:
            if self.needs_a_call(person, day):
                self.told_four_times += 1
                if person.user not in called:
                    self.not_called.append((person.user, day))

    def needs_a_call(self, person, day):
        """Not who is let off, who is left in peace until shortly before that ends."""
        date = self.timetable.date(day)
        moment = midnight(date)
        return any(
            sum(told > device.seen.get(title, moment)
                for told in person.told_times.get(title, ())) >= CALLED_AFTER
            and not self.seems_well(device, title, moment)
            for device in person.devices
            for title in breaks_when_it_comes_again(device, day, self.timetable)
            if title not in person.let_off(date, device.way.country)
        )

    def own_dates_in(self, day, notice):
        """Whose own date that many days later is, and of which rule: who is let off until
        then, or else all for whom the rule's date holds."""
        date = self.timetable.date(day + notice)
        own_date = self.timetable.own_date_there
        if notice == LET_OFF_NOTICE:
            pairs = dict.fromkeys((person, exemption.title)
                                  for person, exemption in self.play.university.exemptions)
            return [(person, rule) for person, rule in
                    ((person, self.timetable.rule(title)) for person, title in pairs)
                    if rule.enforce != date == own_date(person, rule)
                    and person.is_there(day + notice)]  # fmt: skip
        return [(person, rule) for rule in self.timetable.rules if rule.enforce == date
                for person in self.play.university.people
                if own_date(person, rule) == date]  # fmt: skip

    def look_at(self, person, rule, day, notice):
        """Whether somebody who depends on it, and was on record for a week, knows it that
        many days before. Of who seems to have changed that is not expected."""
        begin = midnight(self.timetable.date(day))
        title = rule.title
        depends = any(
            device.seen.get(title, begin) <= begin - WEEK
            and title in breaks_when_it_comes_again(device, day, self.timetable)
            and not self.seems_repaired(device, title)
            for device in person.devices
        )
        if not depends or not self.is_reachable(person):
            return
        if title in person.told:
            self.told_in_time[notice] += 1
        else:
            self.told_late[notice].append((person.user, title, begin))

    # ---- logins ----

    def refuse(self, device, titles, moment):
        """It is looked at when the mails of that day are known."""
        person = device.person
        seen = {title: min((other.seen[title] for other in person.devices
                            if title in other.seen), default=moment) for title in titles}  # fmt: skip
        self.refusals.append((device, seen, moment))

    def count_refusals(self):
        for device, seen, moment in self.refusals:
            for title in seen:
                key = (device.person.user, title)
                if moment < midnight(self.timetable.rule(title).enforce):
                    if not self.knew(device.person, title, moment, seen[title]):
                        self.surprised.add(device.person.user)
                elif key not in self.locked_out:
                    self.locked_out[key] = moment
                    if not self.knew(device.person, title, moment, seen[title]):
                        why = self.reason(device.person, title, seen[title])
                        self.untold[key] = (why, device, seen[title])
        self.refusals = []

    def knew(self, person, title, moment, seen):
        """Nothing is expected of who was not on record for a week, or cannot be told: that is
        for the operator."""
        told = person.told.get(title, moment + 1) <= moment
        rule = self.timetable.rule(title)
        own = midnight(self.timetable.own_date(person, rule))
        if told and person.broke[title] < midnight(rule.enforce) - DAY \
                and self.timetable.end_of_grace(person, rule):  # fmt: skip
            self.after_grace += 1
            if moment < person.told[title] + rule.grace * DAY:
                self.hurried.add(person.user)
        if not told and own - WEEK < seen < own - DAY:
            self.seen_too_late.add(person.user)
        if told or seen > moment - WEEK:
            return True
        if not self.is_reachable(person):
            self.unreachable.add(person.user)
            return True
        return False

    def reason(self, person, title, seen):
        rule = self.timetable.rule(title)
        own = midnight(self.timetable.own_date_there(person, rule))
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
                person.told_last[title] = notice.moment
                person.told_times.setdefault(title, []).append(notice.moment)

    def hear_good_news(self, person, notice, day):
        """Whether all is well, or at least seems to be."""
        self.good_news += 1
        for title in notice.rules:
            person.told_times.pop(title, None)
        phases = self.timetable.phases(notice.moment)
        date = self.timetable.date(day)
        for device in person.devices:
            let_off = person.let_off(date, way_of_next_use(device).country)
            for title in breaks_when_it_comes_again(device, day, self.timetable):
                # What was recorded later on the same day is no news of the mail's.
                if title in phases and title not in let_off \
                        and device.seen.get(title, notice.moment) < notice.moment:
                    why = self.why_it_seems_well(device, title, notice.moment)
                    self.false_good_news.setdefault(person.user, (notice.moment, why))

    def why_it_seems_well(self, device, title, moment):
        if self.seems_repaired(device, title, moment):
            return "twin"
        if record.rests(record.rows(device), title, self.timetable, moment):
            return "rest"
        return "none"

    def seems_well(self, device, title, moment):
        return self.why_it_seems_well(device, title, moment) != "none"

    def seems_repaired(self, device, title, moment=math.inf):
        """Another device of its name was right since it came last."""
        return record.is_repaired(record.rows(device), title, self.timetable, moment)

    # ---- the end ----

    def locked_out_after_good_news(self, why):
        """Within a month."""
        return sum(
            any(0 <= moment - told <= MONTH
                for (other, _), moment in self.locked_out.items() if other == user)
            for user, (told, seemed) in self.false_good_news.items() if seemed == why
        )  # fmt: skip
