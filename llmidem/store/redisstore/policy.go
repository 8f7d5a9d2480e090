package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// check looks at every node, at the same time: whether it is recent enough, and
// what it does when its memory is full. Nodes that do not answer are passed over,
// unless none does.
func check(ctx context.Context, client rueidis.Client, log *slog.Logger) error {
	caller := ctx
	ctx, end := bound(ctx)
	defer end()
	all := client.Nodes()
	looks := make(chan node, len(all))
	for addr, c := range all {
		go func() {
			n := node{addr: addr, client: c}
			n.err = n.look(ctx)
			looks <- n
		}()
	}
	errs := []error{errors.New("redisstore: no server answers")}
	for range all {
		select {
		case n := <-looks:
			if n.err != nil {
				errs = append(errs, fault(caller, "looking at "+n.addr, n.err))
				log.WarnContext(ctx, "a server does not answer, and was not checked", slog.String("server", n.addr))
			} else if err := n.judge(ctx, log); err != nil {
				return err
			}
		case <-ctx.Done():
			return fault(caller, "looking at the servers", ctx.Err())
		}
	}
	if len(errs) > len(all) {
		return errors.Join(errs...)
	}
	return nil
}

// node is what a server says of itself: nothing of what it does not tell.
type node struct {
	addr            string
	client          rueidis.Client
	version, policy string
	err             error
}

// look asks with INFO, which tells it all, and with CONFIG GET where that does
// not: managed services forbid the one or the other. The error is of the
// connection.
func (n *node) look(ctx context.Context) error {
	text, err := n.ask(ctx, "INFO").ToString()
	if err != nil && !said(err) {
		return err
	}
	fields := info(text)
	n.version, n.policy = fields["redis_version"], fields["maxmemory_policy"]
	if n.policy != "" {
		return nil
	}
	config, err := n.ask(ctx, "CONFIG", "GET", "maxmemory-policy").AsStrMap()
	if err != nil && !said(err) {
		return err
	}
	n.policy = config["maxmemory-policy"]
	return nil
}

// ask does not build the command as a read-only one, which rueidis would repeat
// for as long as there is no connection.
func (n *node) ask(ctx context.Context, words ...string) rueidis.RedisResult {
	return n.client.Do(noDeadline{ctx}, n.client.B().Arbitrary(words...).Build())
}

// said reports whether an error is a server's answer.
func said(err error) bool {
	_, ok := rueidis.IsRedisErr(err)
	return ok
}

// info reads the fields of an INFO.
func info(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// judge refuses a server that loses claims, and warns of one that may lose
// answers.
func (n *node) judge(ctx context.Context, log *slog.Logger) error {
	at := slog.String("server", n.addr)
	if old(n.version) {
		return fmt.Errorf("redisstore: the server at %s is Redis %s; 6.2 or later is needed", n.addr, n.version)
	}
	switch policy := slog.String("maxmemory-policy", n.policy); {
	case strings.HasPrefix(n.policy, "allkeys-"):
		return fmt.Errorf("redisstore: the server at %s has maxmemory-policy %s, which evicts claims in flight, so that requests are sent twice; set it to noeviction", n.addr, n.policy)
	case strings.HasPrefix(n.policy, "volatile-"):
		log.WarnContext(ctx, "the server evicts recorded answers when its memory is full; set maxmemory-policy to noeviction", at, policy)
	case n.policy == "":
		log.WarnContext(ctx, "the server does not say what it evicts; make sure that maxmemory-policy is noeviction", at)
	}
	return nil
}

// old reports whether a version is one before 6.2. What does not look like a
// version is somebody else's.
func old(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	return err1 == nil && err2 == nil && (a < 6 || a == 6 && b < 2)
}
