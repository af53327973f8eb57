-- What each mirror said of its head, to hear from that mirror whether it changed. No other mirror is
-- ever told: what one says of a head must not keep another from showing a newer one.

CREATE TABLE validators (
    mirror      TEXT PRIMARY KEY,        -- its address
    validator   TEXT NOT NULL,
    head        TEXT NOT NULL            -- the digest of the head that it was given for
);

ALTER TABLE feed_state DROP COLUMN head_validator;

-- Heads that were seen expired, by whatever clock. None of them is good again because the clock goes back.
CREATE TABLE expired_heads (
    number      INTEGER PRIMARY KEY,     -- newest last
    digest      TEXT NOT NULL UNIQUE
);
