-- Channels that events came in by. Their ARN stands once, not in each event.
CREATE TABLE channels (
    channel INTEGER PRIMARY KEY,
    arn     TEXT NOT NULL UNIQUE
) STRICT;

-- One row for each event that was acknowledged.
CREATE TABLE events (
    seq            INTEGER PRIMARY KEY,                        -- the order of ingestion
    channel        INTEGER NOT NULL REFERENCES channels (channel),
    id             TEXT    NOT NULL,                           -- the entry's id, given by the sender
    event_id       TEXT    NOT NULL,                           -- eventID, given by the lake
    checksum       TEXT    NOT NULL,                           -- base64 of the SHA-256 of event_data
    event_time     INTEGER NOT NULL,                           -- eventTime, seconds since 1970-01-01T00:00:00Z
    ingestion_time INTEGER NOT NULL,                           -- likewise
    event_source   TEXT    NOT NULL,
    event_name     TEXT    NOT NULL,
    principal_id   TEXT    NOT NULL,                           -- userIdentity.principalId
    event_data     TEXT    NOT NULL                            -- byte for byte as received
) STRICT;

CREATE UNIQUE INDEX events_by_id        ON events (id, channel);
CREATE INDEX        events_by_time      ON events (event_time);
CREATE INDEX        events_by_source    ON events (event_source, event_time);
CREATE INDEX        events_by_name      ON events (event_name, event_time);
CREATE INDEX        events_by_principal ON events (principal_id, event_time);

-- Each event as the record that CloudTrail would hold. eventData stands in it byte for byte.
CREATE VIEW records AS
SELECT
    e.seq,
    e.id,
    e.event_id,
    e.checksum,
    '{"eventVersion":"1.0","eventCategory":"ActivityAuditLog","eventType":"ActivityLog","eventID":"' || e.event_id
        || '","eventTime":"' || strftime('%Y-%m-%dT%H:%M:%SZ', e.event_time, 'unixepoch')
        -- An ARN is arn:<partition>:cloudtrail:<region>:<account of 12 digits>:channel/<id>.
        || '","awsRegion":"' || substr(c.arn, instr(c.arn, ':cloudtrail:') + 12,
                                       instr(substr(c.arn, instr(c.arn, ':cloudtrail:') + 12), ':') - 1)
        || '","recipientAccountId":"' || substr(c.arn, instr(c.arn, ':channel/') - 12, 12)
        || '","metadata":{"ingestionTime":"' || strftime('%Y-%m-%dT%H:%M:%SZ', e.ingestion_time, 'unixepoch')
        || '","channelARN":"' || c.arn
        || '"},"eventData":' || e.event_data || '}' AS record
FROM events AS e
JOIN channels AS c USING (channel);
