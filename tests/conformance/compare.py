"""Holds every client's results against the table, prints both side by side, and tells what was stored but not acknowledged,
or acknowledged but not stored.

`compare.py FOLDER STORED`: FOLDER has table-CLIENT.json and results-CLIENT.json; STORED is what `audit-lake events --json`
shows at the end.
"""
import json
import os
import sys

CLIENTS = ["boto3", "awscli", "javascript", "rust", "requests", "raw"]
# The operation's own errors, which these clients have an exception of its own for.
TYPED = {"ChannelInsufficientPermission", "ChannelNotFound", "ChannelUnsupportedSchema", "DuplicatedAuditEventId",
         "InvalidChannelARN", "UnsupportedOperationException"}
TYPING_CLIENTS = {"boto3", "rust"}


def load(folder, kind, client):
    with open(os.path.join(folder, f"{kind}-{client}.json")) as file:
        return json.load(file)


def wrong(client, case, outcome):
    """What is wrong with an outcome, or None."""
    expected = case["expect"]
    if outcome is None:
        return "was not called"
    if "ok" in expected:
        if "ok" not in outcome:
            return f"refused: {outcome}"
        successful, failed = outcome["ok"]["successful"], outcome["ok"]["failed"]
        if sorted(successful) != sorted(expected["ok"]["successful"]) or failed != expected["ok"]["failed"]:
            return f"expected {expected['ok']}, got {outcome['ok']}"
        return None
    if outcome.get("error") != expected["error"]:
        return f"expected {expected['error']}, got {outcome}"
    if outcome["status"] not in (expected["status"], None):
        return f"expected status {expected['status']}, got {outcome}"
    if client in TYPING_CLIENTS and expected["error"] in TYPED and outcome["typed"] != expected["error"]:
        return f"expected the typed exception {expected['error']}, got {outcome}"
    return None


def main():
    folder, stored_file = sys.argv[1:]
    tables = {client: load(folder, "table", client) for client in CLIENTS}
    outcomes = {client: load(folder, "results", client) for client in CLIENTS}
    names = [case["name"] for case in tables["raw"]]
    faults, acknowledged = [], {}
    print(f"{'':56}" + "".join(f"{client:>12}" for client in CLIENTS))
    for name in names:
        row = ""
        for client in CLIENTS:
            case = next((case for case in tables[client] if case["name"] == name), None)
            if case is None:
                row += f"{'-':>12}"
                continue
            outcome = outcomes[client].get(name)
            fault = wrong(client, case, outcome)
            row += f"{'WRONG' if fault else 'ok':>12}"
            if fault:
                faults.append(f"{client}: {name}: {fault}"[:1000])
            data = {entry["id"]: entry.get("eventData") for entry in case["entries"]}
            for id, event_id in ((outcome or {}).get("ok") or {}).get("successful", {}).items():
                # The sources of a channel number their events independently.
                event = (id, json.loads(data[id])["eventSource"])
                if acknowledged.setdefault(event, event_id) != event_id:
                    faults.append(f"{client}: {name}: the event {event} has two eventIDs")
        print(f"{name:56}{row}")
    stored = {}
    with open(stored_file) as file:
        for line in file:
            record = json.loads(line)
            event = (record["entry"]["id"], record["eventData"]["eventSource"])
            if stored.setdefault(event, record["eventID"]) != record["eventID"]:
                faults.append(f"the event {event} is stored twice")
    if stored != acknowledged:
        differing = sorted(set(stored.items()) ^ set(acknowledged.items()))
        faults.append(f"what is stored is not what was acknowledged: {differing[:10]}")
    for client in CLIENTS:
        print(f"{client}: {len(tables[client])} requests")
    print(f"stored and acknowledged: {len(stored)} events")
    for fault in faults:
        print("WRONG:", fault)
    if faults:
        sys.exit(f"{len(faults)} faults")
    print("all as it must be")


main()
