"""The table: every request that each client makes, and what must become of it.

`table.py CLIENT FILE` writes it as JSON for one client; ids carry the client's name, so that no client repeats another's.

A case has: name; channel; external_id; entries; key (id, secret, token); region; skew (seconds that the client's clock is
off); burst (calls at the same time, of which one at least must fail); raw (a change of the request that no SDK makes, for
the client that writes HTTP by hand only); expect: either {"ok": {"successful": [ids], "failed": {id: code}}}, or
{"error": code, "status": status}.
"""
import base64
import hashlib
import json
import sys

OWNER = "123456789012"
CHANNEL = f"arn:aws:cloudtrail:eu-west-1:{OWNER}:channel/EXAMPLE8-0558-4f7e-a06a-43969EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEXAMPLE/session+token=="
OWNERS_KEY = {"id": "AKIDOWNER", "secret": SECRET, "token": None}


def checksum(data):
    return base64.b64encode(hashlib.sha256(data.encode()).digest()).decode()


def event(uid, **changes):
    """An event as a dict; a change of None takes the field out, a dotted name stands for a nested one."""
    fields = {
        "version": "1.0",
        "userIdentity": {"type": "Staff", "principalId": "alice@example.com", "details": {"department": "support"}},
        "userAgent": "orders-admin/3.2",
        "eventSource": "orders.example.com",
        "eventName": "RefundIssued",
        "eventTime": "2026-11-21T10:15:30Z",
        "UID": uid,
        "requestParameters": {"orderId": "ord_01HZX3V7Q8", "amountCents": 1999},
        "recipientAccountId": OWNER,
    }
    for name, value in changes.items():
        place = fields
        *outer, last = name.split(".")
        for part in outer:
            place = place[part]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return fields


def text(fields):
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def entry(id, data):
    return {"id": id, "eventData": data, "eventDataChecksum": checksum(data)}


def object_of(size):
    """A JSON object whose text has so many bytes."""
    return {"x": "y" * (size - len('{"x":""}'))}


class Table:
    def __init__(self, client):
        self.client, self.cases, self.count = client, [], 0

    def id(self):
        self.count += 1
        return f"{self.client}-{self.count:04}"

    def add(self, name, entries, expect, **more):
        case = {"name": name, "channel": CHANNEL, "external_id": None, "entries": entries, "key": OWNERS_KEY,
                "region": "eu-west-1", "skew": 0, "burst": 1, "raw": None, "expect": expect}
        assert not set(more) - set(case), more
        self.cases.append({**case, **more})

    def taken(self, name, data=None, **more):
        """One entry that must be taken."""
        id = self.id()
        self.add(name, [entry(id, text(event(id)) if data is None else data)],
                 {"ok": {"successful": [id], "failed": {}}}, **more)

    def refused(self, name, code, data=None, **more):
        """One entry that must be refused with an entry code, beside one that must be taken all the same."""
        bad, good = self.id(), self.id()
        self.add(name, [entry(bad, text(event(bad)) if data is None else data), entry(good, text(event(good)))],
                 {"ok": {"successful": [good], "failed": {bad: code}}}, **more)

    def error(self, name, status, code, entries=None, **more):
        """A request that must be refused whole."""
        if entries is None:
            id = self.id()
            entries = [entry(id, text(event(id)))]
        self.add(name, entries, {"error": code, "status": status}, **more)


LIMITS = {"version": 256, "userIdentity.type": 128, "userIdentity.principalId": 1024, "userAgent": 1024,
          "eventSource": 1024, "eventName": 1024, "UID": 1024, "errorCode": 256, "errorMessage": 256}
REQUIRED = ["version", "userIdentity", "userIdentity.type", "userIdentity.principalId", "eventSource", "eventName",
            "eventTime", "UID", "recipientAccountId"]
OBJECTS = {"requestParameters": 102_400, "responseElements": 102_400, "additionalEventData": 28_672}
TEXTS = {"latin": "Grüße, naïve café", "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈", "right to left": "שלום \u202eabc", "combining": "e\u0301 \u0928\u093f",
         "CJK": "監査イベント 审计", "line separators": "a\u2028b\u2029c", "controls": "\u0000\u0001\u001f\u007f\u0085",
         "noncharacters": "\ufffe\uffff\U0010ffff", "quotes": "\"\\/'`<>&%+ =?#"}


