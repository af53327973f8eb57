-- Applications of corrections. A state is written before the step that it announces begins.

CREATE TABLE applications (
    id          TEXT PRIMARY KEY,
    correction  TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    component   TEXT NOT NULL,
    folder      TEXT NOT NULL,   -- the live tree
    workspace   TEXT NOT NULL,   -- the folder beside it that holds the other tree
    version_from TEXT NOT NULL,
    version_to  TEXT NOT NULL,
    state       TEXT NOT NULL,
    new_tree    INTEGER,         -- the inode of the new tree, which says which tree is live
    began       INTEGER NOT NULL,
    ended       INTEGER,
    by          TEXT NOT NULL,
    reason      TEXT,
    keep        TEXT NOT NULL,   -- JSON: the paths that the component writes at run time
    changes     TEXT NOT NULL    -- JSON: path and digest after, to see whether the tree is as it was left
);

CREATE INDEX applications_by_component ON applications (component, began);
