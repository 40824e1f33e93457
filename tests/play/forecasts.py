"""What `portcullis forecast` says, and what is true."""

from dataclasses import dataclass

from truth import depends_on_it

DAYS = (30, 60, 90)


@dataclass
class Forecast:
    day: int
    said: int
    low: int  # None where it gives no interval
    high: int
    truth: int

    def __str__(self):
        between = "" if self.low is None else f" ({self.low} to {self.high})"
        return f"{self.said}{between} : {self.truth}"

    @classmethod
    def of_all(cls, forecasts):
        """Of the same day, in different places."""
        return cls(forecasts[0].day, sum(forecast.said for forecast in forecasts), None, None,
                   sum(forecast.truth for forecast in forecasts))  # fmt: skip

    def is_near(self, part):
        """Of few people, a few more or less are chance."""
        return abs(self.said - self.truth) <= max(part * self.truth, 2 * self.truth**0.5)

    def holds(self):
        return self.low is None or self.low <= self.truth <= self.high


class Forecasts:
    """keep: a folder for the stores of these days, or None. every: how many days lie
    between them, or None for the usual ones."""

    def __init__(self, play, keep, every):
        self.play = play
        self.days = DAYS if every is None else range(every, play.days, every)
        self.folder = keep
        self.made = []

    def is_due(self, day):
        """On some days of the first months, and on the day before each date."""
        tomorrow = self.play.timetable.date(day + 1)
        return day in self.days or any(rule.enforce == tomorrow for rule in self.play.timetable.rules)

    def begin_day(self, day):
        if not self.is_due(day):
            return
        depend = [person.user for person in self.play.university.people
                  if depends_on_it(person, day, self.play.timetable)]  # fmt: skip
        if self.folder:
            self.play.site.keep(self.folder / f"day-{day}", depend)
        answer = self.play.site.ask("forecast")
        self.play.took[day].forecast = self.play.site.last["forecast"]
        self.made.append(Forecast(day, answer["affected"], answer["affected_low"],
                                  answer["affected_high"], len(depend)))  # fmt: skip
