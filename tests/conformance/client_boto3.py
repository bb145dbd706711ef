"""boto3."""
import datetime
import threading

import boto3
import botocore.auth
import botocore.config
import botocore.exceptions

import results

skew = 0
real_now = botocore.auth.get_current_datetime if hasattr(botocore.auth, "get_current_datetime") else None
assert real_now, "this botocore takes its time from somewhere else"
botocore.auth.get_current_datetime = lambda *a, **k: real_now(*a, **k) + datetime.timedelta(seconds=skew)
lock = threading.Lock()
CONFIG = botocore.config.Config(parameter_validation=False, retries={"max_attempts": 0})


def call(endpoint, case):
    global skew
    key = case["key"]
    with lock:
        skew = case["skew"]
        client = boto3.session.Session().client(
            "cloudtrail-data", endpoint_url=endpoint, region_name=case["region"], aws_access_key_id=key["id"],
            aws_secret_access_key=key["secret"], aws_session_token=key["token"], config=CONFIG)
    parameters = {"channelArn": case["channel"], "auditEvents": case["entries"]}
    if case["external_id"] is not None:
        parameters["externalId"] = case["external_id"]
    try:
        return results.verdicts(client.put_audit_events(**parameters))
    except botocore.exceptions.ClientError as error:
        metadata = error.response["ResponseMetadata"]
        assert metadata["RequestId"] and error.response["Error"]["Message"], error.response
        return {"error": error.response["Error"]["Code"], "status": metadata["HTTPStatusCode"], "typed": type(error).__name__}


results.run(call)
