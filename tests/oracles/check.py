"""Compares what Rust wrote with what Python and openssl make of the same."""

import base64
import hashlib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys

passed = 0


def check(holds, what):
    global passed
    if not holds:
        sys.exit(f"oracle: {what}")
    passed += 1


def distinct(pairs):
    """An object whose keys are all different."""
    keys = [key for key, _ in pairs]
    check(len(keys) == len(set(keys)), f"a key stands twice in {keys}")
    return dict(pairs)


def openssl(data):
    digest = subprocess.run(["openssl", "dgst", "-binary", "-sha256"], input=data, capture_output=True, check=True)
    return base64.b64encode(digest.stdout).decode()


def derived(source):
    if re.fullmatch(r"[-_A-Za-z0-9]{1,128}", source, re.ASCII):
        return source
    return base64.urlsafe_b64encode(hashlib.sha256(source.encode()).digest()).rstrip(b"=").decode()


def texts(value):
    """Whether a value has no floats, whose digits two writers may choose differently."""
    if isinstance(value, float):
        return False
    if isinstance(value, dict):
        return all(map(texts, value.values()))
    return all(map(texts, value)) if isinstance(value, list) else True


def event(case):
    data = case["eventData"]
    read = json.loads(data, object_pairs_hook=distinct)
    value = json.loads(case["value"])
    got = read["requestParameters"]["value"]
    check(got == value, f"{data} does not read back as {case['value']}")
    if texts(value):
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        check(data.endswith(f'"requestParameters":{{"value":{written}}}}}'), f"{data} is not written as {written}")
    check(read["UID"] == case["uid"], f"{data} has another UID")
    check(case["id"] == derived(case["uid"]), f"{case['id']} is not derived from {case['uid']}")
    check(case["checksum"] == base64.b64encode(hashlib.sha256(data.encode()).digest()).decode(), f"checksum of {data}")


def checksum(case):
    expected = openssl(case["data"].encode())
    check(case["checksum"] == expected, f"the checksum of {len(case['data'])} bytes is not openssl's")
    check(case["constant"] in (None, expected), f"the constant checksum of {len(case['data'])} bytes is not openssl's")


def ident(case):
    check(case["id"] == derived(case["source"]), f"{case['id']} is not derived from {case['source']!r}")


def database(folder):
    files = [path for path in pathlib.Path(folder).rglob("*") if path.read_bytes()[:15] == b"SQLite format 3"]
    check(len(files) == 1, f"{folder} has {len(files)} databases")
    connection = sqlite3.connect(files[0])
    rows = connection.execute("SELECT event_data, checksum FROM events").fetchall()
    check(len(rows) > 30, f"only {len(rows)} events are stored")
    for data, stored in rows:
        check(stored == openssl(data.encode()), f"the stored checksum {stored} is not openssl's")


def main():
    kinds = {"event": event, "checksum": checksum, "id": ident}
    with open(sys.argv[1], encoding="utf-8") as cases:
        for line in cases:
            case = json.loads(line)
            kinds[case["kind"]](case)
    database(sys.argv[2])
    print(f"oracles: {passed} passed, 0 failed")


main()
