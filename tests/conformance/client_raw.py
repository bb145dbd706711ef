"""HTTP/1.1 by hand, signed by hand from the specification of Signature Version 4: shares no line with any SDK."""
import datetime
import hashlib
import hmac
import json
import socket
import urllib.parse

import results

QUOTE = lambda text: urllib.parse.quote(text, safe="-_.~")


def canonical_query(query):
    pairs = [part.partition("=") for part in query.split("&") if part]
    decode = urllib.parse.unquote_plus
    return "&".join(f"{name}={value}" for name, value in sorted((QUOTE(decode(n)), QUOTE(decode(v))) for n, _, v in pairs))


def signature(secret, scope, stamp, request):
    date, region, service, end = scope.split("/")
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def call(endpoint, case):
    raw, key = case["raw"] or {}, case["key"]
    host = endpoint.removeprefix("http://")
    method, path = raw.get("method", "POST"), raw.get("path", "/PutAuditEvents")
    query = "channelArn=" + QUOTE(case["channel"])
    if case["external_id"] is not None:
        query += "&externalId=" + QUOTE(case["external_id"])
    query = raw.get("query", query)
    body = raw.get("body", json.dumps({"auditEvents": case["entries"]}))
    body += " " * (raw.get("pad_to", 0) - len(body.encode()))

    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=case["skew"])
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{case['region']}/{raw.get('service', 'cloudtrail-data')}/aws4_request"
    headers = {"Host": host, "Content-Type": "application/json", **raw.get("headers", {})}
    if not raw.get("presign"):
        headers["X-Amz-Date"] = stamp
        if key["token"]:
            headers["X-Amz-Security-Token"] = key["token"]
    names = sorted(name.lower() for name in headers)
    if raw.get("presign"):
        more = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{key['id']}/{scope}", "X-Amz-Date": stamp,
                "X-Amz-Expires": str(raw["presign"]), "X-Amz-SignedHeaders": ";".join(names)}
        if key["token"]:
            more["X-Amz-Security-Token"] = key["token"]
        query += "".join(f"&{name}={QUOTE(value)}" for name, value in more.items())
    lines = "".join(f"{name.lower()}:{' '.join(value.split())}\n" for name, value in sorted(headers.items(), key=lambda h: h[0].lower()))
    signed = signature(key["secret"], scope, stamp, "\n".join(
        [method, path, canonical_query(query), lines, ";".join(names), hashlib.sha256(body.encode()).hexdigest()]))
    if raw.get("presign"):
        query += f"&X-Amz-Signature={signed}"
    elif not raw.get("unsigned"):
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={key['id']}/{scope}, SignedHeaders={';'.join(names)}, "
                                    f"Signature={signed}")
    query += raw.get("query_after", "")
    headers.update(raw.get("headers_after", {}))
    payload = raw.get("body_after", body).encode()
    if raw.get("chunked"):
        headers["Transfer-Encoding"] = "chunked"
        pieces = [payload[at:at + 100] for at in range(0, len(payload), 100)] + [b""]
        payload = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    else:
        headers["Content-Length"] = str(len(payload))
    payload = payload[:raw.get("stop_after", raw.get("stall_after", len(payload)))]
    head = f"{method} {path}?{query} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    return exchange(host, head.encode() + payload, half_close="stop_after" in raw)


def exchange(host, request, half_close):
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        connection.sendall(request)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            headers = {}
            while line := answer.readline().strip():
                header, _, value = line.decode().partition(":")
                headers[header.lower()] = value.strip()
            body = json.loads(answer.read(int(headers["content-length"])))
    assert len(headers["x-amzn-requestid"]) == 36 and headers["content-type"] == "application/json", headers
    if status == 200:
        return results.verdicts(body)
    assert body["message"], body
    return {"error": headers["x-amzn-errortype"], "status": status, "typed": None}


results.run(call)
