-- What administrators decided about this machine: a path that is not read, acknowledged; a version that could not be
-- read, set. Added, never changed.
CREATE TABLE local_decisions (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL CHECK (kind IN ('unread', 'version')),
    subject  TEXT NOT NULL,     -- the path as a scan names it, or the component's name
    because  TEXT NOT NULL,     -- why it was not read, as the scan said then
    version  TEXT,              -- the version that was set
    stamp    TEXT NOT NULL,     -- of the file behind it; empty where there is none
    by       TEXT NOT NULL,
    made     INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    CHECK ((kind = 'version') = (version IS NOT NULL))
);

-- How they came to their end: once each.
CREATE TABLE local_decision_ends (
    decision  INTEGER PRIMARY KEY REFERENCES local_decisions (number),
    how       TEXT NOT NULL CHECK (how IN ('lifted', 'replaced', 'expired', 'reopened')),
    by        TEXT NOT NULL,
    at        INTEGER NOT NULL,
    reason    TEXT
);

CREATE TRIGGER local_decisions_are_never_changed BEFORE UPDATE ON local_decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never changed');
END;

CREATE TRIGGER local_decisions_are_never_removed BEFORE DELETE ON local_decisions
BEGIN
    SELECT RAISE(ABORT, 'a decision is never removed');
END;

CREATE TRIGGER local_decision_ends_are_never_changed BEFORE UPDATE ON local_decision_ends
BEGIN
    SELECT RAISE(ABORT, 'the end of a decision is never changed');
END;

CREATE TRIGGER local_decision_ends_are_never_removed BEFORE DELETE ON local_decision_ends
BEGIN
    SELECT RAISE(ABORT, 'the end of a decision is never removed');
END;
