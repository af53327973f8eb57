-- Applications stop and start what they correct, and several can stand and fall together.

ALTER TABLE applications ADD COLUMN plan TEXT;       -- applications of one plan succeed or fail together
ALTER TABLE applications ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0;   -- whether the component is stopped and started
ALTER TABLE applications ADD COLUMN panel INTEGER NOT NULL DEFAULT 0;      -- whether the panel goes with it
ALTER TABLE applications ADD COLUMN health TEXT;     -- the health check that the correction names
ALTER TABLE applications ADD COLUMN owes_start INTEGER NOT NULL DEFAULT 0; -- it ran before, and must run in the end
ALTER TABLE applications ADD COLUMN old_bytes INTEGER;   -- what the old tree takes up

UPDATE applications SET plan = id;

CREATE INDEX applications_by_plan ON applications (plan);
