package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// got makes outcomes: an answer of id and text, marked or not.
func got(id, text string) outcome {
	return outcome{kind: answered, status: 200, id: id, text: text, body: []byte(id + "/" + text)}
}

func (o outcome) marked() outcome { o.mark = "Idempotent-Replayed"; return o }
func (o outcome) fromCache() outcome {
	o.cached = "X-Cache"
	return o
}
func (o outcome) rewritten() outcome { o.body = append([]byte("again "), o.body...); return o }

var (
	gone = outcome{kind: failed, status: 503}
	none = outcome{kind: notAsked}
	no   = outcome{kind: denied, status: 422}
	held = outcome{kind: busy, status: 409}
)

func TestVerifyJudgesTheClass(t *testing.T) {
	a, b := got("1", "x"), got("2", "y")
	again := got("2", "x") // the same text under another id
	for _, c := range []struct {
		name                   string
		first, repeat, control outcome
		class                  string
		degree                 degree
	}{
		{"another text", a, b, none, classIgnore, proved},
		{"same bytes, control differs", a, a, b, classReplay, proved},
		{"same bytes, control has an id of its own", a, a, again, classReplay, proved},
		{"same id and text, control differs", a, a.rewritten(), b, classReplay, proved},
		{"same bytes, no control", a, a, none, classReplay, likely},
		{"same bytes, control refused", a, a, no, classReplay, likely},
		{"marked, no control", a, a.marked(), gone, classReplay, proved},
		{"marked, all answers one", a, a.marked(), a, classReplay, proved},
		{"marked, control marked too", a, a.marked(), a.marked(), classIgnore, proved},
		{"marked another text", a, b.marked(), b, unknown, notTold},
		{"marked from the first", a.marked(), b.marked(), b, classIgnore, proved},
		{"marked under another id", a, again.marked(), got("3", "y"), classReplay, proved},
		{"all answers one", a, a, a, classIgnore, likely},
		{"all answers one, from a cache", a, a.fromCache(), a.fromCache(), classIgnore, proved},
		{"new ids, one text", a, again, got("3", "x"), classIgnore, likely},
		{"new id, control differs", a, again, b, classReplay, likely},
		{"new id, no control", a, again, none, unknown, notTold},
		{"no ids, one second", got("", "x"), got("", "x"), got("", "x").rewritten(), unknown, notTold},
		{"no ids, control differs", got("", "x"), got("", "x"), got("", "y"), classReplay, proved},
		{"no texts", got("1", ""), got("2", ""), got("3", ""), classIgnore, likely},
		{"refused", a, no, b, classReject, proved},
		{"refused, and so is the control", a, no, no, unknown, notTold},
		{"refused, and the control in use", a, no, held, unknown, notTold},
		{"refused, no control", a, no, none, classReject, likely},
		{"in use for ever", a, held, b, unknown, notTold},
		{"down", a, gone, b, unknown, notTold},
		{"no calls left", a, none, none, unknown, notTold},
	} {
		f := judgeClass(c.first, c.repeat, c.control)
		require.Equal(t, []string{c.class, string(c.degree)}, []string{f.result, string(f.degree)}, c.name)
		require.NotEmpty(t, f.says)
	}
}

func TestVerifyJudgesAnotherBody(t *testing.T) {
	a := got("1", "x")
	for _, c := range []struct {
		o      outcome
		steady bool
		want   string
		degree degree
	}{
		{no, false, "conflict", proved}, {held, false, "conflict", proved}, {gone, false, unknown, notTold},
		{a, false, "replays", proved}, {a.rewritten(), true, "replays", proved}, {got("2", "y").marked(), false, "replays", proved},
		{got("2", "x"), false, "replays", likely}, {got("2", "x"), true, "executes", likely}, {got("2", "y"), false, "executes", proved},
	} {
		f := judgeBody(a, c.o, c.steady)
		require.Equal(t, []string{c.want, string(c.degree)}, []string{f.result, string(f.degree)}, f.says)
	}
}

func TestVerifyJudgesTwoAtOnce(t *testing.T) {
	a, b := got("1", "x"), got("2", "y")
	for _, c := range []struct {
		a, b     outcome
		together bool
		class    string
		steady   bool
		want     string
		degree   degree
	}{
		{gone, gone, true, classReplay, false, unknown, notTold},
		{held, held, true, classReplay, false, unknown, notTold},
		{a, held, false, classReplay, false, "refuses", proved},
		{held, a, false, classIgnore, false, "refuses", proved},
		{no, a, false, classReject, false, "refuses", proved},
		{a, no, true, classReplay, false, "refuses", proved},
		{a, no, false, classReplay, false, unknown, notTold},
		{a, gone, true, classReplay, false, unknown, notTold},
		{a, b, false, classReplay, false, "executes", proved},
		{a, got("2", "x"), true, classIgnore, true, "executes", likely},
		{a, got("2", "x"), true, classReplay, false, unknown, notTold},
		{a, got("2", "x").marked(), true, classReplay, true, unknown, notTold},
		{a, a, false, classReplay, false, unknown, notTold},
		{a, a.marked(), true, classReplay, true, "waits", proved},
		{a, a, true, classIgnore, false, "waits", likely},
	} {
		f := judgeFlight(c.a, c.b, c.together, c.class, c.steady)
		require.Equal(t, []string{c.want, string(c.degree)}, []string{f.result, string(f.degree)}, f.says)
	}
}

func TestVerifyJudgesACut(t *testing.T) {
	a := got("1", "x")
	for _, c := range []struct {
		o          outcome
		class      string
		marks, ran bool
		want       string
		degree     degree
	}{
		{no, classReject, false, false, "refuses", proved},
		{held, classReplay, true, true, "in_progress", proved},
		{gone, classReplay, true, false, unknown, notTold},
		{a.marked(), classReplay, true, false, "replays", proved},
		{a.marked(), classReplay, false, false, unknown, notTold},
		{a, classReplay, false, true, "replays", likely},
		{a, classReplay, true, false, "executes", proved},
		{a, classReplay, false, false, unknown, notTold},
		{a, classReject, false, false, "executes", proved},
		{a, classIgnore, false, false, "executes", likely},
		{a, unknown, false, false, unknown, notTold},
	} {
		f := judgeCut(c.o, c.class, c.marks, c.ran)
		require.Equal(t, []string{c.want, string(c.degree)}, []string{f.result, string(f.degree)}, f.says)
	}
}
