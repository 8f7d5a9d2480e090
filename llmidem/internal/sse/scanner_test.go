package sse

import (
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// bodies has what the standard distinguishes, and what it does not speak of.
var bodies = []string{
	"",
	"\n", "\r", "\r\n", "\n\r", "\r\r\n\n", "\r\n\r\n",
	"data: {\"a\":1}\n\ndata: [DONE]\n\n",
	"data: {\"a\":1}\r\n\r\ndata: [DONE]\r\n\r\n",
	"data: {\"a\":1}\r\rdata: [DONE]\r\r",
	"\uFEFFdata: x\n\n\uFEFFdata: y\n\n", "\uFEFF", "\xEF\xBB", "\uFEFF\n", "\uFEFF\r\n\uFEFF\r\n",
	": OPENROUTER PROCESSING\n\n:\n\n: \n\n:  two\n\n",
	"event: ping\ndata: {\"type\": \"ping\"}\n\nevent:message_stop\ndata:{}\n\n",
	"id: 7\nretry: 3000\nretry\nid\nevent\ndata\n\ndata:\n\ndata: \n\ndata:  x\n\n",
	"data: one\ndata: two\n\n", "data: no end", "data: no end\n", "data: no end\r", "data: x\n\ndat", "d",
	"Data: x\ndatas: x\n data: x\ndata : x\nfoo\nfoo: bar\nevents: 1\nretry2:\n<html>\n{\"error\":{}}\n",
	"\x00\n\xff\xfe\ndata: \x00\n\n",
	"{\"done\":false}\n{\"done\":true}\n", "{\"done\":true}\r\n\r\n \n{}", "{}\r", "\r{}\r\r\n",
	"data: " + strings.Repeat("long ", 9000) + "\r\n\r\n: " + strings.Repeat("c", 9000),
	strings.Repeat("data: x\r\n\r\n", 2000),
}

func TestT3_LinesOfEveryForm(t *testing.T) {
	lines := []struct {
		in    string
		kind  Kind
		value string
	}{
		{"data: x", Data, "x"}, {"data:x", Data, "x"}, {"data:  x", Data, " x"}, {"data", Data, ""}, {"data:", Data, ""},
		{": c", Comment, "c"}, {":", Comment, ""}, {"event: ping", Event, "ping"}, {"id: 1", ID, "1"}, {"retry: 5", Retry, "5"},
		{"", Blank, ""}, {"foo: 1", Other, "foo: 1"}, {"foo", Other, "foo"}, {" data: x", Other, " data: x"}, {"DATA: x", Other, "DATA: x"},
	}
	for _, end := range []string{"\n", "\r", "\r\n", ""} {
		for _, bom := range []string{"", "\uFEFF"} {
			for _, l := range lines {
				body := bom + l.in + end
				if body == "" || l.in == "" && end == "" {
					continue
				}
				line, err := NewScanner(strings.NewReader(body), Events, 0).Next()
				if err != nil || string(line.Raw) != body || line.Kind != l.kind || string(line.Value) != l.value || line.Ended != (end != "") {
					t.Errorf("%q: %+v %v, want %+v", body, line, err, l)
				}
			}
		}
	}
}

func TestT4_EverySplitOfTheBytes(t *testing.T) {
	broken := errors.New("connection reset")
	for _, f := range []Format{Events, Lines} {
		for _, most := range []int{1, 5, 4096, 1 << 20} {
			for i, body := range bodies {
				same(t, "all", body, strings.NewReader(body), f, most, io.EOF)
				same(t, "data with the error", body, iotest.DataErrReader(strings.NewReader(body)), f, most, io.EOF)
				same(t, "one byte", body, iotest.OneByteReader(strings.NewReader(body)), f, most, io.EOF)
				p := &pieces{body, rand.New(rand.NewPCG(uint64(i), 1)), broken}
				same(t, "pieces", body, p, f, most, broken)
				if len(body) > 200 {
					continue
				}
				for at := range body {
					r := io.MultiReader(strings.NewReader(body[:at]), strings.NewReader(body[at:]))
					same(t, "two parts", body, r, f, most, io.EOF)
				}
			}
		}
	}
}

func FuzzScanner(f *testing.F) {
	for i, body := range bodies {
		body = body[:min(len(body), 100)] // long ones take the fuzzer's time
		f.Add(body, uint64(i), uint16(4096), i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, body string, seed uint64, most uint16, lines bool) {
		format, limit := Events, int(most)+1
		if lines {
			format = Lines
		}
		p := &pieces{body, rand.New(rand.NewPCG(seed, 2)), io.ErrUnexpectedEOF}
		same(t, "pieces", body, p, format, limit, io.ErrUnexpectedEOF)
		same(t, "all", body, strings.NewReader(body), format, limit, io.EOF)
		same(t, "one byte", body, iotest.OneByteReader(strings.NewReader(body)), format, limit, io.EOF)
	})
}
