package llmtest_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestSpansAreKeptAsTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := llmtest.Spans()
		var _ trace.TracerProvider = rec
		tr := rec.Tracer("scope")
		ctx, root := tr.Start(t.Context(), "root", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.Int("a", 1)))
		time.Sleep(time.Second)
		_, child := tr.Start(ctx, "child", trace.WithLinks(trace.Link{SpanContext: root.SpanContext()}))
		assert.True(t, child.IsRecording())
		assert.Empty(t, rec.Spans(), "nothing has ended")
		child.RecordError(errors.New("boom"))
		child.RecordError(nil)
		child.AddEvent("half", trace.WithAttributes(attribute.Bool("b", true)))
		child.AddLink(trace.Link{SpanContext: root.SpanContext()})
		child.SetStatus(codes.Error, "bad")
		child.SetStatus(codes.Unset, "")
		time.Sleep(time.Second)
		child.End()
		child.End()
		child.SetName("too late")
		root.SetAttributes(attribute.Int("a", 2), attribute.String("s", "x"), attribute.KeyValue{})
		root.SetStatus(codes.Ok, "no description")
		root.SetStatus(codes.Error, "too late")
		root.SetName("renamed")
		assert.Same(t, rec, root.TracerProvider())
		root.End()
		assert.False(t, root.IsRecording())

		spans := rec.Spans()
		require.Len(t, spans, 2)
		r, c := spans[0], spans[1]
		assert.Equal(t, "renamed", r.Name)
		assert.Equal(t, "scope", r.Scope)
		assert.Equal(t, trace.SpanKindClient, r.Kind)
		assert.Equal(t, []attribute.KeyValue{attribute.Int("a", 2), attribute.String("s", "x")}, r.Attributes)
		assert.Equal(t, codes.Ok, r.Status)
		assert.Empty(t, r.Description)
		assert.False(t, r.Parent.IsValid())
		assert.Equal(t, 2*time.Second, r.End.Sub(r.Start))

		assert.Equal(t, "child", c.Name)
		assert.Equal(t, trace.SpanKindInternal, c.Kind)
		assert.Equal(t, r.Context, c.Parent)
		assert.Equal(t, r.Context.TraceID(), c.Context.TraceID())
		assert.Equal(t, codes.Error, c.Status)
		assert.Equal(t, "bad", c.Description)
		assert.Len(t, c.Links, 2)
		require.Len(t, c.Events, 2)
		assert.Equal(t, "exception", c.Events[0].Name)
		assert.Equal(t, "half", c.Events[1].Name)
		assert.Equal(t, time.Second, c.End.Sub(c.Start))
	})
}

func TestSpansAreFound(t *testing.T) {
	rec := llmtest.Spans()
	tr := rec.Tracer("")
	ctx, a := tr.Start(t.Context(), "a")
	_, b := tr.Start(ctx, "b", trace.WithNewRoot(), trace.WithAttributes(attribute.Int("n", 7)))
	b.End()
	a.End()
	assert.Equal(t, "00000000000000000000000000000001", a.SpanContext().TraceID().String())
	assert.Equal(t, "0000000000000002", b.SpanContext().SpanID().String())
	assert.Len(t, rec.Named("a"), 1)
	assert.Equal(t, "b", rec.With("n", "7")[0].Name)
	assert.Empty(t, rec.With("n", "8"))
	assert.Len(t, rec.Trace(b.SpanContext().TraceID()), 1)
	_, ok := rec.Named("a")[0].Attr("n")
	assert.False(t, ok)
	rec.Reset()
	assert.Empty(t, rec.Spans())
	_, c := tr.Start(t.Context(), "c")
	assert.Equal(t, "0000000000000003", c.SpanContext().SpanID().String())
}

func TestASpanOfAnotherProcessIsTheParent(t *testing.T) {
	rec := llmtest.Spans()
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{9}, SpanID: trace.SpanID{8}, Remote: true})
	_, s := rec.Tracer("").Start(trace.ContextWithRemoteSpanContext(context.Background(), remote), "here")
	s.End()
	assert.Equal(t, trace.TraceID{9}, s.SpanContext().TraceID())
	var out strings.Builder
	require.NoError(t, rec.Tree(&out, trace.TraceID{9}))
	assert.Equal(t, "here\n", out.String())
}

func TestTreesStandWhatIsInThem(t *testing.T) {
	rec := llmtest.Spans()
	tr := rec.Tracer("")
	ctx, root := tr.Start(t.Context(), "two\nlines", trace.WithAttributes(
		attribute.String("llmidem.x", "a\nb"), attribute.Float64("llmidem.retry.delay", 0.123), attribute.String("other", "y")))
	_, only := tr.Start(ctx, "only", trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}})}))
	only.AddEvent("retry")
	only.End()
	root.SetStatus(codes.Error, "")
	root.End()
	id := root.SpanContext().TraceID()
	var out strings.Builder
	require.NoError(t, rec.Tree(&out, id))
	assert.Equal(t, `"two\nlines" (Error)
│   llmidem.x = "a\nb"
└── only
        event retry
        link → 0200000000000000
`, out.String())
	out.Reset()
	require.NoError(t, rec.Tree(&out, id, llmtest.TreeAttributes("other", "llmidem.retry.*"), llmtest.TreeDurations()))
	assert.Contains(t, out.String(), "│   other = y\n│   llmidem.retry.delay = 0.123\n")
}

func TestTreeDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := llmtest.Spans()
		_, s := rec.Tracer("").Start(t.Context(), "slow")
		time.Sleep(1500 * time.Millisecond)
		s.End()
		var out strings.Builder
		require.NoError(t, rec.Tree(&out, s.SpanContext().TraceID(), llmtest.TreeDurations()))
		assert.Equal(t, "slow 1.5s\n", out.String())
	})
}

func TestSpansFromManyGoroutines(t *testing.T) {
	rec := llmtest.Spans()
	ctx, root := rec.Tracer("").Start(t.Context(), "root")
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, s := rec.Tracer("").Start(ctx, "child")
			root.SetAttributes(attribute.Int("last", i))
			s.End()
			rec.Spans()
		})
	}
	wg.Wait()
	root.End()
	ids := make(map[trace.SpanID]bool)
	for _, s := range rec.Spans() {
		ids[s.Context.SpanID()] = true
	}
	assert.Len(t, ids, 101)
}
