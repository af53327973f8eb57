-- Whether the old version may not cope with what the new one has written, as the vendor says.
ALTER TABLE applications ADD COLUMN one_way INTEGER NOT NULL DEFAULT 0;
