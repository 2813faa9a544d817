-- What waits of each machine, so that the executions of one do not keep those of the others waiting. Every machine has a
-- name: only statements that say so are led here, and none that asks for no machine.
CREATE INDEX execution_queue ON execution (machine, wake, key) WHERE wake IS NOT NULL AND machine <> '';
