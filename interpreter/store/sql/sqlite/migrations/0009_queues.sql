-- What waits of each machine, so that the executions of one do not keep those of the others waiting.
CREATE INDEX execution_queue ON execution (machine, CASE WHEN ready THEN 0 ELSE due END)
    WHERE ended_at IS NULL AND owner IS NULL AND (ready OR due IS NOT NULL);
