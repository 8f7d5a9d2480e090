package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/llmidem/llmidem-go/llmidem/batch"
)

// plainEvery is how often progress is told where there is no terminal.
const plainEvery = 5 * time.Second

// meter shows how far a batch is: a bar on a terminal, a line every few seconds
// elsewhere.
type meter struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil where there is no terminal
	term  bool
	began time.Time
	told  time.Time
	start int // items that had their result before
	known bool
}

func newMeter(w io.Writer) *meter {
	m := &meter{w: w, began: time.Now(), told: time.Now()}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		m.term = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return m
}

// show is a [batch.Progress].
func (m *meter) show(s batch.Summary) {
	written := s.Items - s.Left
	if !m.known {
		m.known, m.start = true, written
	}
	if m.term {
		m.draw(s, written)
		return
	}
	if now := time.Now(); now.Sub(m.told) >= plainEvery && s.Left > 0 {
		m.told = now
		fmt.Fprintln(m.w, m.line(s, written, now.Sub(m.began)))
	}
}

// line is the progress as text: items, rate, time left, retries, tokens.
func (m *meter) line(s batch.Summary, written int, passed time.Duration) string {
	rate := float64(written-m.start) / passed.Seconds()
	left := "?"
	if rate > 0 {
		left = (time.Duration(float64(s.Left)/rate) * time.Second).String()
	}
	return fmt.Sprintf("%d/%d items, %.1f/s, %s left, %s", written, s.Items, rate, left, costs(s))
}

func costs(s batch.Summary) string {
	return fmt.Sprintf("%d dead letters, %d retries, tokens: %d paid, %d saved", s.Failed, s.Retries,
		s.Paid.InputTokens+s.Paid.OutputTokens, s.Saved.InputTokens+s.Saved.OutputTokens)
}

// draw shows the items that were left when the program started, so that the rate is
// that of this start.
func (m *meter) draw(s batch.Summary, written int) {
	if m.bar == nil {
		m.bar = progressbar.NewOptions(s.Items-m.start, progressbar.OptionSetWriter(m.w), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("items"), progressbar.OptionSetPredictTime(true),
			progressbar.OptionSetWidth(24), progressbar.OptionShowDescriptionAtLineEnd())
	}
	text := costs(s)
	if m.start > 0 {
		text = fmt.Sprintf("after %d, %s", m.start, text)
	}
	m.bar.Describe(text)
	_ = m.bar.Set(written - m.start)
}

// end leaves the last state of the bar on a line of its own.
func (m *meter) end() {
	if m.bar != nil {
		fmt.Fprintln(m.w)
	}
}
