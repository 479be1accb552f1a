package lab

import (
	"bytes"
	"fmt"
	"strings"
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
func conforms(line string) error {
	s, err := schema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// conform ends a test: every event that its gateway left was valid. It takes its
// time only now, so that no test measures it.
func (l *Lab) conform(t testing.TB) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := 0
	for _, line := range l.printed {
		err := conforms(line)
		if len(line) > audit.MaxLine {
			err = fmt.Errorf("it has %d bytes", len(line))
		}
		if err != nil && bad < 3 {
			bad++
			t.Errorf("got an event that the schema doesn't take: %v: %.600s", err, line)
		}
	}
}
