package llmidem_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"

	"github.com/llmidem/llmidem-go/llmidem"
	"github.com/llmidem/llmidem-go/llmidem/llmtest"
)

func TestSpans_Stream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.srv.Next(llmtest.Status(429).RetryAfter(time.Second), llmtest.OK().Delay(2*time.Second).Pace(time.Second))
		lead := b.mustOpen("span")
		follow := b.mustOpen("span")
		require.Empty(t, b.spans.Named("chat gpt-4o-mini"), "the span ends with the stream")
		require.Len(t, b.spans.Named("POST"), 1)
		first := drainStream(lead)
		require.NoError(t, first.err)
		require.NoError(t, drainStream(follow).err)
		require.NoError(t, b.mustStream("span").err)
		calls := b.spans.Named("chat gpt-4o-mini")
		require.Len(t, calls, 3)
		leader, follower, replay := calls[0], calls[1], calls[2]
		got := attrs(leader)
		for name, want := range map[string]string{
			"gen_ai.request.stream": "true", "gen_ai.response.time_to_first_chunk": "3", "llmidem.response.source": "provider",
			"llmidem.attempt.count": "2", "gen_ai.response.finish_reasons": `["stop"]`, "gen_ai.usage.output_tokens": "3",
			"gen_ai.response.model": "gpt-4o-mini",
		} {
			require.Equal(t, want, got[name], name)
		}
		require.Equal(t, codes.Unset, leader.Status)
		require.Equal(t, leader.Context.SpanID(), links(follower)["leader"])
		require.Equal(t, leader.Context.SpanID(), links(replay)["origin"])
		require.Equal(t, "coalesced", attrs(follower)["llmidem.response.source"])
		for _, s := range calls[1:] {
			require.Equal(t, "3", attrs(s)["llmidem.tokens.saved.output"])
			require.NotContains(t, attrs(s), "gen_ai.usage.output_tokens")
			require.Equal(t, "0", attrs(s)["llmidem.attempt.count"])
		}
		posts := b.spans.Named("POST")
		require.Len(t, posts, 2)
		require.Equal(t, "200", attrs(posts[1])["http.response.status_code"])
		require.Equal(t, 8*time.Second, posts[1].End.Sub(posts[1].Start), "the attempt ends with the body")
	})
}

func TestSpans_StreamThatEndsEarly(t *testing.T) {
	for name, c := range map[string]struct {
		fault   llmtest.Fault
		closes  bool
		status  codes.Code
		errType string
	}{
		"cut":         {llmtest.CutEvents(2), false, codes.Error, "stream_truncated"},
		"forged":      {llmtest.ForgedDone(), false, codes.Error, "stream_truncated"},
		"closed":      {llmtest.OK().Pace(time.Second), true, codes.Unset, ""},
		"error frame": {llmtest.StreamError(2).Code("insufficient_quota").Message("secret words"), false, codes.Error, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.srv.Next(c.fault)
				s := b.mustOpen("early")
				if c.closes {
					require.NoError(t, s.Close())
				}
				_ = drainStream(s)
				synctest.Wait()
				call := b.spans.Named("chat gpt-4o-mini")
				require.Len(t, call, 1)
				require.Equal(t, c.status, call[0].Status)
				require.Equal(t, `["error"]`, attrs(call[0])["gen_ai.response.finish_reasons"])
				require.Equal(t, c.errType, attrs(call[0])["error.type"])
				require.NotContains(t, call[0].Description, "secret")
				require.NotContains(t, b.logs.all(), "secret")
				require.Len(t, b.spans.Named("POST"), 1)
			})
		})
	}
}

func TestSpans_StreamSavesNothingUntilItIsRead(t *testing.T) {
	b := newBench(t)
	b.mustStream("saved")
	s, err := b.open(context.Background(), "saved")
	require.NoError(t, err)
	require.Zero(t, s.Receipt().Saved)
	require.NoError(t, drainStream(s).err)
	require.NotZero(t, s.Receipt().Saved)
	require.Equal(t, llmidem.SourceCache, s.Receipt().Source)
}
