package config

import (
	"reflect"
	"testing"
)

// TestNeedsHelper sets each field of Identity in turn: all but User need the exec helper. A slice
// without elements says nothing, and so does not need it.
func TestNeedsHelper(t *testing.T) {
	if new(Identity).NeedsHelper() {
		t.Error("the zero Identity needs the helper")
	}
	for n := range reflect.TypeFor[Identity]().NumField() {
		var id Identity
		field, name := reflect.ValueOf(&id).Elem().Field(n), reflect.TypeFor[Identity]().Field(n).Name
		switch field.Kind() {
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 0, 1))
			if id.NeedsHelper() {
				t.Errorf("an empty %s needs the helper", name)
			}
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		default:
			t.Fatalf("the test cannot set %s, a %s", name, field.Kind())
		}
		if got, want := id.NeedsHelper(), name != "User"; got != want {
			t.Errorf("%s needs the helper: %t, want %t", name, got, want)
		}
		if field.IsZero() {
			t.Errorf("%s was changed", name)
		}
	}
}
