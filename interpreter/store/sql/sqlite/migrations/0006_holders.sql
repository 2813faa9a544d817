-- The owner that is handing out a task; while it lives nobody else may take the task.
ALTER TABLE offer ADD COLUMN holder TEXT;
