// Package bindings writes what Terraform created back into an environment's
// contract file: client ids, addresses, names. Only values, never a rule, and only
// those lines: comments, order and style stay.
package bindings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Bindings are the root module's output of that name. What is null or missing stays as the file has it.
type Bindings struct {
	ClientID   map[string]string `json:"clientId"`
	Client     map[string]string `json:"client"`
	Identities struct {
		Gateway string `json:"gateway"`
	} `json:"identities"`
	Store struct {
		Tables string `json:"tables"`
	} `json:"store"`
	Vaults struct {
		Main string `json:"main"`
	} `json:"vaults"`
	Audit struct {
		Logs *struct {
			Endpoint string `json:"endpoint"`
			Rule     string `json:"rule"`
			Stream   string `json:"stream"`
		} `json:"logs"`
		EventHub *struct {
			Namespace string `json:"namespace"`
			Name      string `json:"name"`
		} `json:"eventHub"`
	} `json:"audit"`
	FrontDoorID string `json:"frontDoorId"`
}

// Parse reads the output. A member that isn't known is an error: a rule must not
// come into a contract this way.
func Parse(output []byte) (Bindings, error) {
	var b Bindings
	dec := json.NewDecoder(bytes.NewReader(output))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&b); err != nil {
		return b, fmt.Errorf("read the output bindings: %w", err)
	}
	return b, nil
}

// entry is one value and its place.
type entry struct {
	path  []string
	value string
}

func (e entry) at() string { return strings.Join(e.path, ".") }

func (b Bindings) entries() []entry {
	var out []entry
	add := func(value string, path ...string) {
		if value != "" {
			out = append(out, entry{path, value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.ClientID)) {
		add(b.ClientID[name], "clientId", name)
	}
	for _, name := range slices.Sorted(maps.Keys(b.Client)) {
		add(b.Client[name], "client", name)
	}
	add(b.Vaults.Main, "vaults", "main")
	add(b.Store.Tables, "store", "tables")
	add(b.Identities.Gateway, "identities", "gateway")
	if l := b.Audit.Logs; l != nil {
		add(l.Endpoint, "audit", "logs", "endpoint")
		add(l.Rule, "audit", "logs", "rule")
		add(l.Stream, "audit", "logs", "stream")
	}
	if h := b.Audit.EventHub; h != nil {
		add(h.Namespace, "audit", "eventHub", "namespace")
		add(h.Name, "audit", "eventHub", "name")
	}
	add(b.FrontDoorID, "frontDoorId")
	return out
}

// Changed is one value that was written.
type Changed struct {
	Path string `json:"path"` // such as clientId.orders
	Old  string `json:"old"`  // "" where there was none
	New  string `json:"new"`
}

func (c Changed) String() string {
	if c.Old == "" {
		return fmt.Sprintf("+ %s: %s", c.Path, c.New)
	}
	return fmt.Sprintf("~ %s: %s (was %s)", c.Path, c.New, c.Old)
}
