package settings

import (
	"testing"
)

func TestWhatTheHostOrThePlatformSetsIsNobodyElses(t *testing.T) {
	all, err := table()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.Must && s.SetBy == Operator {
			t.Errorf("%s must be set, and nothing but the operator's memory sets it", s.Name)
		}
		if s.Secret && s.Default != "" {
			t.Errorf("%s holds a secret, and has the default %q", s.Name, s.Default)
		}
	}
}
