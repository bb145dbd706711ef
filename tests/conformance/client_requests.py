"""requests with aws-requests-auth, which signs host and date only, and sends the body's hash unsigned."""
import datetime
import json
import threading

import aws_requests_auth.aws_auth as aws_auth
import requests

import results

lock = threading.Lock()
real = datetime.datetime


def clock(skew):
    """The module `datetime` as aws-requests-auth sees it, with a clock that is off."""
    class Skewed(real):
        @classmethod
        def utcnow(cls):
            return real.now(datetime.timezone.utc) + datetime.timedelta(seconds=skew)
    return type("Module", (), {"datetime": Skewed})


def call(endpoint, case):
    key = case["key"]
    auth = aws_auth.AWSRequestsAuth(key["id"], key["secret"], endpoint.removeprefix("http://"), case["region"], "cloudtrail-data",
                                    key["token"])
    parameters = {"channelArn": case["channel"]}
    if case["external_id"] is not None:
        parameters["externalId"] = case["external_id"]
    # It takes the query as it is, and signs + where the specification has %20.
    query = requests.compat.urlencode(parameters, quote_via=requests.compat.quote, safe="")
    request = requests.Request("POST", f"{endpoint}/PutAuditEvents?{query}", data=json.dumps({"auditEvents": case["entries"]}),
                               headers={"Content-Type": "application/json"})
    session = requests.Session()
    prepared = session.prepare_request(request)
    with lock:
        aws_auth.datetime = clock(case["skew"])
        prepared = auth(prepared)
    assert "x-amz-content-sha256" in prepared.headers and "content-sha256" not in prepared.headers["Authorization"]
    answer = session.send(prepared)
    assert len(answer.headers["x-amzn-requestid"]) == 36, answer.headers
    if answer.status_code == 200:
        return results.verdicts(answer.json())
    assert answer.json()["message"], answer.text
    return {"error": answer.headers["x-amzn-errortype"], "status": answer.status_code, "typed": None}


results.run(call)
