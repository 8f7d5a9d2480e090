package llmidem

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/llmidem/llmidem-go/llmidem/internal/conffile"
)

// words are how the members of an enumeration are written, from its first, which is
// 1, on.
var words = map[reflect.Type][]string{
	reflect.TypeFor[RecallPolicy](): {"always", "undelivered", "off"},
	reflect.TypeFor[DoubtPolicy]():  {"retry", "fail"},
	reflect.TypeFor[StorePolicy]():  {"proceed", "refuse"},
}

// sizes are the units of bytes.
var sizes = [...]struct {
	unit  string
	bytes int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// errZero is about the value that would not do what it says.
var errZero = errors.New("is 0, which stands for the default; leave it out for that")

// setValue gives a field the value that a file holds. The error does not repeat it:
// what is in a wrong place may be a secret.
func setValue(field reflect.Value, v conffile.Value) error {
	switch {
	case v.Kind == conffile.Null:
		return errors.New("has no value; write one, or leave the name out")
	case field.Type() == reflect.TypeFor[[]string]():
		return setList(field, v)
	case v.Kind == conffile.List:
		return errors.New("is a list; write one value")
	case field.Kind() == reflect.Bool:
		if v.Text != "true" && v.Text != "false" || v.Kind != conffile.Bool {
			return errors.New("is neither true nor false; write one of them, without quotes")
		}
		field.SetBool(v.Text == "true")
		return nil
	case field.Kind() == reflect.String:
		if v.Kind != conffile.Text {
			return errors.New("is no text; put it in quotes")
		}
		if v.Text == "" {
			return errors.New("is empty; leave it out for the default")
		}
		field.SetString(v.Text)
		return nil
	}
	return setNumber(field, v)
}

// setNumber gives a value to a field that is some kind of number.
func setNumber(field reflect.Value, v conffile.Value) error {
	if list, ok := words[field.Type()]; ok {
		for i, word := range list {
			if v.Text == word && v.Kind == conffile.Text {
				field.SetUint(uint64(i + 1))
				return nil
			}
		}
		return errors.New("is none of its values; write " + strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1])
	}
	switch {
	case field.Type() == reflect.TypeFor[time.Duration]():
		d, err := parseDuration(v)
		field.SetInt(int64(d))
		return err
	case field.Kind() == reflect.Int64:
		n, err := parseSize(v)
		field.SetInt(n)
		return err
	case field.Kind() == reflect.Int:
		n, err := strconv.ParseInt(v.Text, 10, 32)
		if err != nil || n < 0 || v.Kind != conffile.Number {
			return errors.New("is no whole number from 1 to 2147483647; write it in digits alone")
		}
		if n == 0 {
			return errZero
		}
		field.SetInt(n)
		return nil
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || v.Kind != conffile.Number || !(f >= 0) || math.IsInf(f, 0) {
		return errors.New("is no number above 0; write it like 0.1")
	}
	if f == 0 {
		return errZero
	}
	field.SetFloat(f)
	return nil
}

// setList takes a list of texts. Empty is not nil: it means none, not the default.
func setList(field reflect.Value, v conffile.Value) error {
	if v.Kind != conffile.List {
		return errors.New("is no list; write [a, b], or [] for none")
	}
	list := make([]string, 0, len(v.Items))
	for _, item := range v.Items {
		if item.Kind != conffile.Text || item.Text == "" {
			return errors.New("has an element that is no text; put it in quotes")
		}
		list = append(list, item.Text)
	}
	field.Set(reflect.ValueOf(list))
	return nil
}

func parseDuration(v conffile.Value) (time.Duration, error) {
	d, err := time.ParseDuration(v.Text)
	switch {
	case err == nil && d == 0:
		return 0, errZero
	case err == nil && d > 0 && v.Kind == conffile.Text:
		return d, nil
	case err == nil && d < 0:
		return 0, errors.New("is negative; write a time like 10m")
	}
	return 0, errors.New("is no time; write it with its unit, as in 90s, 10m or 24h")
}

func parseSize(v conffile.Value) (int64, error) {
	number, unit := v.Text, int64(1)
	if v.Kind == conffile.Text {
		for _, s := range sizes {
			if n, ok := strings.CutSuffix(number, s.unit); ok {
				number, unit = strings.TrimRight(n, " "), s.bytes
				break
			}
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err == nil && n == 0:
		return 0, errZero
	case err != nil || n < 0 || number[0] == '+' || unit == 1 && v.Kind != conffile.Number:
		return 0, errors.New("is no size; write bytes in digits, or a unit, as in 64MiB (KiB, MiB, GiB, TiB)")
	case n > math.MaxInt64/unit:
		return 0, errors.New("is too large")
	}
	return n * unit, nil
}

// envValue is the value of a variable as it would stand in a file. Lists may be
// without their brackets.
func envValue(field reflect.Value, text string) conffile.Value {
	v := conffile.Value{Kind: conffile.Text, Text: text}
	switch {
	case field.Type() == reflect.TypeFor[[]string]():
		v = conffile.Value{Kind: conffile.List}
		text = strings.TrimSpace(text)
		if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
			text = strings.TrimSpace(inner[:len(inner)-1])
		}
		if text == "" {
			return v
		}
		for item := range strings.SplitSeq(text, ",") {
			v.Items = append(v.Items, conffile.Value{Kind: conffile.Text, Text: strings.TrimSpace(item)})
		}
	case field.Kind() == reflect.Bool:
		v.Kind = conffile.Bool
	case field.Kind() == reflect.Int, field.Kind() == reflect.Float64,
		field.Kind() == reflect.Int64 && strings.Trim(text, "0123456789") == "" && field.Type() != reflect.TypeFor[time.Duration]():
		v.Kind = conffile.Number
	}
	return v
}

// valueText is a field as it would be written in a file, "" for zero.
func valueText(field reflect.Value) string {
	switch v := field.Interface().(type) {
	case time.Duration:
		return durationText(v)
	case int64:
		return sizeText(v)
	case []string:
		if v == nil {
			return ""
		}
		return "[" + strings.Join(v, ", ") + "]"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		if v == 0 {
			return ""
		}
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	if list := words[field.Type()]; field.Uint() >= 1 && field.Uint() <= uint64(len(list)) {
		return list[field.Uint()-1]
	}
	return ""
}

// durationText leaves out the zeros that Duration.String adds.
func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func sizeText(n int64) string {
	if n == 0 {
		return ""
	}
	for _, s := range sizes {
		if n%s.bytes == 0 {
			return strconv.FormatInt(n/s.bytes, 10) + s.unit
		}
	}
	return strconv.FormatInt(n, 10)
}
