"""What `portcullis forecast` says, and what is true."""

import datetime

from dataclasses import dataclass

from truth import depends_on_it

DAYS = (30, 60, 90)
NOW, COURSE = 0.05, 0.15  # how near the truth a forecast is, as a part of it
MANY = 300  # people, of whom it can be said how fast they change
EARLY = 14  # days on record, before which portcullis calls its own forecast too early


def is_near(said, truth, part):
    """Of few people, a few more or less are chance."""
    return abs(said - truth) <= max(part * truth, 2 * truth**0.5)


@dataclass
class Forecast:
    """How many people depend on it: what was said on a day, with an interval, and the
    truth."""

    day: int
    said: int
    low: int
    high: int
    truth: int

    def __str__(self):
        return f"{self.said} ({self.low} to {self.high}) : {self.truth}"

    def holds(self):
        return self.low <= self.truth <= self.high


@dataclass
class Course:
    """How many it will be on another day, if it goes on like this."""

    day: int
    until: int
    said: int
    is_next: bool  # of the dates; what refusals at that one will change is not known before
    truth: int = None

    def __str__(self):
        return f"{self.said} : {self.truth}"


class Forecasts:
    """keep: a folder for the stores of these days, or None. every: how many days lie
    between them, or None for the usual ones."""

    def __init__(self, play, keep, every):
        self.play = play
        self.days = DAYS if every is None else range(every, play.days, every)
        self.folder = keep
        self.made = []
        self.courses = []

    def is_due(self, day):
        """On some days of the first months, and on the day before each date."""
        tomorrow = self.play.timetable.date(day + 1)
        return day in self.days or any(
            rule.enforce == tomorrow for rule in self.play.timetable.rules
        )

    def begin_day(self, day):
        waiting = [course for course in self.courses if course.until == day]
        if not waiting and not self.is_due(day):
            return
        depend = [person.user for person in self.play.university.people
                  if depends_on_it(person, day, self.play.timetable)]  # fmt: skip
        for course in waiting:
            course.truth = len(depend)
        if not self.is_due(day):
            return
        if self.folder:
            self.play.site.keep(self.folder / f"day-{day}", depend)
        self.ask(day, len(depend))

    def ask(self, day, truth):
        answer = self.play.site.ask("forecast")
        self.play.took[day].forecast = self.play.site.last["forecast"]
        self.made.append(Forecast(day, answer["affected"], answer["affected_low"],
                                  answer["affected_high"], truth))  # fmt: skip
        for number, date in enumerate(answer["course"]):
            until = datetime.datetime.fromisoformat(date["date"]).astimezone().date()
            until = (until - self.play.timetable.first).days
            if until < self.play.days:
                self.courses.append(Course(day, until, date["affected"], number == 0))
