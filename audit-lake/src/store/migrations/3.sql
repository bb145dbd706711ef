-- What the database says of itself: one row.
CREATE TABLE lake (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    clock     INTEGER,                                -- the time of the latest commit at which the clock was plausible
    confirmed INTEGER                                 -- the time that an operator confirmed, seconds since 1970
) STRICT;

INSERT INTO lake (one, clock) VALUES (1, (SELECT ingestion_time FROM events ORDER BY seq DESC LIMIT 1));
