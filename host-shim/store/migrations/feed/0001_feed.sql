-- What this panel believes of its feed. All of it can be fetched again. Stored bytes are the bytes
-- received.

CREATE TABLE feed_state (
    only              INTEGER PRIMARY KEY CHECK (only = 1),
    epoch             INTEGER NOT NULL,  -- names this store to readers of the document stream
    version           INTEGER NOT NULL DEFAULT 0,  -- grows with every change of root, head or index
    sequence_epoch    INTEGER NOT NULL DEFAULT 0,
    head_bytes        BLOB,
    head_signatures   TEXT,
    head_validator    TEXT,              -- what to say to hear whether the head changed
    index_bytes       BLOB,
    index_signatures  TEXT,
    head_root         INTEGER,           -- the root under which head and index were verified
    latest_time       INTEGER NOT NULL DEFAULT 0,  -- the latest time by which anything was decided
    last_word         INTEGER,           -- when the feed last had something good to say
    problem           TEXT,              -- why the last attempt failed
    damage            TEXT               -- what was found damaged; the next sync builds all of it anew
);

CREATE TABLE roots (
    version     INTEGER PRIMARY KEY,
    bytes       BLOB NOT NULL,
    signatures  TEXT NOT NULL
);

CREATE TABLE documents (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    signatures  TEXT NOT NULL,
    signers     TEXT NOT NULL,           -- the public keys whose signatures counted, one a line
    root        INTEGER NOT NULL REFERENCES roots (version),
    accepted    INTEGER NOT NULL,
    UNIQUE (kind, id)
);

-- Documents that were verified, and wait until everything that the head promises has come.
CREATE TABLE waiting (
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    bytes       BLOB NOT NULL,
    signatures  TEXT NOT NULL,
    signers     TEXT NOT NULL,
    root        INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
);
