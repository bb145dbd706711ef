-- The sources of a channel number their events independently: an id is one event's within its channel and source.
DROP INDEX events_by_id;
CREATE UNIQUE INDEX events_by_id ON events (id, event_source, channel);
