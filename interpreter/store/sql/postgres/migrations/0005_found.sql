-- Executions are looked for by status and by machine, the latest first.
CREATE INDEX execution_status ON execution (status, key);

CREATE INDEX execution_machine ON execution (machine, key);
