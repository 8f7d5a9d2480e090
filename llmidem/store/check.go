package store

import (
	"errors"
	"fmt"
	"time"
)

// Validate refuses a claim that could not be told from others or would not hold.
// Every store begins its Claim with it.
func (c Claim) Validate() error {
	switch {
	case c.Owner == Owner{}:
		return errors.New("store: Claim.Owner is zero; use NewOwner for each claim")
	case c.Takeover > TakeSettled:
		return fmt.Errorf("store: Claim.Takeover %d is none of TakeAbsent, TakeDoubt, TakeSettled", c.Takeover)
	}
	return ValidateLease(c.Lease)
}

// ValidateLease refuses a lease that holds nothing. Every store begins its Renew
// with it.
func ValidateLease(lease time.Duration) error {
	if lease <= 0 {
		return fmt.Errorf("store: a lease of %v; it must be positive", lease)
	}
	return nil
}

// Validate refuses an outcome in which no claim can end. Every store begins its
// Settle with it.
func (o Outcome) Validate() error {
	switch {
	case o.State != Completed && o.State != Absent && o.State != Unknown:
		return fmt.Errorf("store: Outcome.State is %v (%d); a claim ends Completed, Absent or Unknown", o.State, o.State)
	case o.TTL < 0:
		return fmt.Errorf("store: Outcome.TTL is %v; use 0 to keep the record without end, or a positive time", o.TTL)
	}
	return nil
}

// Replaces reports whether a claim may take the place of a record in that state.
func (t Takeover) Replaces(s State) bool {
	switch s {
	case Absent:
		return true
	case Unknown:
		return t >= TakeDoubt
	case Completed:
		return t >= TakeSettled
	}
	return false
}

const (
	defaultEntries  = 10_000
	defaultBytes    = 64 << 20
	defaultMaxEntry = 8 << 20
)

// complete sets the defaults and refuses what makes no sense.
func (c *MemoryConfig) complete() error {
	switch {
	case c.Entries < 0:
		return fmt.Errorf("store: MemoryConfig.Entries is %d; use 0 for the default (%d) or a positive number", c.Entries, defaultEntries)
	case c.Bytes < 0:
		return fmt.Errorf("store: MemoryConfig.Bytes is %d; use 0 for the default (%d) or a positive number", c.Bytes, defaultBytes)
	case c.MaxEntry < 0:
		return fmt.Errorf("store: MemoryConfig.MaxEntry is %d; use 0 for the default (%d) or a positive number", c.MaxEntry, defaultMaxEntry)
	}
	if c.Entries == 0 {
		c.Entries = defaultEntries
	}
	if c.Bytes == 0 {
		c.Bytes = defaultBytes
	}
	if c.MaxEntry == 0 {
		c.MaxEntry = defaultMaxEntry
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}
