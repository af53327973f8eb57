-- Tokens of the API: of each only the SHA-256 of its secret.
CREATE TABLE tokens (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    hash     BLOB NOT NULL UNIQUE,
    scopes   TEXT NOT NULL,     -- words with a space between them
    by       TEXT NOT NULL,
    made     INTEGER NOT NULL,
    expires  INTEGER,           -- none for never
    revoked  INTEGER,
    used     INTEGER            -- about when, last
) STRICT;

-- A name can be given again once the token that had it is revoked.
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked IS NULL;
