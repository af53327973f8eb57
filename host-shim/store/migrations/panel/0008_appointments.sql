-- Corrections that an administrator wants applied at the next maintenance window.
CREATE TABLE appointments (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    correction  TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    component   TEXT NOT NULL,
    plan        TEXT NOT NULL,     -- the digest of the plan that was shown
    overwrite   INTEGER NOT NULL,  -- whether what wants a word was given it
    by          TEXT NOT NULL,
    made        INTEGER NOT NULL,
    state       TEXT NOT NULL,     -- waiting, applied, failed, withdrawn
    ended       INTEGER,
    words       TEXT,              -- why it failed, or what kept it waiting the last time
    application TEXT
);

-- One is enough for a component: the later word counts.
CREATE UNIQUE INDEX one_appointment ON appointments (component) WHERE state = 'waiting';
