-- The sequence epoch of the root under which a release ran: whoever had the plugin's key before a recovery may have
-- used the numbers up.
ALTER TABLE plugin_releases ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
