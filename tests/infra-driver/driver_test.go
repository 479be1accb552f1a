// Package infradriver runs `tollgate infra` as a person would, with a real Terraform.
package infradriver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tollgate/localrun/graph"
	"tollgate/tests/desk"
	"tollgate/tests/need"
	"tollgate/tests/terraform"
)

// program is bin/tollgate, built once for all tests here.
var program string

func TestMain(m *testing.M) { os.Exit(withProgram(m)) }

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tollgate-infra-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "tollgate")
	build := exec.Command("go", "build", "-o", program, "tollgate/localrun")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

type place struct {
	desk.Desk
	t     *testing.T
	env   []string
	entra *graph.Server
	graph string // its address
}

// at is a folder with the example contracts for dev and prod, and one configuration for both.
func at(t *testing.T, main string) place {
	t.Helper()
	p := place{Desk: desk.Desk{Dir: t.TempDir()}, t: t, env: terraform.Builtin(t)}
	if strings.Contains(main, "hashicorp/") {
		p.env = terraform.Env(t)
	}
	p.directory()
	contracts := os.DirFS(filepath.Join(need.Root(t), "contracts"))
	if err := os.CopyFS(filepath.Join(p.Dir, "contracts"), contracts); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(p.Dir, "contracts/environments/prod.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	p.Write(t, "contracts/environments/dev.yaml", string(text))
	for _, e := range []string{"dev", "prod"} {
		p.Write(t, "infra/environments/"+e+"/main.tf", main)
	}
	return p
}

var application = regexp.MustCompile(`applications\(appId='([0-9a-f-]{36})'\)`)

// directory starts a stand-in for Graph that has every registration it is asked about, as
// Terraform made it. That Graph may be behind is a test of infra/graph.
func (p *place) directory() {
	p.t.Helper()
	var known sync.Map
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := application.FindStringSubmatch(r.URL.Path); id != nil {
			if _, twice := known.LoadOrStore(id[1], true); !twice {
				p.entra.Assign(id[1], "")
			}
		}
		p.entra.ServeHTTP(w, r)
	}))
	p.graph = "http://" + front.Listener.Addr().String()
	p.entra = graph.New(p.graph, 2)
	p.entra.Grant("stand-in", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Policy.ReadWrite.ApplicationConfiguration", "Application.ReadWrite.All")
	front.Start()
	p.t.Cleanup(front.Close)
}

func (p place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, append([]string{"infra", "--graph", p.graph}, args...)...)
	cmd.Dir, cmd.Env = p.Dir, p.env
	return cmd
}

// run wants an exit code, and texts in what is printed.
func (p place) run(code int, texts []string, args ...string) string {
	p.t.Helper()
	out, errs, got := desk.Finish(p.command(args...))
	if got != code {
		p.t.Errorf("%v: got exit code %d, want %d\n%s\n%s", args, got, code, out, errs)
	}
	for _, want := range texts {
		if !strings.Contains(out+errs, want) {
			p.t.Errorf("%v: got\n%s\n%s\nwant %q in it", args, out, errs, want)
		}
	}
	for _, never := range []string{"hush-hush", `"serial"`, "lineage"} {
		if strings.Contains(out+errs, never) {
			p.t.Errorf("%v: %q was printed:\n%s\n%s", args, never, out, errs)
		}
	}
	return out
}

const configuration = `
terraform {
  backend "azurerm" {}
}

variable "environment" {
  type = string
}

resource "terraform_data" "registration" {
  input = "0f9c1c2e-0000-4000-8000-0000000000aa"
}

output "bindings" {
  value = {
    clientId    = { orders = terraform_data.registration.output }
    client      = {}
    identities  = { gateway = null }
    store       = { tables = null }
    vaults      = { main = null }
    audit       = { logs = null, eventHub = null }
    frontDoorId = null
  }
}

output "environment" {
  value = var.environment
}

output "key" {
  value     = "hush-hush"
  sensitive = true
}
`

func TestAnEnvironmentFromItsFirstPlanToItsEnd(t *testing.T) {
	p := at(t, configuration)
	p.run(2, []string{`"add": 1`}, "plan", "--environment", "dev", "--detailed-exitcode")
	p.run(1, []string{"say --yes if it is meant", "Nothing was changed"}, "apply", "--environment", "dev")

	p.run(0, []string{"clientId.orders", "tollgate verify --environment dev", "created"}, "apply", "--environment", "dev", "--yes")
	text, err := os.ReadFile(filepath.Join(p.Dir, "contracts/environments/dev.yaml"))
	if err != nil || !strings.Contains(string(text), "orders: 0f9c1c2e-0000-4000-8000-0000000000aa") {
		t.Errorf("the contracts aren't bound: %v\n%s", err, text)
	}
	p.run(0, []string{`"changed": false`}, "apply", "--environment", "dev", "--yes")
	p.run(0, []string{`"differs": false`}, "drift", "--environment", "dev")

	out := p.run(0, []string{"key"}, "outputs", "--environment", "dev")
	var outputs map[string]any
	if err := json.Unmarshal([]byte(out), &outputs); err != nil || outputs["environment"] != "dev" || outputs["key"] != nil {
		t.Errorf("got %s, %v, want the environment and no key", out, err)
	}

	p.Edit(t, "infra/environments/dev/main.tf", "00aa", "00bb")
	p.run(2, []string{`"differs": true`}, "drift", "--environment", "dev")
	p.run(1, nil, "destroy", "--environment", "dev")
	p.run(1, []string{`"prod", and not "dev"`}, "destroy", "--environment", "dev", "--yes", "prod")
	p.run(0, []string{"removed"}, "destroy", "--environment", "dev", "--yes", "dev")
	left, err := filepath.Glob(filepath.Join(p.Dir, ".tollgate/infra/dev/*.tfplan"))
	if err != nil || len(left) > 0 {
		t.Errorf("got plans left behind: %v, %v", left, err)
	}
}

