-- A *case* is called a *wait* from this version on.

ALTER TABLE actions RENAME COLUMN case_id TO wait_id;
