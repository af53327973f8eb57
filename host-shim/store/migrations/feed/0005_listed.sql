-- What is current: exactly the documents that the trusted index lists, and those that the sealed index lists
-- which was opened last. A document can be stored only as long as it is listed: when its row here goes, it goes
-- with it, in the same transaction. No query has to remember to look.

CREATE TABLE listed (
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    private     INTEGER NOT NULL,        -- 1: by the sealed index
    PRIMARY KEY (kind, id),
    UNIQUE (kind, id, revision, digest, private)
);

-- A panel that has lived through a recovery from stolen keys may still hold what only the thief's indexes listed.
-- It fetches everything anew; the roots, and so who may sign, stay.
DELETE FROM documents WHERE (SELECT sequence_epoch FROM feed_state) > 0;
DELETE FROM sealed_payloads WHERE (SELECT sequence_epoch FROM feed_state) > 0;
DELETE FROM waiting;
UPDATE feed_state SET
    version = version + 1, head_bytes = NULL, head_signatures = NULL, index_bytes = NULL, index_signatures = NULL,
    head_root = NULL, private_recipient = NULL, private_entitled = NULL
    WHERE sequence_epoch > 0;

INSERT INTO listed (kind, id, revision, digest, private)
    SELECT kind, id, revision, digest, private FROM documents;

CREATE TABLE documents_of_listed (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    id          TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT NOT NULL,
    private     INTEGER NOT NULL,
    root        INTEGER NOT NULL REFERENCES roots (version),
    accepted    INTEGER NOT NULL,
    signatures  TEXT NOT NULL,
    signers     TEXT NOT NULL,           -- the public keys whose signatures counted, one a line
    bytes       BLOB NOT NULL,
    UNIQUE (kind, id),
    FOREIGN KEY (kind, id, revision, digest, private)
        REFERENCES listed (kind, id, revision, digest, private) ON DELETE CASCADE
);
INSERT INTO documents_of_listed (position, kind, id, revision, digest, private, root, accepted, signatures, signers, bytes)
    SELECT position, kind, id, revision, digest, private, root, accepted, signatures, signers, bytes FROM documents;
DROP TABLE documents;
ALTER TABLE documents_of_listed RENAME TO documents;

-- What is held under embargo is asked for whenever the feed's state is read.
CREATE INDEX listed_private ON listed (kind, id, revision, digest) WHERE private = 1;
