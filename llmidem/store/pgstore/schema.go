package pgstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// DefaultSchema is where the table is when [WithSchema] does not say.
	DefaultSchema = "llmidem"

	tableName     = "records"
	schemaVersion = 1
	// migrationLock is the advisory lock of those who migrate: any number that is
	// the same in all of them.
	migrationLock = 0x6c6c6d6964656d
)

//go:embed schema.sql
var schemaSQL string

// ErrSchema is returned by [Open], [New] and [Migrate] when the table is missing,
// is of another version, or is no table of this package. The message says what to
// do.
var ErrSchema = errors.New("pgstore: the table is not as it must be")

// SchemaSQL returns the statements that make the schema and its table, for those
// who have a role of its own, or a tool, for that. An empty name means
// [DefaultSchema]. An application's role then needs, beside USAGE on the schema,
// SELECT, INSERT, UPDATE and DELETE on the table.
func SchemaSQL(schema string) (string, error) {
	if schema == "" {
		schema = DefaultSchema
	}
	if err := validSchema(schema); err != nil {
		return "", err
	}
	create := "CREATE SCHEMA IF NOT EXISTS " + pgx.Identifier{schema}.Sanitize() + ";\n"
	return create + tableSQL(schema), nil
}

func tableSQL(schema string) string {
	return strings.NewReplacer("{table}", quotedTable(schema), "{sense}", sense("")).Replace(schemaSQL)
}

func quotedTable(schema string) string { return pgx.Identifier{schema, tableName}.Sanitize() }

// validSchema refuses what PostgreSQL would refuse, or would cut off.
func validSchema(name string) error {
	switch {
	case name == "":
		return errors.New("pgstore: the name of the schema is empty; leave WithSchema out for " + strconv.Quote(DefaultSchema))
	case len(name) > 63:
		return fmt.Errorf("pgstore: the name of the schema has %d bytes; PostgreSQL keeps 63", len(name))
	case strings.ContainsRune(name, 0) || !utf8.ValidString(name):
		return fmt.Errorf("pgstore: the name of the schema %q is no text of UTF-8 without NUL", name)
	case strings.HasPrefix(name, "pg_"):
		return fmt.Errorf("pgstore: the name of the schema is %q; names that begin with pg_ are PostgreSQL's own", name)
	}
	return nil
}

// Migrate makes the schema and its table where they are missing, with the role of
// that pool: for a program that prepares a database for others. An empty name
// means [DefaultSchema]. Any number may do so at once, and again. [Open] and [New]
// do the same, unless [WithoutMigration] is given.
func Migrate(ctx context.Context, pool *pgxpool.Pool, schema string) error {
	if schema == "" {
		schema = DefaultSchema
	}
	if err := validSchema(schema); err != nil {
		return err
	}
	found, err := look(ctx, pool, schema)
	if err != nil {
		return err
	}
	if found.table {
		return found.fits(schema)
	}
	// The lock is that of a transaction, so that it works through a pool which
	// gives a connection for no longer, and ends with it, whatever happens. What is
	// looked at under the lock must not be as it was before.
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", pgx.QueryExecModeExec, int64(migrationLock)); err != nil {
			return err
		}
		return create(ctx, tx, schema)
	})
	return explainDenied(err, schema)
}

// create makes what is missing, under the lock.
func create(ctx context.Context, tx pgx.Tx, schema string) error {
	found, err := look(ctx, tx, schema)
	if err != nil {
		return err
	}
	if found.table {
		return found.fits(schema)
	}
	if !found.schema { // IF NOT EXISTS asks for the right also where it exists
		if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
			return err
		}
	}
	_, err = tx.Conn().PgConn().Exec(ctx, tableSQL(schema)).ReadAll()
	return err
}

// insufficientPrivilege is an SQLSTATE.
const insufficientPrivilege = "42501"

// explainDenied says what to do when the role may not make a table.
func explainDenied(err error, schema string) error {
	if err == nil || errors.Is(err, ErrSchema) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == insufficientPrivilege {
		return fmt.Errorf("%w: %s is missing, and this role may not make it (%w); "+
			"let one that may run pgstore.Migrate, or the statements of pgstore.SchemaSQL(%q)", ErrSchema, quotedTable(schema), err, schema)
	}
	return fmt.Errorf("pgstore: making %s: %w", quotedTable(schema), err)
}

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
}

// look asks the catalogue, which everybody may read.
func look(ctx context.Context, q queryer, schema string) (f found, err error) {
	err = q.QueryRow(ctx, `SELECT n.oid IS NOT NULL, c.oid IS NOT NULL, coalesce(obj_description(c.oid, 'pg_class'), ''),
		current_user, coalesce(has_schema_privilege(n.oid, 'USAGE'), false),
		coalesce(has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
			AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'), false),
		coalesce(c.relpersistence = 'p', false)
			AND current_setting('fsync') = 'on' AND current_setting('synchronous_commit') <> 'off'
		FROM (SELECT $1::text AS name) want
		LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = want.name
		LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = '`+tableName+`'`,
		pgx.QueryExecModeExec, schema).
		Scan(&f.schema, &f.table, &f.comment, &f.role, &f.uses, &f.writes, &f.durable)
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
