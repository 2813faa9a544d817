-- The owner at work on the request of a key; nobody once it is answered.
ALTER TABLE reservation ADD COLUMN holder TEXT;
