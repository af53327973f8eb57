-- What only this panel knows about trust, and no feed could tell it again.

CREATE TABLE plugin_releases (
    plugin   TEXT PRIMARY KEY,
    release  INTEGER NOT NULL
);

-- What was refused, found damaged or forgotten; newest last.
CREATE TABLE incidents (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     TEXT NOT NULL,
    words    TEXT NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    times    INTEGER NOT NULL
);
