-- Whether somebody has paused an execution: it is running, and begins nothing new.
ALTER TABLE execution ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
