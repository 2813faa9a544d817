-- Documents beside the executions, and how an execution was started.

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

-- The version and the alias an execution was started through, and what else its starter wants to find again.
ALTER TABLE execution ADD COLUMN version text COLLATE "C";

ALTER TABLE execution ADD COLUMN alias text COLLATE "C";

ALTER TABLE execution ADD COLUMN origin text COLLATE "C";

CREATE INDEX execution_version ON execution (version, key) WHERE version IS NOT NULL;

CREATE INDEX execution_alias ON execution (alias, key) WHERE alias IS NOT NULL;
