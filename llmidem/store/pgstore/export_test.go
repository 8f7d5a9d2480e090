package pgstore

import "time"

// SetQuiet says how long a store that does not listen yet hears nothing before it
// looks at its connection.
func SetQuiet(s *Store, d time.Duration) { s.ears.quiet = d }
