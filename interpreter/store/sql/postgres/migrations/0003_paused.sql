-- Whether somebody has paused an execution: it is running, and begins nothing new.
ALTER TABLE execution ADD COLUMN paused boolean NOT NULL DEFAULT false;
