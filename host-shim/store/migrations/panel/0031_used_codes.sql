-- The newest one-time code that each user has logged in with: none is accepted twice.
CREATE TABLE used_codes (
    user TEXT PRIMARY KEY NOT NULL,
    -- The number of its half minute since 1970.
    step INTEGER NOT NULL
) STRICT;
