package lab

import (
	"bytes"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tollgate/shared/audit"
)

// schema is that of events, compiled once.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(audit.Schema()))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("event.json")
})

// conforms holds a line against the schema.
func conforms(line []byte) error {
	s, err := schema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// conform ends a test: every event that its gateway left was valid.
func (l *Lab) conform(t testing.TB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, err := range l.invalid {
		if i == 3 {
			t.Errorf("and %d more", len(l.invalid)-i)
			break
		}
		t.Error(err)
	}
}
