-- From when until when this panel was exposed to what, as far as was known here.
CREATE TABLE exposures (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    advisory    TEXT NOT NULL,
    component   TEXT NOT NULL,
    standing    TEXT NOT NULL,     -- exposed, undecided
    version     TEXT,              -- when it began
    since       INTEGER NOT NULL,
    because     TEXT NOT NULL,
    until       INTEGER,           -- none while it lasts
    ended       TEXT               -- why it ended
);

CREATE UNIQUE INDEX lasting_exposure ON exposures (advisory, component) WHERE until IS NULL;
CREATE INDEX exposures_by_time ON exposures (since);
