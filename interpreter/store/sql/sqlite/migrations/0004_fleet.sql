-- What engines need to know of each other; one file has one engine at a time, and guests that look.

-- What an owner says of itself: its host, what it does.
ALTER TABLE owner ADD COLUMN info BLOB;

-- Resources that handed-over executions wait for, as long as nobody holds them.
CREATE TABLE want (
    execution INTEGER NOT NULL,
    resource TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (execution, resource)
) WITHOUT ROWID;

CREATE INDEX want_resource ON want (resource, since);

-- Tasks that anybody may take, the first offered first.
CREATE TABLE offer (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    resource TEXT NOT NULL
);

CREATE UNIQUE INDEX offer_task ON offer (execution, pending);

CREATE INDEX offer_queue ON offer (resource, number);

-- Who uses which of the numbers that limit how many tasks of a resource run at once.
CREATE TABLE slot (
    resource TEXT NOT NULL,
    number INTEGER NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (resource, number)
) WITHOUT ROWID;

-- Idempotency keys of requests that create something, and what was answered.
CREATE TABLE reservation (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer BLOB NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX reservation_until ON reservation (until);

-- Finished executions of a machine in the order of their ends: what is kept for how long.
CREATE INDEX execution_ended ON execution (machine, ended_at, key) WHERE ended_at IS NOT NULL;
