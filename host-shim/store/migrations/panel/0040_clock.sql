-- What this panel remembers of the time. It cannot be fetched again, so that it is not in feed.sqlite: a power
-- loss that damages that file may be the very one that set the clock back.

CREATE TABLE clock (
    only           INTEGER PRIMARY KEY CHECK (only = 1),
    latest         INTEGER NOT NULL DEFAULT 0,  -- the latest time by which anything was decided
    seen           INTEGER,                     -- what the clock said when the following were seen expired
    root           TEXT,                        -- the digest of the newest root seen expired
    head_epoch     INTEGER,                     -- the sequence epoch of the latest head seen expired
    head_sequence  INTEGER,                     -- its sequence
    head_digest    TEXT                         -- the digest of its bytes
);

INSERT INTO clock (only) VALUES (1);
