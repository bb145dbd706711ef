"""The AWS CLI, one process a call."""
import json
import os
import re
import subprocess
import sys
import tempfile

import results

# A clock that is off is set in the CLI's own process, before it starts.
PROGRAM = """
import datetime, os, sys
import botocore.auth
real_now, skew = botocore.auth.get_current_datetime, datetime.timedelta(seconds=int(os.environ["SKEW"]))
botocore.auth.get_current_datetime = lambda *a, **k: real_now(*a, **k) + skew
from awscli.clidriver import main
sys.exit(main())
"""


def call(endpoint, case):
    key = case["key"]
    with tempfile.TemporaryDirectory() as folder:
        config, events = os.path.join(folder, "config"), os.path.join(folder, "events.json")
        with open(config, "w") as file:
            file.write("[default]\nparameter_validation = false\n")
        with open(events, "w") as file:
            json.dump(case["entries"], file)
        environment = {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"],
                       "AWS_DEFAULT_REGION": case["region"], "AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": config,
                       "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "SKEW": str(case["skew"]), "PYTHONUTF8": "1"}
        if key["token"]:
            environment["AWS_SESSION_TOKEN"] = key["token"]
        command = [sys.executable, "-c", PROGRAM, "cloudtrail-data", "put-audit-events", "--endpoint-url", endpoint,
                   "--channel-arn", case["channel"], "--audit-events", f"file://{events}", "--output", "json"]
        if case["external_id"] is not None:
            command += ["--external-id", case["external_id"]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return results.verdicts(json.loads(done.stdout))
    # The CLI tells the code, not the status.
    told = re.search(r"An error occurred \((\w+)\) when calling the PutAuditEvents operation(?: \(reached max retries: 0\))?: (.+)", done.stderr)
    assert told and done.returncode in (254, 255), (case["name"], done)
    return {"error": told[1], "status": None, "typed": None}


results.run(call)
