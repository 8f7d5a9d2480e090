// Package tests runs several processes on one store and takes the store away from
// them: what no test inside of one process can show. It is a module of its own, so
// that what it needs is needed by nobody else.
package tests
