// Package holder says which process has a file locked, for the error of another that
// is refused.
package holder
