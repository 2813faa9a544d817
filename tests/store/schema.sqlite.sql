-- The whole SQLite layout as the latest migration leaves it.

-- Facts about the file itself: the version of the store protocol, the engine process that last had it.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Published definitions, by content.
CREATE TABLE machine (
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    definition BLOB NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (digest, name)
);

-- One narrow row per execution: the only row that is ever updated, so it holds no payload.
CREATE TABLE execution (
    key INTEGER PRIMARY KEY,
    last INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    claims INTEGER NOT NULL,
    owner TEXT,
    status TEXT NOT NULL,
    due INTEGER,
    ready INTEGER NOT NULL,
    ended_at INTEGER,
    started_at INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    machine TEXT NOT NULL,
    digest TEXT NOT NULL,
    profile TEXT NOT NULL,
    parent TEXT,
    version TEXT,
    alias TEXT,
    origin TEXT,
    paused INTEGER NOT NULL DEFAULT 0
);

CREATE UNIQUE INDEX execution_id ON execution (id);

-- Unfinished executions that nobody holds, by the instant at which they need attention.
CREATE INDEX execution_waiting ON execution (CASE WHEN ready THEN 0 ELSE due END)
    WHERE ended_at IS NULL AND owner IS NULL;

CREATE INDEX execution_queue ON execution (machine, CASE WHEN ready THEN 0 ELSE due END)
    WHERE ended_at IS NULL AND owner IS NULL AND (ready OR due IS NOT NULL);

CREATE INDEX execution_held ON execution (owner) WHERE owner IS NOT NULL;

CREATE INDEX execution_child ON execution (parent) WHERE parent IS NOT NULL;

CREATE INDEX execution_version ON execution (version, key) WHERE version IS NOT NULL;

CREATE INDEX execution_alias ON execution (alias, key) WHERE alias IS NOT NULL;

CREATE INDEX execution_status ON execution (status, key);

CREATE INDEX execution_machine ON execution (machine, key);

-- The log: one row per batch of an execution, appended and never changed. The payloads come last so that
-- a fold reads past them without touching their pages.
CREATE TABLE segment (
    execution INTEGER NOT NULL,
    after INTEGER NOT NULL,
    last INTEGER NOT NULL,
    control BLOB NOT NULL,
    payloads BLOB NOT NULL
);

CREATE UNIQUE INDEX segment_log ON segment (execution, after);

-- Values too large for a segment, once per execution.
CREATE TABLE blob (
    execution INTEGER NOT NULL,
    digest TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (execution, digest)
);

-- Signals from elsewhere. A drained one keeps its row without a body: its dedupe id stays taken.
-- Numbers are never used twice, so that who remembers one cannot mistake another for it.
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    dedupe TEXT NOT NULL,
    body BLOB
);

CREATE UNIQUE INDEX inbox_dedupe ON inbox (execution, dedupe);

CREATE INDEX inbox_waiting ON inbox (number) WHERE body IS NOT NULL;

-- Heartbeat deadlines of running tasks.
CREATE TABLE beat (
    execution INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    due INTEGER NOT NULL,
    PRIMARY KEY (execution, pending)
) WITHOUT ROWID;

-- Leases of engine processes.
CREATE TABLE owner (
    name TEXT PRIMARY KEY,
    lease_until INTEGER NOT NULL
, info BLOB) WITHOUT ROWID;

-- Resources that handed-over executions wait for, as long as nobody holds them.
CREATE TABLE want (
    execution INTEGER NOT NULL,
    resource TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (execution, resource)
) WITHOUT ROWID;

-- Small things that change as a whole: state machines with their versions and aliases, activities. A number is
-- never used twice, so that who has read a document cannot mistake a later one for it.
CREATE TABLE document (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body BLOB NOT NULL
);

CREATE UNIQUE INDEX document_id ON document (collection, id);

CREATE INDEX document_order ON document (collection, number);

CREATE INDEX want_resource ON want (resource, since);

-- Tasks that anybody may take, the first offered first. While the holder, who is handing one out, lives nobody
-- else may take it.
CREATE TABLE offer (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    execution INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    resource TEXT NOT NULL,
    holder TEXT
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

-- Idempotency keys of requests that create something: the owner at work on one, or what was answered.
CREATE TABLE reservation (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer BLOB NOT NULL,
    until INTEGER NOT NULL,
    holder TEXT
) WITHOUT ROWID;

CREATE INDEX reservation_until ON reservation (until);

-- Finished executions of a machine in the order of their ends: what is kept for how long.
CREATE INDEX execution_ended ON execution (machine, ended_at, key) WHERE ended_at IS NOT NULL;

-- What executions are found by: search attributes that their machines declare.
CREATE TABLE search_attribute (
    execution INTEGER NOT NULL,
    attribute TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (execution, attribute)
) WITHOUT ROWID;

CREATE INDEX search_attribute_value ON search_attribute (attribute, value, execution);
