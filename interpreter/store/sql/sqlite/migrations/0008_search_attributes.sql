-- What executions are found by: search attributes that their machines declare.
CREATE TABLE search_attribute (
    execution INTEGER NOT NULL,
    attribute TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (execution, attribute)
) WITHOUT ROWID;

CREATE INDEX search_attribute_value ON search_attribute (attribute, value, execution);
