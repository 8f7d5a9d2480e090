// Command ratios prints what a key costs as multiples of SHA-256 over the same bytes,
// as Markdown: of the identity package, and of other ways to make canonical JSON.
//
//	go run ./cmd/ratios
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/benchmarks"
)

func main() {
	d := flag.Duration("time", 2*time.Second, "how long to measure identity for each body; the others get a quarter of it")
	others := flag.Bool("others", true, "measure the other ways too")
	flag.Parse()
	all := benchmarks.Contestants()
	loads := append(benchmarks.Loads(), benchmarks.HostileLoads()...)
	fmt.Printf("%s, %d cores, %s %s/%s, %s\n\n", cpu(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
	fmt.Println("| body | SHA-256 | key | best | median | budget | allocations |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	rows := make([]string, len(loads))
	for i, l := range loads {
		body := l.Body()
		r := benchmarks.Measure(all[0], all[1], l, body, *d)
		fmt.Printf("| %s | %s | %s | %s | %s | %v | %.0f |\n", l.Name, short(r.Floor), short(r.Time), times(r.Best), times(r.Median), l.Budget, r.Allocs)
		rows[i] = "| " + l.Name + " | " + times(r.Best)
		if *others {
			rows[i] += beside(all, l, body, *d/4)
		}
	}
	if *others {
		printOthers(all, rows)
	}
}

// beside returns the cells of the others for one body: the multiple and what one run
// allocates.
func beside(all []benchmarks.Contestant, l benchmarks.Load, body []byte, d time.Duration) (cells string) {
	for _, c := range all[2:] {
		if why, ok := l.Lacks[c.Name]; ok {
			cells += " | " + why
			continue
		}
		r := benchmarks.Measure(c, all[1], l, body, d)
		cells += fmt.Sprintf(" | %s, %s", times(r.Best), size(r.Bytes))
	}
	return cells
}

func printOthers(all []benchmarks.Contestant, rows []string) {
	head, line := "\n| body | "+all[0].Name, "\n| --- | ---:"
	for _, c := range all[2:] {
		head += " | " + c.Name
		line += " | ---:"
	}
	fmt.Println(head + " |" + line + " |")
	for _, r := range rows {
		fmt.Println(r + " |")
	}
}

// times shows a multiple with three digits.
func times(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x >= 0.01:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.4f", x)
}

// short shows a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return times(float64(d)/1e3) + " µs"
	}
	return times(float64(d)/1e6) + " ms"
}

// size shows a number of bytes.
func size(n float64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%.0f B", n)
	case n < 1<<20:
		return times(n/(1<<10)) + " KB"
	}
	return times(n/(1<<20)) + " MB"
}

// cpu names the processor where the system tells it.
func cpu() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