def good(table):
    table.taken("one entry")
    id = table.id()
    table.add("no checksum", [{"id": id, "eventData": text(event(id))}], {"ok": {"successful": [id], "failed": {}}})
    table.taken("the channel by its ID", channel=CHANNEL.rsplit("/", 1)[1])
    for count in (10, 100):
        ids = [table.id() for _ in range(count)]
        table.add(f"{count} entries", [entry(id, text(event(id))) for id in ids], {"ok": {"successful": ids, "failed": {}}})
    table.taken("every field", text(event("all", userAgent="a", errorCode="E1", errorMessage="no", sourceIPAddress="203.0.113.7",
                                          responseElements={"ok": True}, additionalEventData={"n": [1, 2.5e3, None]})))
    table.taken("an IPv6 address", text(event("v6", sourceIPAddress="2001:db8::1")))
    table.taken("a time without zone", text(event("z", eventTime="2026-11-21T10:15:30")))
    table.taken("white space in the data", json.dumps(event("w"), indent=2).replace("\n", "\r\n\t"))
    table.taken("escapes in the data", json.dumps(event("é👍")))
    for name, value in TEXTS.items():
        table.taken(f"text: {name}", text(event("t", **{"userIdentity.principalId": value, "requestParameters": {value: value}})))
    for name, limit in LIMITS.items():
        table.taken(f"{name} of {limit} characters", text(event("l", **{name: "ü" * limit})))
    for name, limit in OBJECTS.items():
        table.taken(f"{name} of {limit} bytes", text(event("o", **{name: object_of(limit)})))
    base = text(event("big"))
    table.taken("data of 262,144 bytes", base + " " * (262_144 - len(base)))
    for name, id in [("of 1 character", table.client[0]), ("of 128 characters", (table.client + "-_A9" * 40)[:128])]:
        table.add(f"an id {name}", [entry(id, text(event("i")))], {"ok": {"successful": [id], "failed": {}}})
    same = entry(table.id(), text(event("same")))
    for time in ("first", "second", "third"):
        table.add(f"the same entry, {time} time", [same], {"ok": {"successful": [same["id"]], "failed": {}}})
    table.add("the same id, other data", [entry(same["id"], text(event("other")))],
              {"ok": {"successful": [], "failed": {same["id"]: "InvalidData"}}})
    id = table.id()
    for source in ("orders.example.com", "payments.example.com"):
        table.add(f"one id, an event of {source}", [entry(id, text(event(source, eventSource=source)))],
                  {"ok": {"successful": [id], "failed": {}}})
    table.taken("a clock 10 minutes behind", skew=-600)
    table.taken("a clock 10 minutes ahead", skew=600)
    table.taken("a temporary key with its token", key={"id": "ASIATEMPORARY", "secret": SECRET, "token": TOKEN})
    table.taken("the right external ID", channel="external", external_id="partner+7=a,b.c@d:e/f-g_h")
    table.taken("a superfluous external ID", external_id="anything")
    table.taken("a body just below the limit of entries' data", text(event("b", requestParameters=object_of(100_000))))


