"""The months of the play, day by day."""

import collections
import concurrent.futures
import random

import reactions
import record

from days import Day
from forecasts import Forecasts
from measures import Measures
from timetable import ENFORCE, midnight
from university import MIXES, Exemption, University
from writers import DayOfJournal

DAY = 86400


class Verdict:
    """What happens to a login that breaks these rules, in their phases."""

    def __init__(self, timetable, rules):
        self.rules = rules
        self.refusing = [title for title, phase in rules.items() if phase == ENFORCE]
        self.before_password = any(timetable.rule(title).before_password
                                   for title in self.refusing)  # fmt: skip


class Today:
    """What does not change within a day, or when it does."""

    def __init__(self, timetable, day):
        self.timetable = timetable
        self.day = day
        self.date = timetable.date(day)
        self.begin = midnight(self.date)
        self.phases = None if timetable.changes_within(day) else timetable.phases(self.begin)
        self.verdicts = {}  # by the rules that are broken

    def phases_at(self, moment):
        return self.phases or self.timetable.phases(moment)

    def moment(self, device, source):
        second = 3600 * source.gauss(device.hour, 2)
        return self.begin + (1 if second < 1 else 86399 if second > 86399 else second)

    def judge(self, broken, let_off, moment):
        """broken: titles of rules, in whatever phase. let_off: those that do not hold for
        the person."""
        phases = self.phases_at(moment)
        known = None if let_off or not self.phases else self.verdicts.get(broken)
        if known is None:
            known = Verdict(self.timetable, {
                title: phases[title] for title in broken
                if title in phases and title not in let_off
            })  # fmt: skip
            if not let_off and self.phases:
                self.verdicts[broken] = known
        return known


