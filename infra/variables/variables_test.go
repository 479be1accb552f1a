package variables_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"tollgate/infra/variables"
	"tollgate/shared/contract"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t *testing.T) *contract.Estate {
	t.Helper()
	estate, faults := contract.Load(os.DirFS("../../contracts"))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return estate
}

func text(t *testing.T, estate *contract.Estate, environment string) []byte {
	t.Helper()
	v, err := variables.Of(estate, environment)
	if err != nil {
		t.Fatal(err)
	}
	out, err := v.File()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheExampleEstateGivesTheseVariables(t *testing.T) {
	for _, environment := range []string{"dev", "staging", "prod"} {
		got, golden := text(t, load(t), environment), "testdata/"+environment+".json"
		if *update {
			if err := os.WriteFile(golden, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: look at what changed with `go test ./infra/variables -update && git diff infra/variables`", golden)
		}
	}
}

func TestTheSameContractsGiveTheSameBytes(t *testing.T) {
	first := text(t, load(t), "prod")
	for range 20 {
		if !bytes.Equal(first, text(t, load(t), "prod")) {
			t.Fatal("two runs differ")
		}
	}
}

// Terraform's variables aren't nullable: a null would stop the plan.
func TestNothingIsNull(t *testing.T) {
	if strings.Contains(string(text(t, load(t), "prod")), "null") {
		t.Error("something is null")
	}
}

func TestAFaultOfTheContractsIsAnErrorWithItsPlace(t *testing.T) {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"gateway.yaml":           "kind: Gateway\nname: g\nclaimsContract: 1\n",
		"a.yaml":                 "kind: API\nname: a\nowner: o\npath: /a\nbackend: { url: \"${backend.a}\" }\naudience: \"api://${tenant}/a\"\ngroups: [staff]\nscopes: [ { name: S, consent: user } ]\noperations: [ { id: g, match: \"GET /\", allow: { scopes: [S] } } ]\n",
		"environments/prod.yaml": "kind: Environment\ntenant: 11111111-1111-1111-1111-111111111111\nbackend: { a: \"https://a\" }\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	estate, faults := contract.Load(files)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := variables.Of(estate, "prod"); err == nil || !strings.Contains(err.Error(), `a.yaml:7:10: error: environments/prod.yaml binds no group "staff"`) {
		t.Errorf("got %v", err)
	}
}