def bad_entries(table):
    for name, limit in LIMITS.items():
        table.refused(f"{name} of {limit + 1} characters", "FieldTooLong", text(event("l", **{name: "ü" * (limit + 1)})))
    for name, limit in OBJECTS.items():
        table.refused(f"{name} of {limit + 1} bytes", "FieldTooLong", text(event("o", **{name: object_of(limit + 1)})))
    base = text(event("big"))
    table.refused("data of 262,145 bytes", "FieldTooLong", base + " " * (262_145 - len(base)))
    for name in REQUIRED:
        table.refused(f"no {name}", "FieldNotFound", text(event("m", **{name: None})))
    for name in ("version", "userIdentity.type", "userIdentity.principalId", "eventSource", "eventName", "UID"):
        table.refused(f"empty {name}", "FieldNotFound", text(event("e", **{name: ""})))
    for name, value in {"version": 1, "userIdentity": "alice", "userIdentity.details": [], "eventTime": 1795256130,
                        "requestParameters": [], "sourceIPAddress": 1, "recipientAccountId": 123456789012, "UID": True}.items():
        table.refused(f"{name} of a wrong type", "InvalidData", text(event("y", **{name: value})))
    for value in ("2026-11-21T10:15:30+01:00", "2026-11-21T10:15:30.5Z", "2026-02-30T00:00:00Z", "yesterday"):
        table.refused(f"the time {value}", "InvalidData", text(event("t", eventTime=value)))
    for value in ("203.0.113.256", "alice", "2001:db8::1::2"):
        table.refused(f"the address {value}", "InvalidData", text(event("a", sourceIPAddress=value)))
    table.refused("an unknown field", "InvalidData", text(event("u", eventColour="red")))
    table.refused("a key twice", "InvalidData", text(event("k")).replace('"UID"', '"version":"2","UID"'))
    for name, data in {"an array": "[]", "a string": '"x"', "a number": "1", "null": "null", "no JSON": "{", "two objects": "{}{}",
                       "deep nesting": text(event("d")).replace('"ord_01HZX3V7Q8"', "[" * 200 + "]" * 200)}.items():
        table.refused(f"data that is {name}", "InvalidData", data)
    for name, id in {"a space": f"{table.client} x", "a slash": f"{table.client}/x", "129 characters": "x" * 129}.items():
        other = table.id()
        table.add(f"an id with {name}", [entry(id, text(event("i"))), entry(other, text(event(other)))],
                  {"ok": {"successful": [other], "failed": {id: "InvalidData"}}})
    for name, value in {"of other data": checksum("other"), "in hex": hashlib.sha256(b"x").hexdigest(), "cut": "AAAA"}.items():
        bad, ok = table.id(), table.id()
        table.add(f"a checksum {name}", [{**entry(bad, text(event(bad))), "eventDataChecksum": value}, entry(ok, text(event(ok)))],
                  {"ok": {"successful": [ok], "failed": {bad: "InvalidChecksum"}}})
    table.refused("another recipient", "InvalidRecipient", text(event("r", recipientAccountId="999999999999")))
    ours, theirs = table.id(), table.id()
    table.add("a source that the channel does not take",
              [entry(ours, text(event("s"))), entry(theirs, text(event("s", eventSource="payments.example.com")))],
              {"ok": {"successful": [theirs], "failed": {ours: "InvalidEventSource"}}}, channel="sources")
    id = table.id()
    table.add("a channel without destination", [entry(id, text(event(id)))],
              {"ok": {"successful": [], "failed": {id: "AccountNotSubscribed"}}}, channel="nowhere")
    ids = [table.id() for _ in range(3)]
    number = ["boto3", "awscli", "javascript", "rust", "raw", "requests"].index(table.client)
    account = f"33333333333{number}"
    table.add("more events than the rate", [entry(id, text(event(id, recipientAccountId=account))) for id in ids],
              {"ok": {"successful": ids[:1], "failed": {ids[1]: "Throttling", ids[2]: "Throttling"}}},
              channel="few-events", key={"id": f"AKIDFEWEVENTS{number}", "secret": "fewEventsSecretEXAMPLE", "token": None})


def errors(table):
    key = lambda id, secret, token=None: {"id": id, "secret": secret, "token": token}
    table.error("a wrong secret", 403, "InvalidSignatureException", key=key("AKIDOWNER", "wrong"))
    table.error("an unknown key", 403, "UnrecognizedClientException", key=key("AKIDNOBODY", SECRET))
    table.error("a temporary key without its token", 403, "UnrecognizedClientException", key=key("ASIATEMPORARY", SECRET))
    table.error("a temporary key with another token", 403, "UnrecognizedClientException", key=key("ASIATEMPORARY", SECRET, "other"))
    table.error("an expired key", 403, "ExpiredTokenException", key=key("ASIAEXPIRED", SECRET, TOKEN))
    table.error("a clock 20 minutes behind", 400, "RequestExpired", skew=-1200)
    table.error("a clock 20 minutes ahead", 400, "RequestExpired", skew=1200)
    table.error("a region without channels", 403, "InvalidSignatureException", region="ap-south-1")
    table.error("a channel of another region", 400, "UnsupportedOperationException", channel="elsewhere")
    table.error("an account that did not opt in", 403, "OptInRequired", key=key("AKIDUNSUBSCRIBED", "unsubscribedSecretEXAMPLE"))
    table.error("another account's channel", 400, "ChannelInsufficientPermission", key=key("AKIDOTHER", "otherSecretEXAMPLE"))
    table.error("a channel ARN that is not there", 400, "ChannelNotFound", channel=CHANNEL + "x")
    table.error("a channel ID that is not there", 400, "ChannelNotFound", channel="nothing")
    table.error("an ARN of another service", 400, "InvalidChannelARN", channel="arn:aws:s3:::bucket")
    table.error("an ARN without account", 400, "InvalidChannelARN", channel="arn:aws:cloudtrail:eu-west-1::channel/x")
    table.error("a channel name with a space", 400, "InvalidChannelARN", channel="two words")
    table.error("a wrong external ID", 403, "AccessDeniedException", channel="external", external_id="partner")
    table.error("no external ID where one is needed", 403, "AccessDeniedException", channel="external")
    table.error("an external ID that breaks its pattern", 400, "ValidationError", external_id="two words")
    table.error("an external ID of 1,225 characters", 400, "ValidationError", external_id="x" * 1225)
    table.error("a channel of another schema", 400, "ChannelUnsupportedSchema", channel="other-schema")
    ids = [table.id() for _ in range(101)]
    table.error("101 entries", 400, "ValidationError", [entry(id, text(event(id))) for id in ids])
    table.error("no entries", 400, "ValidationError", [])
    one = entry(table.id(), text(event("d")))
    table.error("an id twice", 400, "DuplicatedAuditEventId", [one, {**one}])
    large = [entry(table.id(), text(event("x", requestParameters=object_of(102_000)))) for _ in range(11)]
    table.error("a body of more than 1 MiB", 413, "RequestEntityTooLargeException", large)
    table.error("more requests than the rate", 400, "ThrottlingException", burst=6, channel="few-requests",
                key=key("AKIDFEWREQUESTS", "fewRequestsSecretEXAMPLE"))


