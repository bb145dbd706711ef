-- What the database says of itself: one row.
CREATE TABLE lake (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    identity  BLOB    NOT NULL,                       -- 16 random bytes, which no other database has
    last_seq  INTEGER NOT NULL,                       -- the highest seq that an event ever had: none is used again
    clock     INTEGER,                                -- the time of the latest commit at which the clock was plausible
    confirmed INTEGER,                                -- the time that an operator confirmed, seconds since 1970
    digest    BLOB    NOT NULL
) STRICT;

-- The digest of a row is the SHA-256 over its other columns (docs/lake.md). The program fills it in.
ALTER TABLE channels ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
ALTER TABLE events   ADD COLUMN digest BLOB NOT NULL DEFAULT x'';
