"""Writes a simulated history: the files that the function report-history exports, for a site that a person could believe in.

    python month.py ./history                 # five weeks
    python month.py ./history --days 365 --objects 40

The same arguments write the same files. About 200 data sources and workbooks are refreshed by their schedules, most at night. They fail in
clusters, as they do at real sites: a password expires, a network is down, the close of a month slows a database. The failures, the
incidents and the messages of each object agree with each other.
"""

import argparse
import gzip
import hashlib
import json
import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from pathlib import Path

SITE = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b"
FIRST = date(2026, 9, 28)  # a Monday: five whole weeks, with the ends of two months
DAYS = 35
OBJECTS = 200
KINDS = ("deliveries", "events", "incidents")

OWNERS = [("Ana Ferreira", "ana"), ("Priya Nair", "priya"), ("Jonas Weber", "jonas"), ("Marcus O'Brien", "marcus"), ("Yuki Tanaka", "yuki")]
DEPARTMENTS = {  # the owner of most of its content, and the database that it reads
    "Sales": ("priya", "snowflake"),
    "Marketing": ("ana", "files"),
    "Finance": ("jonas", "ledger"),
    "Operations": ("marcus", "warehouse"),
    "Service": ("yuki", "snowflake"),
}
SUBJECTS = {
    "Sales": ["Orders", "Pipeline", "Quotas", "Returns", "Discounts", "Customer Master", "Renewals", "Territories"],
    "Marketing": ["Campaigns", "Web Traffic", "Leads", "Conversion Funnel", "Newsletter", "Brand Survey", "Events", "Social Media"],
    "Finance": ["General Ledger", "Budget", "Cash Flow", "Exchange Rates", "Receivables", "Payables", "Cost Centers", "Fixed Assets"],
    "Operations": ["Shipments", "Inventory Positions", "Warehouse Throughput", "Delivery Punctuality", "Suppliers", "Pick Errors", "Fleet", "Energy"],
    "Service": ["Tickets", "First Response", "Satisfaction", "Backlog", "Field Visits", "Warranty", "Spare Parts", "Call Volume"],
}
REGIONS = ["", "Europe", "Americas", "Asia Pacific", "Daily", "Weekly", "by Region", "by Product"]
MESSAGES = "notify-slack"


def write(folder, first=FIRST, days=DAYS, objects=OBJECTS, seed=2026):
    """Writes the history of these days into the folder: three files a day, also on days without rows."""
    site = Site(first, days, objects, random.Random(seed))
    site.run()
    for kind in KINDS:
        for index in range(days):
            day = first + timedelta(days=index)
            write_day(folder, kind, day, site.rows[kind][day])
    return site


def write_day(folder, kind, day, rows):
    """Writes one file of the history."""
    file = Path(folder) / kind / f"day={day}" / f"{kind}.ndjson.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    # Without a time in its head, the same rows give the same bytes.
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def utc(moment):
    """A time as the export writes it: with a fraction only where there is one."""
    if moment is None:
        return None
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return f"{text}Z"


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def luid(text):
    digits = sha(text)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"


