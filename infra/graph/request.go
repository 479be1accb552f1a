package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Permissions, as Graph calls them: for whoever reads, and whoever changes.
const (
	readPolicies    = "Policy.Read.All"
	readAssignments = "Policy.Read.All and Application.Read.All"
	writeContexts   = "Policy.ReadWrite.ConditionalAccess"
	writePolicies   = "Policy.ReadWrite.ConditionalAccess, Policy.Read.All and Application.Read.All"
	writeLifetimes  = "Policy.ReadWrite.ApplicationConfiguration"
	assignLifetime  = "Application.ReadWrite.All (or Application.ReadWrite.OwnedBy, as an owner) and Policy.Read.All"
)

// Request is one request to Graph, exactly as it will be sent, but for ids that
// nobody knows yet: {clientId.NAME}, which Terraform makes, and {id.NAME}, which an earlier request gives.
type Request struct {
	Method     string
	Path       string // below the address, with /v1.0
	Body       []byte // JSON, its members in order; nil for none
	Why        string // a sentence
	Permission string // that it needs
	Loosens    bool   // it takes a protection away
	gives      string // its answer's id is known by this name
}

func (r Request) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%s %s\n", r.Why, r.Method, r.Path)
	if r.Body != nil {
		fmt.Fprintf(&out, "%s\n", r.Body)
	}
	return out.String()
}

// Change is what would be asked of Graph, in order.
type Change struct {
	Requests []Request
	Notes    []string // what no request mends, for a person to know
}

// Empty tells whether Graph holds all that is wanted.
func (c *Change) Empty() bool { return len(c.Requests) == 0 }

// same compares what was confirmed with what would be done now.
func (c *Change) same(other *Change) bool {
	if len(c.Requests) != len(other.Requests) {
		return false
	}
	for i, r := range c.Requests {
		o := other.Requests[i]
		if r.Method != o.Method || r.Path != o.Path || !bytes.Equal(r.Body, o.Body) {
			return false
		}
	}
	return true
}

// request makes one. Marshalling sorts members, so the same contracts give the same bytes.
func request(method, path string, body object, why, permission string) Request {
	r := Request{Method: method, Path: "/v1.0" + path, Why: why, Permission: permission}
	if body != nil {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		_ = enc.Encode(body) // maps, lists and scalars always encode
		r.Body = bytes.TrimRight(text.Bytes(), "\n")
	}
	return r
}
