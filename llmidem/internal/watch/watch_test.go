package watch_test

import (
	"testing"

	"github.com/llmidem/llmidem-go/llmidem/internal/watch"
)

func noticed(n <-chan struct{}) bool {
	select {
	case <-n:
		return true
	default:
		return false
	}
}

func TestGroup_WakesThoseOfTheID(t *testing.T) {
	var g watch.Group
	g.Notify("a") // nobody is there
	a1, first, stopA1 := g.Add("a")
	if !first {
		t.Error("the first is not the first")
	}
	a2, first, stopA2 := g.Add("a")
	if first {
		t.Error("the second is the first")
	}
	b, _, stopB := g.Add("b")
	g.Notify("a")
	g.Notify("a") // does not block although nobody reads
	if !noticed(a1) || !noticed(a2) || noticed(b) {
		t.Error("not exactly those of a are woken")
	}
	if noticed(a1) {
		t.Error("several notices are not one")
	}
	if stopA1() {
		t.Error("one of two is the last")
	}
	if stopA1() {
		t.Error("stopping again says something")
	}
	g.NotifyAll()
	if noticed(a1) || !noticed(a2) || !noticed(b) {
		t.Error("not exactly those who still watch are woken")
	}
	if !stopA2() || !stopB() {
		t.Error("the last is not the last")
	}
	if _, first, stop := g.Add("a"); !first {
		t.Error("what was before is not forgotten")
	} else {
		stop()
	}
}
