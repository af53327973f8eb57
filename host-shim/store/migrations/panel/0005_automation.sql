-- Automatic application: the administrator's policy, what is due when, and what became of it.

CREATE TABLE automation (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    seed        INTEGER NOT NULL,  -- this host's own, made by chance once: its place in a wave
    policy      TEXT,              -- JSON; none until an administrator has decided
    decided     INTEGER,           -- when they did
    decided_by  TEXT,
    announced   INTEGER,           -- when the next window opens, as was promised
    missed      INTEGER            -- the window that was promised and went by without a run
);

CREATE TABLE automation_runs (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    occasion    TEXT NOT NULL,
    began       INTEGER NOT NULL,
    ended       INTEGER,
    late_since  INTEGER,           -- the missed window that it makes up for
    problem     TEXT
);

-- What a run did or held back. A line says "under-way" before anything is begun.
CREATE TABLE automation_lines (
    run         INTEGER NOT NULL REFERENCES automation_runs (number) ON DELETE CASCADE,
    place       INTEGER NOT NULL,
    began       INTEGER NOT NULL,
    line        TEXT NOT NULL,     -- JSON
    PRIMARY KEY (run, place)
);

-- Revisions of corrections that are not applied to a component by themselves any more.
CREATE TABLE quarantine (
    correction  TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    component   TEXT NOT NULL,
    since       INTEGER NOT NULL,
    reason      TEXT NOT NULL,
    PRIMARY KEY (correction, revision, component)
);

-- Until when somebody took back an application does not count against its correction any more.
CREATE TABLE quarantine_releases (
    correction  TEXT NOT NULL,
    component   TEXT NOT NULL,
    at          INTEGER NOT NULL,
    by          TEXT NOT NULL,
    PRIMARY KEY (correction, component)
);
