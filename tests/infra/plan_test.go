package infra

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/variables"
	"tollgate/shared/contract"
	"tollgate/tests/need"
)

// place is a copy of infra/ in which one environment is planned and applied, with a state of its own.
type place struct {
	dir string // of the copy
	env string
	tf  *tfexec.Terraform
}

// at makes a place for an environment.
func at(t testing.TB, environment string) *place {
	t.Helper()
	return within(t, copied(t), environment)
}

// within is at in a copy that is there.
func within(t testing.TB, dir, environment string) *place {
	t.Helper()
	p := &place{dir: dir, env: environment}
	// As the driver does where no state.tfbackend stands.
	p.write(t, "backend_override.tf", "terraform {\n  backend \"local\" {}\n}\n")
	p.tf = bare(t, filepath.Join(p.dir, "environments", environment))
	if err := p.tf.Init(t.Context()); err != nil {
		t.Fatalf("terraform init: %v", err)
	}
	return p
}

func (p *place) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, "environments", p.env, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plan is Terraform's, for these contracts. It is saved, and apply takes it.
func (p *place) plan(t testing.TB, estate *contract.Estate) *tfjson.Plan {
	t.Helper()
	plan, err := p.try(t, estate)
	if err != nil {
		t.Fatalf("terraform plan: %v", err)
	}
	return plan
}

// try is plan where Terraform may refuse.
func (p *place) try(t testing.TB, estate *contract.Estate) (*tfjson.Plan, error) {
	t.Helper()
	v, err := variables.Of(estate, p.env)
	if err != nil {
		t.Fatal(err)
	}
	text, err := v.File()
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "contracts.auto.tfvars.json", string(text))
	if _, err := p.tf.Plan(t.Context(), tfexec.Out("plan")); err != nil {
		return nil, err
	}
	plan, err := p.tf.ShowPlanFile(t.Context(), "plan")
	if err != nil {
		t.Fatal(err)
	}
	return plan, nil
}

func (p *place) apply(t testing.TB) {
	t.Helper()
	if err := p.tf.Apply(t.Context(), tfexec.DirOrPlan("plan")); err != nil {
		t.Fatalf("terraform apply: %v", err)
	}
}

// example are the contracts of this repository.
func example(t testing.TB) *contract.Estate {
	t.Helper()
	return load(t, os.DirFS(filepath.Join(need.Root(t), "contracts")))
}

func load(t testing.TB, files fs.FS) *contract.Estate {
	t.Helper()
	estate, faults := contract.Load(files)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return estate
}

func bound(t testing.TB, estate *contract.Estate, environment string) *contract.Plan {
	t.Helper()
	plan, faults := estate.Plan(environment)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}
