"""Computes the digest of every row of a lake's database as docs/lake.md describes it, and compares it with the stored one; then
changes values, each of which `audit-lake verify` must find."""

import base64
import hashlib
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

PROGRAM, FOLDER = sys.argv[1:]
passed = 0


def check(holds, what):
    global passed
    if not holds:
        sys.exit(f"oracle: {what}")
    passed += 1


def encoded(value):
    if value is None:
        return b"N" + bytes(8)
    if isinstance(value, int):
        return b"I" + struct.pack(">q", value)
    mark, data = (b"T", value.encode()) if isinstance(value, str) else (b"B", value)
    return mark + struct.pack(">Q", len(data)) + data


def digest(table, values):
    return hashlib.sha256(b"".join(encoded(value) for value in [table, *values])).digest()


def rows(connection, table):
    cursor = connection.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor]


def digests(folder):
    connection = sqlite3.connect(pathlib.Path(folder) / "lake.db")
    count = 0
    for table in ["events", "channels", "lake"]:
        for row in rows(connection, table):
            values = [value for name, value in row.items() if name not in ("event_data", "digest")]
            check(row["digest"] == digest(table, values), f"{table}: {row}")
            count += 1
            if table == "events":
                expected = base64.b64encode(hashlib.sha256(row["event_data"].encode()).digest()).decode()
                check(row["checksum"] == expected, f"the checksum of {row}")
    [lake] = rows(connection, "lake")
    [[highest]] = connection.execute("SELECT max(seq) FROM events")
    check(lake["last_seq"] >= highest and len(lake["identity"]) == 16, lake)
    return count


def verify(folder):
    return subprocess.run([PROGRAM, "verify", "--data", folder], capture_output=True, text=True)


def changes():
    """Each column of each table, changed by one."""
    connection = sqlite3.connect(pathlib.Path(FOLDER) / "lake.db")
    for table in ["events", "channels", "lake"]:
        row = rows(connection, table)[0]
        for name, value in row.items():
            if value is None or isinstance(value, int):
                other = (value or 0) + 1_000_000
            elif isinstance(value, str):
                other = value[:-1] + ("x" if value[-1] != "x" else "y")
            else:
                other = value[:-1] + bytes([value[-1] ^ 1])
            with tempfile.TemporaryDirectory() as copy:
                shutil.copytree(FOLDER, copy, dirs_exist_ok=True)
                changed = sqlite3.connect(pathlib.Path(copy) / "lake.db")
                changed.execute("PRAGMA ignore_check_constraints = ON")
                changed.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = (SELECT min(rowid) FROM {table})", [other])
                changed.commit()
                changed.close()
                found = verify(copy)
                check(found.returncode == 1 and "WRONG" in found.stdout, f"{table}.{name}: {found}")


check(digests(FOLDER) > 100, "too few rows")
sound = verify(FOLDER)
check(sound.returncode == 0 and sound.stdout.splitlines()[-1].startswith("sound: "), sound)
changes()
print(f"oracles of the lake: {passed} passed, 0 failed")
