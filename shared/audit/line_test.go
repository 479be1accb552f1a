package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tollgate/shared/audit"
)

// full is an event with everything in it.
func full() audit.Event {
	return audit.Event{
		Event: audit.Decision, Time: time.Date(2026, 11, 23, 12, 0, 0, 5e8, time.UTC), Correlation: "c-1", Invocation: "i-1", Replay: true,
		Trace: strings.Repeat("ab", 16), Span: strings.Repeat("cd", 8), Gateway: "contoso", Environment: "prod", Build: "1.2.3", Contract: "d1g3st",
		API: "orders", Operation: "get", Method: "GET", Path: "/orders/1", Verdict: audit.Refused, Status: 403, Code: "insufficient_scope",
		Rule: "operations.get.allow.scopes", Cause: "because", Marks: []string{"revocation_stale"}, Client: "2001:db8::7", Principal: "user",
		User: "oid-1", Tenant: "tid-1", App: "app-1", Session: "uti-1", Issuer: "https://issuer.example", Subscription: "s-1", Product: "partner",
		Claims:  []audit.Claim{{Name: "roles", Values: []string{"A", "B"}}, {Name: "scp", Values: []string{"x y"}}},
		Limits:  []audit.Limit{{Name: "per-tenant", Left: 99, Reset: 30 * time.Second}, {Name: "all", Left: -1}},
		Backend: "orders.internal:8443", BackendStatus: 200, Duration: 12 * time.Millisecond, Own: 150 * time.Microsecond, Waited: 11 * time.Millisecond,
		Received: 10, Sent: 200, Omitted: []string{"path"}, Pseudonyms: []string{"user"}, PseudonymKey: "audit/3fa9c1d2",
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	for _, e := range []audit.Event{full(), {Event: audit.Started, Time: time.Unix(1, 0).UTC(), Correlation: "c", Contract: "d", Method: "PURGE", Path: "/", Verdict: audit.Granted, Code: "granted"}} {
		if diff := cmp.Diff(e, parsed(t, line(t, e))); diff != "" {
			t.Error(diff)
		}
	}
}

// An event is what OCSF says (schema 1.6.0, class 6003).
func TestAnEventIsAnAPIActivity(t *testing.T) {
	var got struct {
		ClassUID   int    `json:"class_uid"`
		TypeUID    int    `json:"type_uid"`
		SeverityID int    `json:"severity_id"`
		StatusID   int    `json:"status_id"`
		StatusCode string `json:"status_code"`
		Time       int64
		Actor      struct {
			User struct {
				UID    string
				TypeID int `json:"type_id"`
			}
			AppUID string `json:"app_uid"`
		}
		Metadata struct {
			UID       string
			Truncated *bool `json:"is_truncated"`
		}
	}
	e := full()
	if err := json.Unmarshal([]byte(line(t, e)), &got); err != nil {
		t.Fatal(err)
	}
	if got.ClassUID != 6003 || got.TypeUID != 600302 || got.SeverityID != 2 || got.StatusID != 2 || got.StatusCode != "insufficient_scope" || got.Time != 1795435200500 {
		t.Errorf("got %+v", got)
	}
	if got.Actor.User.UID != "oid-1" || got.Actor.User.TypeID != 1 || got.Actor.AppUID != "app-1" || got.Metadata.Truncated != nil {
		t.Errorf("got %+v", got)
	}
}

func TestTheTwoEventsOfAStreamHaveIdsOfTheirOwn(t *testing.T) {
	ids := map[string]bool{}
	for _, kind := range []string{audit.Decision, audit.Started, audit.Ended} {
		e := full()
		e.Event = kind
		var got struct{ Metadata struct{ UID string } }
		if err := json.Unmarshal([]byte(line(t, e)), &got); err != nil {
			t.Fatal(err)
		}
		ids[got.Metadata.UID] = true
	}
	if len(ids) != 3 {
		t.Errorf("got %v, want three", ids)
	}
}

func TestTheSchemaFileIsThatOfTheTypes(t *testing.T) {
	got, err := os.ReadFile("../../contracts/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, audit.Schema()) {
		t.Error("contracts/event.schema.json is stale; run make schema")
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(audit.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("event.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("event.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func valid(t *testing.T, s *jsonschema.Schema, line string) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err == nil {
		err = s.Validate(doc)
	}
	if err != nil {
		t.Errorf("%.500v\n%.500s", err, line)
	}
}

// H146: whatever an event holds, in whatever size, its line is valid by the
// schema, shorter than 32 KB, and read back.
func TestH146EveryEventIsValidAndBounded(t *testing.T) {
	s := schema(t)
	random := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"<", "\"", `\`, "\n", "\u2028", "é", "a", "&", "\x00", "x-1", "😀", "\xff"}
	text := func() string {
		return strings.Repeat(pieces[random.IntN(len(pieces))], random.IntN(3000)) + pieces[random.IntN(len(pieces))]
	}
	texts := func() (all []string) {
		for range random.IntN(60) {
			all = append(all, text())
		}
		return all
	}
	longest := 0
	for range 300 {
		e := full()
		for _, field := range []*string{&e.Correlation, &e.Invocation, &e.Gateway, &e.Environment, &e.Build, &e.Contract, &e.API, &e.Operation, &e.Method, &e.Path, &e.Rule,
			&e.Cause, &e.Client, &e.User, &e.Tenant, &e.App, &e.Session, &e.Issuer, &e.Subscription, &e.Product, &e.Backend, &e.PseudonymKey} {
			*field = text()
		}
		e.Marks, e.Omitted, e.Pseudonyms = texts(), texts(), texts()
		e.Claims = nil
		for i := range random.IntN(60) {
			e.Claims = append(e.Claims, audit.Claim{Name: fmt.Sprintf("%d%s", i, text()), Values: texts()})
			e.Limits = append(e.Limits, audit.Limit{Name: text(), Left: random.Int64()})
		}
		got := line(t, e)
		longest = max(longest, len(got))
		valid(t, s, got)
		if back := parsed(t, got); back.Code != e.Code || len(got) > audit.MaxLine {
			t.Fatalf("got %d bytes and %s", len(got), back.Code)
		}
	}
	t.Logf("the longest had %d bytes", longest)
}

func TestTheSchemaTakesAPlainEventAndNoStranger(t *testing.T) {
	s := schema(t)
	good := line(t, full())
	valid(t, s, good)
	for _, c := range [][2]string{{`"verdict":"refused"`, `"verdict":"maybe"`}, {`"class_uid":6003`, `"class_uid":6004`}, {`"unmapped":{`, `"unmapped":{"token":"eyJ",`}, {`"/orders/1"`, `"/ordérs/1"`}} {
		bad := strings.Replace(good, c[0], c[1], 1)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(bad))
		if err != nil || bad == good || s.Validate(doc) == nil {
			t.Errorf("got %s accepted (%v)", c[1], err)
		}
	}
}

func TestOtherLinesAreNoEvents(t *testing.T) {
	for _, s := range []string{"", "{", "null", `{"event":"listening"}`, `{"class_uid":6003}`, `{"class_uid":6003,"metadata":{"product":{"name":"another"}}}`, `{"class_uid":6003,"metadata":{"product":{"name":"tollgate"}}}`} {
		if _, err := audit.Parse([]byte(s)); !errors.Is(err, audit.ErrNoEvent) || audit.Is(s) {
			t.Errorf("%s: got %v", s, err)
		}
	}
	if e := full(); !audit.Is(line(t, e)) {
		t.Error("an event isn't told from other lines")
	}
}

func BenchmarkAppend(b *testing.B) {
	e, room := full(), make([]byte, 0, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		room = e.Append(room[:0])
	}
	b.SetBytes(int64(len(room)))
}

func TestEachColumnIsAnAttributeOfTheEvent(t *testing.T) {
	var all map[string]any
	if err := json.Unmarshal([]byte(line(t, full())), &all); err != nil {
		t.Fatal(err)
	}
	for _, c := range audit.Columns()[1:] {
		if all[c.Name] == nil || c.Type == "" {
			t.Errorf("%s (%s) isn't in %v", c.Name, c.Type, all)
		}
	}
}