class Object:
    """A data source or workbook with its schedule."""

    def __init__(self, number, chance):
        self.department = list(DEPARTMENTS)[number % len(DEPARTMENTS)]
        subjects = SUBJECTS[self.department]
        subject = subjects[number // len(DEPARTMENTS) % len(subjects)]
        region = REGIONS[number // (len(DEPARTMENTS) * len(subjects)) % len(REGIONS)]
        self.kind = "data source" if chance.random() < 0.65 else "workbook"
        self.name = f"{subject} {region}".strip()
        self.luid = luid(f"{number} {self.name}")
        user, self.database = DEPARTMENTS[self.department]
        if chance.random() < 0.15:
            user = chance.choice(OWNERS)[1]
        self.owner = next(owner for owner in OWNERS if owner[1] == user)
        self.hours = self.schedule(chance)
        self.minute = chance.choice([0, 0, 0, 15, 30, 30, 45])
        self.is_slow = chance.random() < (0.5 if self.department == "Finance" else 0.1)
        self.is_weak = chance.random() < 0.06  # fails now and then, and recovers
        self.deleted_at = None
        # The incident that is open.
        self.incident = None
        self.incidents = []

    @staticmethod
    def schedule(chance):
        kind = chance.random()
        if kind < 0.62:
            return [chance.choice([0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6])]  # once a night
        if kind < 0.85:
            return [chance.choice([3, 4, 5]), chance.choice([11, 12, 13])]
        if kind < 0.96:
            return [5, 8, 11, 14, 17]
        return list(range(5, 20))  # every hour of the working day


class Outage:
    """A time in which objects fail for one reason. Some are repaired earlier than others."""

    def __init__(self, cause, objects, start, end, share=1.0, spread_hours=0):
        self.cause, self.objects, self.start, self.end = cause, objects, start, end
        self.share, self.spread_hours = share, spread_hours
        self.ends = {}

    def hits(self, item, moment, chance):
        if item not in self.objects:
            return False
        if item not in self.ends:
            self.ends[item] = self.end + timedelta(hours=chance.uniform(0, self.spread_hours))
        return self.start <= moment < self.ends[item] and chance.random() < self.share


class Site:
    def __init__(self, first, days, objects, chance):
        self.first, self.days, self.chance = first, days, chance
        self.objects = [Object(number, chance) for number in range(objects)]
        self.rows = {kind: defaultdict(list) for kind in KINDS}
        self.outages = list(self.plan())

    def at(self, day, hour, minute=0):
        return datetime.combine(self.first, time()) + timedelta(days=day, hours=hour, minutes=minute)

    def of(self, condition, share=1.0):
        return {item for item in self.objects if condition(item) and self.chance.random() < share}

    def plan(self):
        """What goes wrong, again every five weeks."""
        on = lambda database: lambda item: item.database == database  # noqa: E731
        everything = lambda item: True  # noqa: E731
        for start in range(0, self.days, 35):
            # A password expires at night; people write the new one into their content during the day, some only days later.
            yield Outage("Credentials", self.of(on("snowflake"), 0.3), self.at(start + 9, 0), self.at(start + 9, 8), 1, 60)
            yield Outage("Credentials", self.of(on("ledger"), 0.2), self.at(start + 24, 0), self.at(start + 24, 9), 1, 30)
            # A network is down for a part of a night.
            yield Outage("Unreachable", self.of(on("warehouse"), 0.95), self.at(start + 16, 1), self.at(start + 16, 4, 20))
            yield Outage("Unreachable", self.of(everything, 0.15), self.at(start + 29, 11), self.at(start + 29, 13, 30))
            # Releases change columns; the owner repairs the data source.
            for day, hour in ((1, 17), (10, 18), (15, 17), (22, 18), (31, 17)):
                yield Outage("Schema", self.of(everything, 0.02), self.at(start + day, hour), self.at(start + day + 1, 8), 1, 50)
            # A file was moved, and its owner is on leave.
            yield Outage("SourceMissing", self.of(on("files"), 0.05), self.at(start + 12, 2), self.at(start + 19, 9), 1, 90)
            yield Outage("SourceMissing", self.of(on("files"), 0.03), self.at(start + 27, 2), self.at(start + 32, 9), 1, 200)
        bridge = self.of(on("files"), 0.2)
        for day in range(self.days):
            today = self.first + timedelta(days=day)
            tomorrow = today + timedelta(days=1)
            # The computer with Tableau Bridge is switched off on some weekends.
            if today.weekday() == 5 and self.chance.random() < 0.6:
                yield Outage("Bridge", bridge, self.at(day, 2), self.at(day + 2, 7), 0.9)
            # Close of the month: the finance database is slow for three days.
            if tomorrow.day == 1 or today.day <= 2:
                slow = self.of(lambda item: item.is_slow, 0.7)
                yield Outage("TimeLimit", slow, self.at(day, 0), self.at(day, 7), 0.85)
            # Each Monday everybody loads the week.
            if today.weekday() == 0:
                yield Outage("Resources", self.of(lambda item: item.is_slow, 0.3), self.at(day, 4), self.at(day, 9), 0.6)

    def cause(self, item, moment):
        """Why a refresh fails; `None` if it succeeds."""
        for outage in self.outages:
            if outage.hits(item, moment, self.chance):
                return outage.cause
        if self.chance.random() < (0.06 if item.is_weak else 0.003):
            return self.chance.choices(["Busy", "TimeLimit", "Engine", "Unknown"], [5, 3, 1, 2])[0]
        return None

    def run(self):
        runs = []
        for item in self.objects:
            for day in range(self.days):
                for hour in item.hours:
                    moment = self.at(day, hour, item.minute) + timedelta(seconds=self.chance.uniform(20, 1500))
                    runs.append((moment, item))
        runs.sort(key=lambda run: (run[0], run[1].luid))
        gone = next((item for item in self.objects if item.kind == "workbook"), self.objects[0])
        position = 0
        for day in range(self.days):
            end = self.at(day + 1, 0)
            while position < len(runs) and runs[position][0] < end:
                moment, item = runs[position]
                position += 1
                if item.deleted_at:
                    continue
                # One workbook fails from the third week on, until its owner deletes it.
                if item is gone and moment >= self.at(14, 0):
                    self.fail(item, moment, "SourceMissing")
                    if moment >= self.at(20, 0):
                        self.delete(item, moment + timedelta(hours=4))
                    continue
                cause = self.cause(item, moment)
                self.fail(item, moment, cause) if cause else self.succeed(item, moment)
            if day % 7 < 5:
                self.people(day)
            for item in self.objects:
                if item.incident:
                    self.rows["incidents"][self.first + timedelta(days=day)].append(dict(item.incident, state="open"))

    def people(self, day):
        """What people do on a working day."""
        for _ in range(self.chance.randint(2, 7)):
            item = self.chance.choice([item for item in self.objects if not item.deleted_at])
            verb = self.chance.choice(["Updated", "Updated", "Created"])
            moment = self.at(day, 7) + timedelta(seconds=self.chance.uniform(0, 36_000))
            self.event(moment, f"{self.noun(item)}{verb}", item.kind, item.luid, item.name)
        if self.chance.random() < 0.2:
            name = "carla.mendes@example.com"
            self.event(self.at(day, 15, self.chance.randint(0, 59)), "UserDeleted", "user", luid(f"{name} {day}"), name)

    @staticmethod
    def noun(item):
        return "Datasource" if item.kind == "data source" else "Workbook"

    def fail(self, item, moment, cause):
        if item.incident is None:
            yesterday = moment - timedelta(days=1)
            before = sum(opened > yesterday for opened in item.incidents)
            item.incidents.append(moment)
            item.incident = {
                "incident_id": f"{item.luid}/{moment:%Y%m%dT%H%M%S}",
                "state": "open",
                "site_luid": SITE,
                "object_kind": item.kind,
                "object_luid": item.luid,
                "object_name": item.name,
                "opened_at": utc(moment.replace(microsecond=0)),
                "last_failed_at": None,
                "ended_at": None,
                "how_ended": None,
                "failures": 0,
                "lasted_seconds": None,
                "incidents_within_a_day": before + 1,
                "cause": cause,
                "owner_name": item.owner[0],
                "owner_email": f"{item.owner[1]}@example.com",
            }
        item.incident["failures"] += 1
        item.incident["last_failed_at"] = utc(moment.replace(microsecond=0))
        is_first = item.incident["failures"] == 1
        event = self.event(moment, f"{self.noun(item)}RefreshFailed", item.kind, item.luid, item.name, cause)
        grouped = None if is_first else "grouped into an announced incident"
        self.deliver(event, MESSAGES, "done" if is_first else "skipped", reason=grouped)
        if item.department in ("Finance", "Sales") and is_first:
            self.deliver(event, "send-email", "done")
        if item.kind == "data source" and is_first:
            self.deliver(event, "set-quality-warning", "done")
        if item.department == "Finance" and is_first:
            self.deliver(event, "track-servicenow-incident", "done")

    def succeed(self, item, moment):
        event = self.event(moment, f"{self.noun(item)}RefreshSucceeded", item.kind, item.luid, item.name)
        if item.incident:
            self.end(item, moment, "recovered")
            self.deliver(event, MESSAGES, "done")
        else:
            reason = f"no failure was announced, so there is no recovery to announce, and no rule matches this {event['event_name']}"
            self.deliver(event, MESSAGES, "skipped", reason=reason)

    def delete(self, item, moment):
        item.deleted_at = moment
        event = self.event(moment, f"{self.noun(item)}Deleted", item.kind, item.luid, item.name)
        self.end(item, moment, "deleted")
        self.deliver(event, MESSAGES, "done")

    def end(self, item, moment, how):
        opened = datetime.fromisoformat(item.incident["opened_at"].removesuffix("Z"))
        ended = moment.replace(microsecond=0)
        lasted = int((ended - opened).total_seconds())
        row = dict(item.incident, state="resolved", ended_at=utc(ended), how_ended=how, lasted_seconds=lasted)
        self.rows["incidents"][moment.date()].append(row)
        item.incident = None

    def event(self, moment, name, kind, object_luid, object_name, cause=None):
        created = moment.replace(microsecond=0)
        received = moment + timedelta(seconds=self.chance.lognormvariate(0.7, 0.5))
        resource = "EXTRACTS" if "Refresh" in name else kind.upper().replace(" ", "")
        text = f"Event {name} for resource {object_name}: {object_luid} on site {SITE} posted at {utc(moment)}"
        payload = {"resource": resource, "event_type": name, "resource_name": object_name, "site_luid": SITE}
        payload |= {"resource_luid": object_luid, "created_at": utc(created), "text": text}
        payload = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        row = {
            "event_id": sha(payload),
            "event_name": name,
            "site_luid": SITE,
            "object_kind": kind,
            "object_luid": object_luid,
            "object_name": object_name,
            "happened_at": utc(created),
            "received_at": utc(received),
            "cause": cause,
            "payload": payload,
        }
        for day in sorted({moment.date(), received.date(), (moment + timedelta(minutes=10)).date()}):
            # Shortly before midnight, an event is in the files of both days.
            self.rows["events"][day].append(row)
        return row

    def deliver(self, event, workflow, outcome, reason=None):
        happened = datetime.fromisoformat(event["happened_at"].removesuffix("Z"))
        first_seen = datetime.fromisoformat(event["received_at"].removesuffix("Z"))
        took = self.chance.lognormvariate(1.2, 0.6)
        attempts = [("done" if outcome == "done" else outcome, took)]
        cause = event["cause"]
        if outcome == "done":
            accident = 1 if workflow == "send-email" else self.chance.random()
            # Slack limits messages now and then, and is down in the night of the busiest close.
            if accident < 0.006:
                attempts.insert(0, ("released", self.chance.uniform(30, 240)))
            elif accident < 0.008:
                attempts, outcome, reason, cause = [("failed", took)], "failed", "the channel does not exist", "NotFound"
            elif workflow == MESSAGES and self.at(33, 2) <= happened < self.at(33, 4):
                attempts.insert(0, ("released", self.chance.uniform(60, 900)))
        began = first_seen
        entries = []
        for number, (ended_as, seconds) in enumerate(attempts, 1):
            ended = began + timedelta(seconds=seconds)
            entries.append({"attempt": number, "began_at": utc(began), "ended_at": utc(ended), "outcome": ended_as})
            began = ended
        is_done = outcome == "done"
        row = {
            "event_id": event["event_id"],
            "workflow": workflow,
            "event_name": event["event_name"],
            "site_luid": SITE,
            "object_luid": event["object_luid"],
            "happened_at": event["happened_at"],
            "first_seen_at": event["received_at"],
            "updated_at": utc(began),
            "outcome": outcome,
            "reason": reason,
            "attempts": len(entries),
            "cause": cause,
            "done_at": utc(began) if is_done else None,
            "seconds_to_done": round((began - happened).total_seconds(), 3) if is_done else None,
            "effects": json.dumps(["data-alerts"] if is_done else []),
            "attempts_json": json.dumps(entries),
        }
        self.rows["deliveries"][first_seen.date()].append(row)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes a simulated history.")
    parser.add_argument("folder")
    parser.add_argument("--first", type=date.fromisoformat, default=FIRST, help="the first day")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--objects", type=int, default=OBJECTS)
    arguments = parser.parse_args()
    write(**vars(arguments))
