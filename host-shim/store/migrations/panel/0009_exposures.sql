-- From when until when this panel was exposed to what, as far as was known here.
CREATE TABLE exposures (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    advisory    TEXT NOT NULL,
    component   TEXT NOT NULL,
    verdict     TEXT NOT NULL,     -- affected, unknown
    version     TEXT,              -- when it began
    since       INTEGER NOT NULL,
    because     TEXT NOT NULL,
    until       INTEGER,           -- none while it lasts
    ended       TEXT               -- why it ended
);

CREATE UNIQUE INDEX lasting_exposure ON exposures (advisory, component) WHERE until IS NULL;
CREATE INDEX exposures_by_time ON exposures (since);

-- Since when the record is kept: nobody can say from it what was before.
CREATE TABLE exposure_record (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    began       INTEGER NOT NULL
);
