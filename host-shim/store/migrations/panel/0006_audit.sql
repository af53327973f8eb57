-- What was done and decided here: entries that are only ever added, each chained to the one before.

CREATE TABLE audit (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,  -- from 1, without gaps; SQLite remembers the highest
    entry   TEXT NOT NULL,                      -- JSON, the very bytes that were hashed
    hash    BLOB NOT NULL                       -- SHA-256 over the hash before and the entry
);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an entry of the audit log is never changed');
END;

CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'an entry of the audit log is never removed');
END;

-- Also keeps INSERT OR REPLACE from taking an entry's place.
CREATE TRIGGER audit_grows_at_its_end BEFORE INSERT ON audit
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM audit)
BEGIN
    SELECT RAISE(ABORT, 'the audit log grows at its end, one entry at a time');
END;

-- Who signed what an application applies: noted before it begins, for the entry that ends it.
CREATE TABLE audit_signed (
    application  TEXT PRIMARY KEY,
    advisories   TEXT NOT NULL,  -- JSON: the advisories that the correction answers
    keys         TEXT NOT NULL   -- JSON: the ids of the keys whose signatures counted
);

-- What administrators decided about exposures: added, never changed.
CREATE TABLE decisions (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT NOT NULL CHECK (kind IN ('workaround', 'acceptance')),
    advisory     TEXT NOT NULL,
    revision     INTEGER NOT NULL,  -- of the advisory that was looked at
    workaround   TEXT,              -- its id within the advisory; none for an acceptance
    component    TEXT,              -- none for every component
    by           TEXT NOT NULL,
    made         INTEGER NOT NULL,
    until        INTEGER,
    reason       TEXT,
    fingerprint  TEXT NOT NULL,     -- JSON: digests of the facts that it rests on
    CHECK ((kind = 'workaround') = (workaround IS NOT NULL))
);

CREATE INDEX decisions_by_advisory ON decisions (advisory);

-- How they came to their end: once each.
CREATE TABLE decision_ends (
    decision  INTEGER PRIMARY KEY REFERENCES decisions (number),
    how       TEXT NOT NULL CHECK (how IN ('lifted', 'replaced', 'expired', 'reopened')),
    by        TEXT NOT NULL,
    at        INTEGER NOT NULL,
    reason    TEXT
);

CREATE TRIGGER decisions_are_never_changed BEFORE UPDATE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never changed');
END;

CREATE TRIGGER decisions_are_never_removed BEFORE DELETE ON decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never removed');
END;

CREATE TRIGGER decision_ends_are_never_changed BEFORE UPDATE ON decision_ends
BEGIN
    SELECT RAISE(ABORT, 'the end of a decision is never changed');
END;

CREATE TRIGGER decision_ends_are_never_removed BEFORE DELETE ON decision_ends
BEGIN
    SELECT RAISE(ABORT, 'the end of a decision is never removed');
END;
