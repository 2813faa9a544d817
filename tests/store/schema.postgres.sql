-- The whole Postgres layout as the latest migration leaves it. Instants are milliseconds since the epoch. Values are bytes: a database
-- that understood them would refuse some and rewrite others. No foreign keys: they would lock an execution's
-- row for every segment; what belongs to an execution is deleted with it, under that lock.

-- What leases are measured by: the clock of the database, which every machine of a fleet shares. The
-- beginning of the transaction is never later than the statement, so a lease is never longer than it says.
CREATE FUNCTION lease_clock() RETURNS bigint LANGUAGE sql STABLE
    AS $$ SELECT floor(extract(epoch FROM transaction_timestamp()) * 1000)::bigint $$;

-- Facts about the store itself: the version of the store protocol.
CREATE TABLE meta (
    name text PRIMARY KEY,
    value text NOT NULL
);

-- Published definitions, by content.
CREATE TABLE machine (
    number bigint GENERATED ALWAYS AS IDENTITY,
    digest text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    definition bytea NOT NULL,
    published_at bigint NOT NULL,
    PRIMARY KEY (digest, name)
);

CREATE INDEX machine_named ON machine (name, published_at, number);

-- One narrow row per execution: the only row that is updated again and again, so it holds no payload. An
-- update that changes no indexed column leaves the indexes alone, if the page has room: that is every
-- transition of an execution that is held, since `wake` stands still as long as somebody holds it.
CREATE TABLE execution (
    key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    last bigint NOT NULL,
    fence bigint NOT NULL,
    claims bigint NOT NULL,
    due bigint,
    ended_at bigint,
    started_at bigint NOT NULL,
    ready boolean NOT NULL,
    status text COLLATE "C" NOT NULL,
    owner text COLLATE "C",
    id text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    machine text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL,
    profile text COLLATE "C" NOT NULL,
    parent text COLLATE "C",
    -- The instant at which it needs attention, while it is unfinished and nobody holds it.
    wake bigint GENERATED ALWAYS AS
        (CASE WHEN owner IS NULL AND ended_at IS NULL THEN CASE WHEN ready THEN 0 ELSE due END END) STORED,
    version text COLLATE "C",
    alias text COLLATE "C",
    origin text COLLATE "C",
    paused boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);

CREATE UNIQUE INDEX execution_id ON execution (id);

CREATE INDEX execution_waiting ON execution (wake, key) WHERE wake IS NOT NULL;

CREATE INDEX execution_queue ON execution (machine, wake, key) WHERE wake IS NOT NULL AND machine <> '';

CREATE INDEX execution_held ON execution (owner) WHERE owner IS NOT NULL;

CREATE INDEX execution_child ON execution (parent) WHERE parent IS NOT NULL;

CREATE INDEX execution_version ON execution (version, key) WHERE version IS NOT NULL;

CREATE INDEX execution_alias ON execution (alias, key) WHERE alias IS NOT NULL;

CREATE INDEX execution_status ON execution (status, key);

CREATE INDEX execution_machine ON execution (machine, key);

-- The log: one row per batch of an execution, appended and never changed.
CREATE TABLE segment (
    execution bigint NOT NULL,
    after bigint NOT NULL,
    last bigint NOT NULL,
    control bytea NOT NULL,
    payloads bytea NOT NULL
) WITH (autovacuum_vacuum_insert_scale_factor = 0.5);

CREATE UNIQUE INDEX segment_log ON segment (execution, after);

-- Values too large for a segment, once per execution.
CREATE TABLE blob (
    execution bigint NOT NULL,
    digest text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (execution, digest)
);

-- Signals from elsewhere. A drained one keeps its row without a body: its dedupe id stays taken.
CREATE TABLE inbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    execution bigint NOT NULL,
    dedupe text COLLATE "C" NOT NULL,
    body bytea
);

CREATE UNIQUE INDEX inbox_dedupe ON inbox (execution, dedupe);

CREATE INDEX inbox_waiting ON inbox (number) WHERE body IS NOT NULL;

-- Heartbeat deadlines of running tasks: updated often, so with room for updates in place.
CREATE TABLE beat (
    execution bigint NOT NULL,
    pending bigint NOT NULL,
    due bigint NOT NULL,
    PRIMARY KEY (execution, pending)
) WITH (fillfactor = 50);

-- Leases of engine processes.
CREATE TABLE owner (
    name text COLLATE "C" PRIMARY KEY,
    lease_until bigint NOT NULL,
    info bytea
) WITH (fillfactor = 50);

-- Small things that change as a whole: state machines with their versions and aliases, activities. A number is
-- never used twice, so that who has read a document cannot mistake a later one for it.
CREATE TABLE document (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    body bytea NOT NULL
);

CREATE UNIQUE INDEX document_id ON document (collection, id);

CREATE INDEX document_order ON document (collection, number);

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
    resource text COLLATE "C" NOT NULL,
    -- The owner that is handing it out; while it lives nobody else may take it.
    holder text COLLATE "C"
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

-- Idempotency keys of requests that create something: the owner at work on one, or what was answered.
CREATE TABLE reservation (
    key text COLLATE "C" PRIMARY KEY,
    request text COLLATE "C" NOT NULL,
    answer bytea NOT NULL,
    until bigint NOT NULL,
    holder text COLLATE "C"
);

CREATE INDEX reservation_until ON reservation (until);

-- Finished executions of a machine in the order of their ends: what is kept for how long.
CREATE INDEX execution_ended ON execution (machine, ended_at, key) WHERE ended_at IS NOT NULL;

-- What executions are found by: search attributes that their machines declare.
CREATE TABLE search_attribute (
    execution bigint NOT NULL,
    attribute text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (execution, attribute)
);

CREATE INDEX search_attribute_value ON search_attribute (attribute, value, execution);