class Play:
    def __init__(self, options, site, timetable):
        self.site = site
        self.timetable = timetable
        self.days = options.days
        self.mix = MIXES[options.mix]
        self.random = random.Random(options.seed)
        self.university = University(options.people, options.seed, self.mix, self.days, timetable)
        self.people = {person.user: person for person in self.university.people}
        self.calendar = [[] for _ in range(self.days)]  # devices by day of next use
        self.waiting = [{} for _ in range(self.days)]  # people who do something
        self.exemptions = collections.defaultdict(list)  # by the day on which they are entered
        self.measures = Measures(self)
        self.forecasts = Forecasts(self, options.keep, options.measure_every)
        self.took = []  # of each day
        self.sample = None  # see sample.py
        self.with_grace = []  # people
        for person in self.university.people:
            for device in person.devices:
                self.come(device, device.begin + self.random.random() * device.gap)
        for person, exemption in self.university.exemptions:
            self.exemptions[max(0, exemption.entered)].append((person, exemption))
        self.semesters = collections.defaultdict(list)  # by their first days
        for semester in self.university.semesters:
            self.semesters[semester.first].append(semester)

    def come(self, device, day):
        """It is used next on that day."""
        device.next_use = int(day)
        if device.next_use < min(self.days, device.end):
            self.calendar[device.next_use].append(device)

    def run(self):
        """While a day is lived, the timers run that take the day before: what people read in
        its mails they act upon a day later at the earliest."""
        self.site.configure(self.timetable)
        with concurrent.futures.ThreadPoolExecutor(1) as timers:
            night = None
            for day in range(self.days):
                if night and self.is_looked_at(day):
                    night = self.hear(night)
                self.took.append(Day(day))
                self.operate(day)
                self.forecasts.begin_day(day)
                self.measures.begin_day(day)
                self.live(day)
                if night:
                    self.hear(night)
                self.site.publish()
                night = timers.submit(self.night, day)
            self.hear(night)

    def is_looked_at(self, day):
        """Whether the operator edits, or asks, something on that day."""
        return (self.timetable.changes_on(day) or self.exemptions[day]
                or self.forecasts.is_due(day) or self.measures.is_due(day))  # fmt: skip

    def operate(self, day):
        """What the operator edits."""
        if self.timetable.begin_day(day):
            self.site.configure(self.timetable)
        for person, exemption in self.exemptions[day]:
            person.exemptions.append(exemption)
        if self.exemptions[day]:
            self.site.let_off([person for person in self.university.people if person.exemptions])

    def live(self, day):
        """One day of everybody's."""
        today = Today(self.timetable, day)
        self.change(day)
        self.depart(day)
        begin = self.sample.begin_day if self.sample else DayOfJournal
        journal = begin(self.site.tomorrow, self.timetable, day)
        for device in self.calendar[day]:
            if day < device.end and day == device.next_use:
                self.log_in(device, today, journal)
                self.come(device, day + self.gap(device.gap))
                if self.random.random() < 0.02:
                    device.update()
        self.calendar[day] = None
        journal.strangers(self.random, self.university.people, today, len(self.people) // 20)
        self.took[day].lines = journal.write()
        self.measures.lines += self.took[day].lines
        if self.sample:
            self.sample.compare(journal, self.people.values())

    def change(self, day):
        for person in self.waiting[day]:
            if person.reacts_on == day:
                for device in reactions.react(person, day, self.random, self.timetable):
                    self.come(device, day + self.random.random() * device.gap)
            if person.returns_on == day:
                reactions.travel(person, None, self.timetable)
        self.waiting[day] = None

    def depart(self, day):
        """Some go abroad."""
        for semester in self.semesters[day]:
            self.send(semester.person, semester.country, semester.last + 1)
        for _ in range(round(len(self.people) * self.mix.travel / self.days + 0.2)):
            person = self.random.choice(self.university.people)
            if person.returns_on < day:
                self.send(person, reactions.destination(self.random),
                          day + self.random.randrange(3, 21))  # fmt: skip

    def send(self, person, country, returns_on):
        reactions.travel(person, country, self.timetable)
        person.returns_on = returns_on
        self.wait(person, returns_on)

    def gap(self, mean):
        """Days until the next one."""
        if mean > 2:
            return max(1, self.random.expovariate(1 / mean))
        return 1 + (self.random.random() < mean - 1)

    def wait(self, person, day):
        if 0 <= day < self.days and self.waiting[day] is not None:
            self.waiting[day][person] = True

    def log_in(self, device, today, journal):
        """All its logins of the day, until one is refused."""
        person = device.person
        let_off = person.let_off(today.date, device.way.country) \
            if person.exemptions or person.grace else ()  # fmt: skip
        for _ in range(device.uses_a_day):
            moment = today.moment(device, self.random)
            verdict = today.judge(device.broken, let_off, moment)
            if verdict.refusing:
                self.be_refused(device, verdict, moment, today, journal)
                return
            if journal.sighting(device, moment, verdict.rules, True, "allow"):
                self.recorded(device, moment, today)
            if not verdict.rules:
                return  # the next ones leave no line

    def be_refused(self, device, verdict, moment, today, journal):
        person = device.person
        journal.sighting(device, moment, verdict.rules, not verdict.before_password, "reject")
        self.measures.refuse(device, verdict.refusing, moment)
        if not verdict.before_password:
            self.recorded(device, moment, today)
        for_good = any(moment >= midnight(self.timetable.rule(title).enforce)
                       for title in verdict.refusing)  # fmt: skip
        reactions.be_refused(person, today.day, self.random, for_good)
        self.wait(person, person.reacts_on)

    def recorded(self, device, moment, today):
        """With the right password."""
        record.see(device, moment, today.day)
        if device.broken:
            device.came = device.came if device.broken == device.came else \
                tuple({*device.came, *device.broken})  # fmt: skip
            phases = today.phases_at(moment)
            for title in device.broken:
                if title in phases:
                    device.seen.setdefault(title, moment)
                device.person.broke.setdefault(title, moment)

    def night(self, day):
        """What the operator's timers do, in the morning after. Returns the day, its mails, and
        the notices as the store has them."""
        morning = midnight(self.timetable.date(day + 1))
        took = self.took[day]
        self.site.take(morning)
        took.take = self.site.last["import"]
        took.store = self.site.size()
        if not self.is_time_for_notices(day + 1):
            return day, [], {}
        # A minute later each day: what is due after 14 days must not depend on how long a
        # run took.
        mails = self.site.notify(morning + 9 * 3600 + 60 * day)
        took.notify, took.mails = self.site.last["notify"], len(mails)
        return day, mails, self.site.new_notices()

    def hear(self, night):
        """What people read in the morning after."""
        day, mails, notices = night.result()
        for mail in mails:
            person = self.people[mail.user]
            if self.measures.mail(person, mail, notices.get(mail.message_id)):
                reactions.hear(person, day + 1, self.random)
                self.wait(person, person.reacts_on)
        for notice in notices.values():
            self.measures.notice(self.people[notice.user], notice, day + 1)
        self.measures.count_refusals()
        self.give_grace()

    def give_grace(self):
        """As the servers read it."""
        for person in self.with_grace:
            person.grace = []
        self.with_grace = []
        for user, title, last in self.site.grace():
            person, rule = self.people[user], self.timetable.rule(title)
            person.grace = [*person.grace, Exemption(title, rule.enforce, last, 0)]
            self.with_grace.append(person)

    def is_time_for_notices(self, day):
        """Before the first phase that is notify there is nobody to write to; that this is
        so is tried now and then."""
        return day % 15 == 0 or any(
            self.timetable.date(day) >= rule.notify for rule in self.timetable.rules
        )
