package pgstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// queryer is a pool or a transaction.
type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// found is what there is in the database.
type found struct {
	schema, table bool
	comment       string
	role          string // who is asking
	uses, writes  bool   // that role has the rights it needs
	durable       bool
	readOnly      bool // a standby, or a role that is kept from writing
}

// look asks the catalogue, which everybody may read.
func look(ctx context.Context, q queryer, schema string) (f found, err error) {
	err = q.QueryRow(ctx, `SELECT n.oid IS NOT NULL, c.oid IS NOT NULL, coalesce(obj_description(c.oid, 'pg_class'), ''),
		current_user, coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
		coalesce(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
			AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'), false),
		coalesce(c.relpersistence = 'p', false)
			AND current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off',
		current_setting('transaction_read_only') = 'on'
		FROM (SELECT $1::text AS name) want
		LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = want.name
		LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = '`+tableName+`'`,
		pgx.QueryExecModeExec, schema).
		Scan(&f.schema, &f.table, &f.comment, &f.role, &f.uses, &f.writes, &f.durable, &f.readOnly)
	if err != nil {
		return f, fmt.Errorf("pgstore: looking for the table: %w", err)
	}
	return f, nil
}

var versionOf = regexp.MustCompile(`^llmidem records, version (\d{1,9})\b`)

// fits refuses a table that is not, or not yet, or no longer, this version's.
func (f found) fits(schema string) error {
	if !f.table {
		return fmt.Errorf("%w: %s is missing; run pgstore.Migrate, or the statements of pgstore.SchemaSQL(%q)", ErrSchema, quotedTable(schema), schema)
	}
	match := versionOf.FindStringSubmatch(f.comment)
	if match == nil {
		return fmt.Errorf("%w: %s is there, but its comment does not say that it is llmidem's; name another schema with pgstore.WithSchema", ErrSchema, quotedTable(schema))
	}
	if v, _ := strconv.Atoi(match[1]); v != schemaVersion {
		return fmt.Errorf("%w: %s is of version %d, and this program knows version %d; "+
			"use the newer program, or another schema with pgstore.WithSchema", ErrSchema, quotedTable(schema), v, schemaVersion)
	}
	return nil
}

// usable refuses a table that this role cannot use.
func (f found) usable(schema string) error {
	if f.readOnly {
		return errors.New("pgstore: this server, or what is set for this role, lets nobody write; " +
			"connect to the primary (target_session_attrs=read-write), and see default_transaction_read_only")
	}
	if err := f.fits(schema); err != nil {
		return err
	}
	quoted, role := pgx.Identifier{schema}.Sanitize(), pgx.Identifier{f.role}.Sanitize()
	if !f.uses {
		return fmt.Errorf("%w: this role may not use the schema; GRANT USAGE ON SCHEMA %s TO %s", ErrSchema, quoted, role)
	}
	if !f.writes {
		return fmt.Errorf("%w: this role may not write there; GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s", ErrSchema, quotedTable(schema), role)
	}
	return nil
}
