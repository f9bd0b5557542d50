-- The channel of the contact: a move to a queue uses up slots of its channel. Unknown for the actions of before.
ALTER TABLE actions ADD COLUMN channel TEXT;
