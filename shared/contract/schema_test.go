package contract_test

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"tollgate/shared/contract"
)

func TestTheSchemaFileIsThatOfTheTypes(t *testing.T) {
	got, err := os.ReadFile("../../contracts/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, contract.Schema()) {
		t.Error("contracts/schema.json is stale; run make schema")
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(contract.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validates(t *testing.T, s *jsonschema.Schema, text []byte) bool {
	t.Helper()
	var v any
	if err := yaml.Load(text, &v); err != nil {
		t.Fatal(err)
	}
	return s.Validate(v) == nil
}

func TestEditorsAcceptTheExampleEstate(t *testing.T) {
	s := compiled(t)
	err := fs.WalkDir(os.DirFS("../../contracts"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile("../../contracts/" + path)
		if err == nil && !validates(t, s, text) {
			t.Errorf("%s isn't valid under the schema", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What the decoder refuses by shape alone, an editor marks too.
func TestEditorsAndLoadRefuseTheSameShapes(t *testing.T) {
	s := compiled(t)
	for name, edit := range map[string][2]string{
		"unknown field":  {"owner: o", "owners: o"},
		"missing field":  {"owner: o\n", ""},
		"wrong type":     {"owner: o", "owner: [o]"},
		"empty list":     {"roles: [DataReader]", "roles: []"},
		"repeated entry": {"roles: [DataReader]", "roles: [DataReader, DataReader]"},
		"empty rule":     {"allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: {}"},
		"bad choice":     {"consent: user", "consent: nobody"},
		"bad pattern":    {"name: orders", "name: Orders"},
		"empty text":     {"owner: o", `owner: ""`},
		"bad duration":   {`backend: { url: "${backend.orders}" }`, `backend: { url: "${backend.orders}", timeout: soon }`},
		"bad kind":       {"kind: API", "kind: Api"},

		"a rate of a day":          {"owner: o", "owner: o\nlimits: [ { name: l, rate: 1/day, by: [all] } ]"},
		"a quota of a minute":      {"owner: o", "owner: o\nlimits: [ { name: l, quota: 1/minute, by: [all] } ]"},
		"a limit by nothing":       {"owner: o", "owner: o\nlimits: [ { name: l, rate: 1/minute } ]"},
		"a limit without a name":   {"owner: o", "owner: o\nlimits: [ { rate: 1/minute, by: [all] } ]"},
		"a limit's quoted name":    {"owner: o", "owner: o\nlimits: [ { name: 'a\";q=1', rate: 1/minute, by: [all] } ]"},
		"an outage's other policy": {"owner: o", "owner: o\nlimits: [ { name: l, rate: 1/minute, by: [all], whenUnavailable: open } ]"},
		"a class there isn't":      {"owner: o", "owner: o\nlimits: [ { name: l, rate: 1/minute, by: [all], uncounted: [1xx] } ]"},
		"a share of nothing":       {"owner: o", "owner: o\nlimits: [ { name: l, rate: 1/minute, by: [all], localShare: 0 } ]"},
		"a weight of nothing":      {"id: get", "weight: 0, id: get"},
		"a key's other word":       {"allow: { scopes: [Orders.Read], roles: [DataReader] }", "allow: { key: or }"},
		"a key's header with _":    {"owner: o", "owner: o\nsubscriptionKeys: { header: X_Key }"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(apiFile, edit[0], edit[1], 1)
			if validates(t, s, []byte(text)) {
				t.Error("the schema accepts it")
			}
			if faultsOf(estate("orders.yaml", edit[0], edit[1])).Err() == nil {
				t.Error("Load accepts it")
			}
		})
	}
	if !validates(t, s, []byte(apiFile)) {
		t.Error("the unedited contract is refused")
	}
	for _, words := range []string{
		"limits: [ { name: l, rate: 50MiB/10s, by: [\"claim:azp|appid\", operation], missing: shared, uncounted: [refused, 5xx], shadow: true } ]",
		"limits: [ { name: l, quota: 1/total, by: [all], whenUnavailable: local, localShare: 100 } ]",
		"subscriptionKeys: { header: X-Key, query: key }",
	} {
		if !validates(t, s, []byte(strings.Replace(apiFile, "owner: o", "owner: o\n"+words, 1))) {
			t.Errorf("%s: the schema refuses it", words)
		}
	}
}
