"""Compares what `audit-lake events --csv` writes, and which events its filters let pass, with what Python makes of `--json`."""

import csv
import datetime
import io
import ipaddress
import itertools
import json
import subprocess
import sys
import unicodedata

PROGRAM, FOLDER = sys.argv[1:]
passed = 0


def check(holds, what):
    global passed
    if not holds:
        sys.exit(f"oracle: {what}")
    passed += 1


def events(*arguments):
    done = subprocess.run([PROGRAM, "events", "--data", FOLDER, *arguments], capture_output=True, check=True)
    check(not done.stderr, f"{arguments}: {done.stderr}")
    return done.stdout.decode("utf-8")


def records(*arguments):
    return [json.loads(line) for line in events("--json", *arguments).split("\n")[:-1]]


def is_failure(record):
    data = record["eventData"]
    return bool(data.get("errorCode") or data.get("errorMessage"))


def address(text):
    ip = ipaddress.ip_address(text)
    return getattr(ip, "ipv4_mapped", None) or ip


def shown(text):
    ip = ipaddress.ip_address(text)
    mapped = getattr(ip, "ipv4_mapped", None)
    return f"::ffff:{mapped}" if mapped else str(ip)


def cell(text):
    """By the words of docs/lake.md."""
    formula = tuple("=+-@\t\r\n" + "".join(unicodedata.lookup(f"FULLWIDTH {name}") for name in
                                             ["EQUALS SIGN", "PLUS SIGN", "HYPHEN-MINUS", "COMMERCIAL AT"]))
    text = ";".join("'" + part if part.startswith(formula) else part for part in text.split(";"))
    return "".join(rf"\u{{{ord(c):x}}}" if unicodedata.category(c) in ("Cc", "Cf") else c for c in text)


def row(record):
    data, metadata = record["eventData"], record["metadata"]
    ip = data.get("sourceIPAddress")
    return [
        record["eventTime"],
        cell(data["eventSource"]),
        cell(data["eventName"]),
        "failure" if is_failure(record) else "success",
        cell(data.get("errorCode", "")),
        cell(data.get("errorMessage", "")),
        cell(data["userIdentity"]["type"]),
        cell(data["userIdentity"]["principalId"]),
        shown(ip) if ip else "",
        cell(data.get("userAgent", "")),
        record["recipientAccountId"],
        metadata["channelARN"],
        metadata["ingestionTime"],
        record["eventID"],
        cell(data["UID"]),
        cell(record["entry"]["id"]),
    ]


def rows():
    text = events("--csv")
    check(text.endswith("\r\n") and text.count("\r\n") == text.count("\n") == text.count("\r"), "a line ends otherwise")
    header, *got = csv.reader(io.StringIO(text, newline=""), strict=True)
    check(header[0] == "eventTime" and header[-1] == "id" and len(header) == 16, header)
    want = [row(record) for record in records()]
    check(len(got) == len(want) == 1000, f"{len(got)} rows, {len(want)} records")
    for mine, theirs in zip(got, want):
        check(mine == theirs, f"{mine} is not {theirs}")
        for text in mine:
            check(not any(part[:1] in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") - {""} for part in text.split(";")), text)
    # A spreadsheet where a semicolon parts cells, which takes only a quote at a cell's beginning for one.
    for parts in csv.reader(io.StringIO(text, newline=""), delimiter=";"):
        check(not any(part[:1] in ("=", "+", "-", "@") for part in parts), parts)


def filters():
    everything = records()
    day = datetime.date(2026, 11, 9)
    choices = [
        [(), (("--failed",), is_failure)],
        [(), *((("--ip", ip), lambda record, ip=ip: address(record["eventData"].get("sourceIPAddress", "::")) == address(ip))
               for ip in ["203.0.113.7", "2001:db8::1", "::ffff:198.51.100.23"])],
        [(), (("--channel", "logins"), lambda record: record["metadata"]["channelARN"].endswith("channel/logins")),
         (("--channel", "arn:aws:cloudtrail:eu-west-1:123456789012:channel/orders"),
          lambda record: record["metadata"]["channelARN"].endswith("channel/orders"))],
        [(), (("--since", str(day)), lambda record: record["eventTime"] >= f"{day}T00:00:00Z"),
         (("--until", "2026-11-15T12:00:00Z"), lambda record: record["eventTime"] < "2026-11-15T12:00:00Z")],
        [(), (("--source", "=1;+2"), lambda record: record["eventData"]["eventSource"] == "=1;+2")],
        [(), 3],
    ]
    for chosen in itertools.product(*choices):
        *conditions, limit = chosen
        arguments = [word for condition in conditions if condition for word in condition[0]]
        want = [record for record in everything if all(condition[1](record) for condition in conditions if condition)]
        if limit:
            arguments += ["--limit", str(limit)]
            want = want[-limit:]
        check(records(*arguments) == want, f"{arguments}")


rows()
filters()
print(f"oracles of events: {passed} passed, 0 failed")
