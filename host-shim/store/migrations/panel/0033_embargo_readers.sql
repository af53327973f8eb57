-- Who opened what was under embargo, and when first. It stays when the embargo is lifted: who knew
-- beforehand can be asked afterwards.
CREATE TABLE embargo_readers (
    advisory  TEXT NOT NULL,
    revision  INTEGER NOT NULL,
    reader    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (advisory, revision, reader)
);
