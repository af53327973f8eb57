-- What the plugin wants to remember.

CREATE TABLE plugin_state (
    key    TEXT PRIMARY KEY,
    value  BLOB NOT NULL
);