def by_hand(table):
    """What no SDK sends."""
    raw = lambda **change: {"raw": change}
    table.taken("presigned", **raw(presign=300))
    table.taken("presigned with a session token", key={"id": "ASIATEMPORARY", "secret": SECRET, "token": TOKEN}, **raw(presign=300))
    table.error("presigned, of 20 minutes ago", 400, "RequestExpired", skew=-1200, **raw(presign=3600))
    table.error("presigned for 60 s, of 2 minutes ago", 400, "RequestExpired", skew=-120, **raw(presign=60))
    table.error("presigned, with another body", 403, "InvalidSignatureException", **raw(presign=300, body_after="{}"))
    table.taken("a body of 1,048,576 bytes", **raw(pad_to=1_048_576))
    table.error("a body of 1,048,577 bytes", 413, "RequestEntityTooLargeException", **raw(pad_to=1_048_577))
    table.taken("a chunked body", **raw(chunked=True))
    table.taken("signed headers in capitals on the wire, with padding", **raw(headers={"X-Amz-Extra": "  a   b  "}))
    table.error("not signed", 403, "IncompleteSignature", **raw(unsigned=True))
    table.error("a body changed on the way", 403, "InvalidSignatureException", **raw(body_after='{"auditEvents":[]}'))
    table.error("a query changed on the way", 403, "InvalidSignatureException", **raw(query_after="&externalId=added"))
    table.error("an x-amz- header added on the way", 403, "IncompleteSignature", **raw(headers_after={"X-Amz-Extra": "1"}))
    table.error("signed for another service", 403, "InvalidSignatureException", **raw(service="cloudtrail"))
    table.error("an encoded body", 400, "MalformedHttpRequestException", **raw(headers={"Content-Encoding": "gzip"}))
    table.error("a broken escape in the query", 400, "MalformedHttpRequestException", **raw(query_after="&x=%zz"))
    table.error("another path", 404, "UnknownOperationException", **raw(path="/GetAuditEvents"))
    table.error("another method", 404, "UnknownOperationException", **raw(method="PUT"))
    table.error("no channel", 400, "ValidationError", **raw(query=""))
    table.error("the channel twice", 400, "ValidationError", **raw(query="channelArn=external&channelArn=nowhere"))
    table.error("a body that stops short", 400, "RequestAbortedException", **raw(stop_after=20))
    table.error("a body that never comes", 408, "RequestTimeoutException", **raw(stall_after=20))
    for name, body in {"no JSON": "{", "not an object": "[]", "no auditEvents": "{}", "entries that are no list": '{"auditEvents":1}',
                       "an entry without id": '{"auditEvents":[{"eventData":"{}"}]}', "a key twice": '{"auditEvents":[],"auditEvents":[]}',
                       "data that is an object": '{"auditEvents":[{"id":"a","eventData":{}}]}'}.items():
        table.error(f"a body that is {name}", 400, "ValidationError", **raw(body=body))
    bad = table.id()
    table.add("an entry without data", [{"id": bad}], {"ok": {"successful": [], "failed": {bad: "FieldNotFound"}}},
              raw={"body": json.dumps({"auditEvents": [{"id": bad}]})})


def table_for(client):
    table = Table(client)
    good(table)
    bad_entries(table)
    errors(table)
    if client == "raw":
        by_hand(table)
    return table.cases


if __name__ == "__main__":
    client, path = sys.argv[1:]
    with open(path, "w") as file:
        json.dump(table_for(client), file)
