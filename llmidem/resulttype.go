package llmidem

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// resultType reports why values of a type do not survive being written as JSON
// and read again. It asks once a type.
func (k *core) resultType(t reflect.Type) error {
	if known, ok := k.resultOK.Load(t); ok {
		err, _ := known.(error)
		return err
	}
	err := survives(t, map[reflect.Type]bool{})
	if err == nil {
		k.resultOK.Store(t, true)
	} else {
		k.resultOK.Store(t, err)
	}
	return err
}

var (
	jsonReader = reflect.TypeFor[json.Unmarshaler]()
	textReader = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// survives walks a type; seen ends the recursion of types that hold themselves.
func survives(t reflect.Type, seen map[reflect.Type]bool) error {
	if seen[t] || reflect.PointerTo(t).Implements(jsonReader) || reflect.PointerTo(t).Implements(textReader) {
		return nil
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Errorf("%s cannot be written as JSON", t)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("%s is an interface, which cannot be read back; use a concrete type", t)
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return survives(t.Elem(), seen)
	case reflect.Map:
		return survivesMap(t, seen)
	case reflect.Struct:
		return survivesStruct(t, seen)
	}
	return nil
}

func survivesMap(t reflect.Type, seen map[reflect.Type]bool) error {
	switch k := t.Key(); k.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
	default:
		if !reflect.PointerTo(k).Implements(textReader) {
			return fmt.Errorf("%s has keys that JSON cannot write", t)
		}
	}
	return survives(t.Elem(), seen)
}

func survivesStruct(t reflect.Type, seen map[reflect.Type]bool) error {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("json") == "-" {
			continue
		}
		if !f.IsExported() && !f.Anonymous {
			return fmt.Errorf("%s has the field %s, which JSON leaves out; export it, tag it json:\"-\", or give the type MarshalJSON and UnmarshalJSON", t, f.Name)
		}
		if err := survives(f.Type, seen); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}
