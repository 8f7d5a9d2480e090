-- The table of github.com/llmidem/llmidem-go/llmidem/store/pgstore, version 1.
CREATE TABLE {table} (
    -- Bytes, so that ids are compared as they are, under every collation.
    id           bytea       NOT NULL PRIMARY KEY,
    -- When it was claimed or, once settled, settled.
    since        timestamptz NOT NULL,
    -- In flight: the end of the lease. Beside expires_at, since a renewal that
    -- changes no indexed column need not touch the indexes.
    leased_until timestamptz,
    -- Settled: when it is no longer there; NULL is never.
    expires_at   timestamptz,
    -- 1 in flight, 2 completed, 3 in doubt. A lease that ran out leaves 1.
    state        smallint    NOT NULL,
    -- The state that the claim replaced, 0 for none.
    prior        smallint    NOT NULL,
    -- Of this row. Rows of another are taken for records in doubt.
    format       smallint    NOT NULL,
    owner        bytea       NOT NULL,
    fingerprint  bytea       NOT NULL,
    -- Trace id, span id and flags.
    origin       bytea       NOT NULL,
    -- The answer.
    body         bytea,
    CONSTRAINT makes_sense CHECK ({sense})
);
CREATE INDEX records_expires_at ON {table} (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE {table} IS 'llmidem records, version 1 (read by the program: do not change)';
