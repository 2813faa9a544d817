-- What a fleet needs to know of each other.

-- What an owner says of itself: its host, what it does.
ALTER TABLE owner ADD COLUMN info bytea;

-- Resources that handed-over executions wait for, as long as nobody holds them.
CREATE TABLE want (
    execution bigint NOT NULL,
    resource text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (execution, resource)
);

CREATE INDEX want_resource ON want (resource, since);

-- Tasks that anybody may take, the first offered first.
CREATE TABLE offer (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution bigint NOT NULL,
    pending bigint NOT NULL,
    resource text COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX offer_task ON offer (execution, pending);

CREATE INDEX offer_queue ON offer (resource, number);

-- Who uses which of the numbers that limit how many tasks of a resource run at once.
CREATE TABLE slot (
    resource text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    owner text COLLATE "C" NOT NULL,
    PRIMARY KEY (resource, number)
);

-- Idempotency keys of requests that create something, and what was answered.
CREATE TABLE reservation (
    key text COLLATE "C" PRIMARY KEY,
    request text COLLATE "C" NOT NULL,
    answer bytea NOT NULL,
    until bigint NOT NULL
);

CREATE INDEX reservation_until ON reservation (until);

-- Finished executions of a machine in the order of their ends: what is kept for how long.
CREATE INDEX execution_ended ON execution (machine, ended_at, key) WHERE ended_at IS NOT NULL;
