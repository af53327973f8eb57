-- The latest head that was ever accepted. It is not in feed.sqlite, so that a feed.sqlite that is lost, or put back
-- to an earlier day, lets nobody offer an earlier head again.

ALTER TABLE clock ADD COLUMN latest_epoch INTEGER;
ALTER TABLE clock ADD COLUMN latest_sequence INTEGER;
