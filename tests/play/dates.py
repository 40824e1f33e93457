"""The dates that may stand in a mail, and those that must."""

import datetime

import mails

DAY = datetime.timedelta(days=1)


def local_date(moment):
    return datetime.datetime.fromtimestamp(moment).date()


def are_right(person, mail, notice, timetable):
    """Each that the mail gives is one of the person's own, and the first of them is given
    where the mail is about that."""
    seen = mails.seen(mail.text)
    rest = mail.subject + "\n" + mail.text
    for part in seen:
        rest = rest.replace(part, "")
    given = set(mails.dates(rest))
    own = own_dates(person, notice, timetable)
    if notice.reason == "refused":
        # Of which the subject names the day.
        given -= days_of_use(person) - own
    if not given <= own | other_dates(person, timetable):
        return False
    if not set(mails.dates("\n".join(seen))) <= days_of_use(person) | own:
        return False
    firsts = first_dates(person, notice, timetable)
    return not firsts or not firsts.isdisjoint(given)


def own_dates(person, notice, timetable):
    """And the last days before them, where there was grace."""
    dates = {timetable.own_date(person, rule, notice.moment) for rule in timetable.rules}
    ends = {timetable.end_of_grace(person, rule, notice.moment) for rule in timetable.rules}
    return dates | {end - DAY for end in ends if end}


def other_dates(person, timetable):
    """Of brown-outs, of dates before they were moved, and the ends of exemptions."""
    dates = {day for rule in timetable.rules for day, _, _ in rule.brownouts}
    dates.update(date for rule in timetable.rules for date in rule.dates_before)
    for exemption in person.exemptions:
        dates.update((exemption.last, exemption.last + DAY) if exemption.countries
                     else (exemption.last,))  # fmt: skip
    return dates


def days_of_use(person):
    """On which a device began to come in some way, or came last: today's logins are known
    here, and not in the mail."""
    return {local_date(moment) for rows in person.rows.values() for row in rows.values()
            for moment in (row.first, row.before, row.last)}  # fmt: skip


def first_dates(person, notice, timetable):
    """Of which one is given: the first that is still to come, of what the mail is about, with
    and without an exemption for the country where the person is; or the last day of the
    exemption that ends then."""
    if notice.reason not in ("first", "reminder", "last-call"):
        return set()
    today = local_date(notice.moment)
    rules = [timetable.rule(title) for title in notice.rules]
    own = [timetable.own_date(person, rule, notice.moment) for rule in rules]
    there = [timetable.own_date_there(person, rule) for rule in rules]
    firsts = {min(to_come) for to_come in ([date for date in dates if date > today]
                                           for dates in (own, there)) if to_come}  # fmt: skip
    return firsts | {exemption.last for exemption in person.exemptions
                     if exemption.last + DAY in firsts}  # fmt: skip
