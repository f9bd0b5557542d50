-- What a routing update asks for, or what a moved contact is given back; what the contact had before; and how far giving
-- it back has come. Ages are microseconds.

ALTER TABLE actions ADD COLUMN routing_priority INTEGER;
ALTER TABLE actions ADD COLUMN routing_age INTEGER;
ALTER TABLE actions ADD COLUMN before_priority INTEGER;
ALTER TABLE actions ADD COLUMN before_age INTEGER;
ALTER TABLE actions ADD COLUMN place TEXT CHECK (place IN ('due', 'intended', 'given', 'refused', 'gone'));
ALTER TABLE actions ADD COLUMN place_at INTEGER;

CREATE INDEX actions_place ON actions (instance, place) WHERE place IN ('due', 'intended');
