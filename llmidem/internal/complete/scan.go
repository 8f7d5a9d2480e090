package complete

import "errors"

var (
	// ErrSyntax says that a text is no JSON.
	ErrSyntax = errors.New("complete: not JSON")
	// ErrDepth says that a text nests deeper than [MaxDepth].
	ErrDepth = errors.New("complete: JSON nests too deep")
	// ErrKind says that a text begins like JSON, but with a value of another kind
	// than was asked for.
	ErrKind = errors.New("complete: JSON of another kind")
)

// Valid reports whether data is one JSON value and white space around it, nothing
// else. It agrees with encoding/json.Valid.
func Valid(data []byte) bool {
	end := skipValue(data, skipSpace(data, 0), 0)
	return end >= 0 && skipSpace(data, end) == len(data)
}

// Members calls fn for each member of the object that data is, in order and
// duplicates included, until fn returns false. The name is the text between the
// quotes, unescaped if there was an escape; name and value are parts of data
// where possible and are fn's only until it returns.
//
// When fn always returns true, a nil error means that the whole of data is valid
// JSON. The error is [ErrSyntax], [ErrDepth] or, where data is JSON but no object
// at its first byte, [ErrKind]; fn may have been called before it was found.
func Members(data []byte, fn func(name, value []byte) bool) error {
	return eachMember(data, func(name, value []byte) bool { return fn(name, value[:len(value):len(value)]) })
}

// eachMember is Members for callers that append to nothing: the capacity of a value
// goes to the end of data, which tells where in it the value is.
func eachMember(data []byte, fn func(name, value []byte) bool) error {
	i, err := open(data, '{')
	if err != nil || i < 0 {
		return err
	}
	for {
		if i >= len(data) || data[i] != '"' {
			return ErrSyntax
		}
		name := i
		if i = skipString(data, i); i < 0 {
			return ErrSyntax
		}
		end := i
		if i = skipSpace(data, i); i >= len(data) || data[i] != ':' {
			return ErrSyntax
		}
		value := skipSpace(data, i+1)
		if i = skipValue(data, value, 1); i < 0 {
			return failed(i)
		}
		if !fn(unescaped(data[name+1:end-1]), data[value:i]) {
			return nil
		}
		if i, err = next(data, i, '}'); err != nil || i < 0 {
			return err
		}
	}
}

// Elements calls fn for each element of the array that data is, with its position
// from 0, until fn returns false. It is otherwise as [Members].
func Elements(data []byte, fn func(i int, value []byte) bool) error {
	return eachElement(data, func(i int, value []byte) bool { return fn(i, value[:len(value):len(value)]) })
}

// eachElement is Elements as eachMember is Members.
func eachElement(data []byte, fn func(i int, value []byte) bool) error {
	i, err := open(data, '[')
	if err != nil || i < 0 {
		return err
	}
	for n := 0; ; n++ {
		value := i
		if i = skipValue(data, value, 1); i < 0 {
			return failed(i)
		}
		if !fn(n, data[value:i]) {
			return nil
		}
		if i, err = next(data, i, ']'); err != nil || i < 0 {
			return err
		}
	}
}

// Get returns the value at a path of member names, as a part of data; nil where
// there is none or data is not valid JSON. Of members with one name the last
// counts, as in encoding/json; names are compared as they are.
func Get(data []byte, path ...string) []byte {
	data = get(data, path...)
	return data[:len(data):len(data)]
}

// get is Get as eachMember is Members.
func get(data []byte, path ...string) []byte {
	for _, want := range path {
		var found []byte
		err := eachMember(data, func(name, value []byte) bool {
			if string(name) == want {
				found = value
			}
			return true
		})
		if err != nil || found == nil {
			return nil
		}
		data = found
	}
	return data
}

// pick is Get for several members of one object in one pass: out[i] is the value
// of the last member called names[i], or nil.
func pick(data []byte, out [][]byte, names ...string) error {
	return eachMember(data, func(name, value []byte) bool {
		for i, want := range names {
			if string(name) == want {
				out[i] = value
				break
			}
		}
		return true
	})
}

// open returns the index of the first name or element of an object or array, or
// -1 if it is empty and nothing follows.
func open(data []byte, bracket byte) (int, error) {
	i := skipSpace(data, 0)
	if i >= len(data) {
		return 0, ErrSyntax
	}
	if data[i] != bracket {
		if KindOf(data[i:]) == KindInvalid {
			return 0, ErrSyntax
		}
		return 0, ErrKind
	}
	if i = skipSpace(data, i+1); i < len(data) && data[i] == bracket+2 {
		return end(data, i+1)
	}
	return i, nil
}

// next returns the index of the next name or element after a value that ended
// before i, or -1 after the last one if nothing follows.
func next(data []byte, i int, bracket byte) (int, error) {
	if i = skipSpace(data, i); i >= len(data) {
		return 0, ErrSyntax
	}
	switch data[i] {
	case ',':
		return skipSpace(data, i+1), nil
	case bracket:
		return end(data, i+1)
	}
	return 0, ErrSyntax
}

// end returns -1 if nothing but white space follows.
func end(data []byte, i int) (int, error) {
	if skipSpace(data, i) != len(data) {
		return 0, ErrSyntax
	}
	return -1, nil
}

func failed(code int) error {
	if code == badDepth {
		return ErrDepth
	}
	return ErrSyntax
}
