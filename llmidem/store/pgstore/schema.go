package pgstore

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
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
	if pool == nil {
		return errNoPool
	}
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
