-- The time of the component's file system before its trees were last exchanged, in nanoseconds. What
-- was written to the tree that is not live since then is set aside before that tree is removed.
ALTER TABLE applications ADD COLUMN exchanged INTEGER;
