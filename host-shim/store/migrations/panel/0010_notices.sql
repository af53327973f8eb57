-- Notifications: what was told, what is still to be said to whom, and what each person has read.

-- What somebody was told, or need not be: the facts that the present is compared with. It changes in
-- the very transaction that puts the notices of the change below.
CREATE TABLE notices_told (
    subject  TEXT PRIMARY KEY,  -- JSON: an exposure, an advisory, an application, …
    fact     TEXT NOT NULL      -- JSON
);

CREATE TABLE notices (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    notice  TEXT NOT NULL       -- JSON; of an advisory under embargo no more than its id
);

-- Each notice, once for each channel that wants it.
CREATE TABLE notice_deliveries (
    notice    INTEGER NOT NULL REFERENCES notices (number) ON DELETE CASCADE,
    channel   TEXT NOT NULL,
    urgent    INTEGER NOT NULL,            -- does not wait for the end of quiet hours
    due       INTEGER NOT NULL,            -- not before
    state     TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'given-up')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    ended     INTEGER,
    problem   TEXT,                        -- why the last attempt failed
    PRIMARY KEY (notice, channel)
);

CREATE INDEX notice_deliveries_by_state ON notice_deliveries (channel, state, due);

-- How a channel fares as a whole: one that fails is left alone for a while.
CREATE TABLE notice_channels (
    channel        TEXT PRIMARY KEY,
    attempts       INTEGER NOT NULL DEFAULT 0,  -- that failed in a row
    not_before     INTEGER,
    last_delivery  INTEGER,
    last_failure   INTEGER,
    problem        TEXT
);

-- The newest revision of each advisory that somebody has read.
CREATE TABLE notices_read (
    reader    TEXT NOT NULL,
    advisory  TEXT NOT NULL,
    revision  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (reader, advisory)
);

-- What somebody does not want to see any more. It comes back when the facts below change.
CREATE TABLE notice_dismissals (
    reader       TEXT NOT NULL,
    advisory     TEXT NOT NULL,
    component    TEXT NOT NULL,     -- empty for every component
    revision     INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    fingerprint  TEXT NOT NULL,     -- JSON: digests of the facts that it rests on
    returned     INTEGER,           -- since when it is to be seen again
    why          TEXT,
    PRIMARY KEY (reader, advisory, component)
);