func TestProdIsNeitherKeptOnOneMachineNorDestroyedByASlip(t *testing.T) {
	p := at(t, configuration)
	p.run(3, []string{"refused (local-state)", "state.tfbackend"}, "apply", "--environment", "prod", "--yes")
	p.run(0, nil, "apply", "--environment", "prod", "--yes", "--local-state")
	p.run(3, []string{"--accept destroy:prod"}, "destroy", "--environment", "prod", "--yes", "prod")
	p.run(0, nil, "destroy", "--environment", "prod", "--yes", "prod", "--accept", "destroy:prod")
}

func TestFaultsOfContractsAreToldAsCheckDoesAndNothingIsTouched(t *testing.T) {
	p := at(t, configuration)
	p.run(1, []string{`no environment "stagging"`}, "plan", "--environment", "stagging")
	p.Write(t, "contracts/environments/dev.yaml", "kind: Environment\ntenant: 11111111-1111-1111-1111-111111111111\nclientId:\n  ord")
	p.run(1, []string{"contracts/environments/dev.yaml:4:", "nothing was touched"}, "apply", "--environment", "dev", "--yes")
	if _, err := os.Stat(filepath.Join(p.Dir, ".tollgate")); err == nil {
		t.Error("a work folder was made")
	}
}

const shared = `
terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.9"
    }
  }
}

resource "azuread_application" "this" {
  for_each = toset(["orders", "payments"])

  display_name    = each.key
  identifier_uris = ["api://contoso.example/orders"]
}

resource "azuread_conditional_access_policy" "mfa" {
  display_name = "MFA"
  state        = "%s"
  conditions {
    client_app_types = ["all"]
    applications {
      included_applications = ["All"]
    }
    users {
      included_users = ["All"]
    }
  }
  grant_controls {
    operator          = "OR"
    built_in_controls = ["mfa"]
  }
}
`

func TestARefusedPlanIsNotAppliedAndSaysWhy(t *testing.T) {
	p := at(t, strings.ReplaceAll(shared, "%s", "enabled"))
	p.run(3, []string{"shared-audience", "a token for one would be good at the other"}, "apply", "--environment", "dev", "--yes")
	p.run(1, []string{"can't be accepted"}, "apply", "--environment", "dev", "--yes", "--accept", `shared-audience:azuread_application.this["orders"]`)

	p.Edit(t, "infra/environments/dev/main.tf", `"api://contoso.example/orders"`, `"api://contoso.example/${each.key}"`)
	p.run(0, nil, "apply", "--environment", "dev", "--yes")
	p.Edit(t, "infra/environments/dev/main.tf", `"enabled"`, `"disabled"`)
	p.run(3, []string{"rule-off"}, "apply", "--environment", "dev", "--yes")
	p.run(0, []string{"ACCEPTED: rule-off"}, "apply", "--environment", "dev", "--yes", "--accept", "rule-off:azuread_conditional_access_policy.mfa")
}

const slow = `
resource "terraform_data" "first" {
}

resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo > '%b'; cat '%e'"
  }
}
`

// A terminal's Ctrl-C goes to the whole process group; so does its end.
func TestCtrlCEndsAnApplyInOrder(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "a terminal that is closed": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) { endsInOrder(t, s) })
	}
}

func endsInOrder(t *testing.T, s syscall.Signal) {
	t.Helper()
	dir := t.TempDir()
	begun, end := filepath.Join(dir, "begun"), filepath.Join(dir, "end")
	for _, name := range []string{begun, end} {
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { release(end) })
	p := at(t, strings.NewReplacer("%b", begun, "%e", end).Replace(slow))
	cmd := p.command("apply", "--environment", "dev", "--yes")
	if signal.Ignored(s) { // as below nohup, which the command would obey
		cmd.Args = append([]string{"env", "--default-signal=HUP"}, cmd.Args...)
		cmd.Path = "/usr/bin/env"
	}
	var errs strings.Builder
	cmd.Stderr, cmd.SysProcAttr = &errs, &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(begun); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(-cmd.Process.Pid, s); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the code says how it ended
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("got exit code %d, want 130\n%s", code, &errs)
	}
	for _, want := range []string{"Stopping", "interrupted: 1 done, 1 stopped on the way", "lock is given back"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("got\n%s\nwant %q in it", &errs, want)
		}
	}
	p.run(2, []string{"terraform_data"}, "plan", "--environment", "dev", "--detailed-exitcode")
}

// release lets go whoever still waits to read from a fifo: a provisioner outlives the Terraform that was killed.
func release(fifo string) {
	if f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
		_ = f.Close()
	}
}
