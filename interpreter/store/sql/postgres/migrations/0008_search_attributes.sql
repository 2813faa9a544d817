-- What executions are found by: search attributes that their machines declare.
CREATE TABLE search_attribute (
    execution bigint NOT NULL,
    attribute text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (execution, attribute)
);

CREATE INDEX search_attribute_value ON search_attribute (attribute, value, execution);
