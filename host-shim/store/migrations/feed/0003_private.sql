-- What came sealed, under embargo, and what became of the private side of the feed.

ALTER TABLE documents ADD COLUMN private INTEGER NOT NULL DEFAULT 0;
ALTER TABLE waiting ADD COLUMN private INTEGER NOT NULL DEFAULT 0;

-- Who looked at the private side of the index that is current, and whether there was an envelope; none where
-- nobody did.
ALTER TABLE feed_state ADD COLUMN private_recipient TEXT;
ALTER TABLE feed_state ADD COLUMN private_entitled INTEGER;

-- The sealed files of payloads, and the keys to them.
CREATE TABLE sealed_payloads (
    digest      TEXT PRIMARY KEY,        -- of the payload
    sealed      TEXT NOT NULL,           -- the digest of the sealed file
    length      INTEGER NOT NULL,        -- its bytes
    key         BLOB NOT NULL
);
