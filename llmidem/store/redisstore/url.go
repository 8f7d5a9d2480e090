package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// parameters are what the query of a URL may hold. client_cache and max_retries
// are known to rueidis; both are off here.
var parameters = []string{"addr", "client_cache", "client_name", "db", "dial_timeout", "master_set", "max_retries", "protocol", "skip_verify", "write_timeout"}

const (
	// silence is how long a server may be silent before its connection is given up.
	silence = 5 * time.Second
	// reconcile is how often Sentinels are asked who is the master: their notice of
	// a change may be missed, and a demoted master refuses to write.
	reconcile = 5 * time.Second
)

var errURL = errors.New("redisstore: the URL does not parse; write redis://user:password@host:6379/0, with what is not a letter or digit in user and password percent-encoded")

// parseURL makes a client's options of a URL. No part of the URL that may hold a
// misplaced password gets into an error.
func parseURL(raw string, conf *tls.Config) (o rueidis.ClientOption, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return o, errURL
	}
	if !slices.Contains([]string{"redis", "rediss", "valkey", "valkeys", "unix"}, u.Scheme) {
		return o, errors.New("redisstore: the URL begins with none of redis://, rediss://, valkey://, valkeys://, unix://")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return o, errURL
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(parameters, name) {
			return o, fmt.Errorf("redisstore: a parameter of the URL is none of %s", strings.Join(parameters, ", "))
		}
	}
	o, err = rueidis.ParseURL(raw)
	if err != nil {
		return o, errors.New("redisstore: the database (/0, or db=0), skip_verify, dial_timeout or write_timeout of the URL does not parse")
	}
	if conf != nil {
		if o.TLSConfig == nil {
			return o, errors.New("redisstore: WithTLS, and a URL without TLS; begin it with rediss://")
		}
		if conf.ServerName == "" {
			conf.ServerName = o.TLSConfig.ServerName
		}
		conf.InsecureSkipVerify = conf.InsecureSkipVerify || o.TLSConfig.InsecureSkipVerify
		o.TLSConfig = conf
	}
	complete(&o)
	return o, nil
}

// complete sets what a Store wants of a client: answers from the server only, and
// one try, since what may be repeated is a Store's to know.
func complete(o *rueidis.ClientOption) {
	o.DisableCache = true
	o.DisableRetry = true
	if o.ConnWriteTimeout == 0 {
		o.ConnWriteTimeout = silence
	}
	if o.Sentinel.MasterSet != "" {
		o.Sentinel.TLSConfig = o.TLSConfig
		o.Sentinel.Dialer = o.Dialer
		o.Sentinel.TopologyRefreshInterval = reconcile
	}
}
