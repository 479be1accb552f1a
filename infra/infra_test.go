package infra_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/infra"
	"tollgate/infra/bindings"
	"tollgate/infra/terraform"
	"tollgate/shared/contract"
	"tollgate/tests/need"
)

// stand is a stand-in for Terraform: it says what the files in $STAND say. A plan is the
// name of the file that show prints.
const stand = `#!/bin/sh
what=$1
case "$*" in *-refresh-only*) what=refresh ;; esac
case "$1" in
version) echo '{"terraform_version": "1.11.4", "platform": "linux_amd64", "provider_selections": {}}'; exit 0 ;;
show) for last; do :; done; cat "$STAND/$(cat "$last").json"; exit 0 ;;
plan) for a; do case "$a" in -out=*) echo "$what" > "${a#-out=}" ;; esac; done ;;
esac
[ -f "$STAND/$what.sh" ] && . "$STAND/$what.sh"
[ -f "$STAND/$what.out" ] && cat "$STAND/$what.out"
[ -f "$STAND/$what.code" ] && exit "$(cat "$STAND/$what.code")"
exit 0
`

type world struct {
	infra.Options
	t     *testing.T
	files string
	out   strings.Builder
	said  strings.Builder
}

func with(t *testing.T, files map[string]string) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, files: filepath.Join(dir, "stand")}
	w.Options = infra.Options{
		Contracts: filepath.Join(dir, "contracts"), Infra: filepath.Join(dir, "infra"), Folder: filepath.Join(dir, "work"), Environment: "prod",
		Program: filepath.Join(dir, "terraform"), Environ: append(os.Environ(), "STAND="+w.files), LocalState: true,
		Result: &w.out, Progress: &w.said,
		Confirm: func(string) error { return nil },
	}
	if err := os.CopyFS(w.Contracts, os.DirFS(filepath.Join(need.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	w.write("../terraform", stand, 0o755)
	w.write("../infra/environments/prod/main.tf", "", 0o644)
	for name, text := range files {
		w.write(name, text, 0o644)
	}
	return w
}

func (w *world) write(name, text string, mode os.FileMode) {
	w.t.Helper()
	name = filepath.Join(w.files, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), mode)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) do(ctx context.Context, command func(*infra.Driver, context.Context) error) error {
	w.t.Helper()
	d, err := infra.Open(ctx, w.Options)
	if err != nil {
		return err
	}
	defer d.Close()
	err = command(d, ctx)
	w.t.Logf("%v\n%s%s", err, &w.said, &w.out)
	return err
}

func (w *world) says(texts ...string) {
	w.t.Helper()
	for _, want := range texts {
		if all := w.said.String() + w.out.String(); !strings.Contains(all, want) {
			w.t.Errorf("got\n%s\nwant %q in it", all, want)
		}
	}
}

func code(t *testing.T, err error, want int) {
	t.Helper()
	if got := infra.ExitCode(err); got != want {
		t.Errorf("got exit code %d of %v, want %d", got, err, want)
	}
}

func diagnostic(summary, detail, address string) string {
	text, _ := json.Marshal(map[string]any{"type": "diagnostic", "diagnostic": map[string]any{"severity": "error", "summary": summary, "detail": detail, "address": address}})
	return string(text) + "\n"
}

func hook(kind, address string) string {
	text, _ := json.Marshal(map[string]any{"type": kind, "hook": map[string]any{"resource": map[string]any{"addr": address}, "action": "create", "elapsed_seconds": 3}})
	return string(text) + "\n"
}

const (
	nothing = `{"format_version": "1.2"}`
	vault   = `{"format_version": "1.2", "resource_changes": [{"address": "azurerm_key_vault.this", "mode": "managed", "type": "azurerm_key_vault", "name": "this",
		"change": {"actions": ["create"], "before": null, "after": {"id": "/v", "name": "kv", "public_network_access_enabled": false, "purge_protection_enabled": true, "rbac_authorization_enabled": true}}},
		{"address": "azurerm_monitor_diagnostic_setting.this", "mode": "managed", "type": "azurerm_monitor_diagnostic_setting", "name": "this",
		"change": {"actions": ["create"], "before": null, "after": {"target_resource_id": "/v"}}}]}`
	bound = `{"bindings": {"sensitive": false, "type": "dynamic", "value": {"clientId": {"orders": "0f9c1c2e-0000-4000-8000-000000000001"}}}}`
)

func TestDriftTellsWhatOthersChangedAndExitsTwo(t *testing.T) {
	w := with(t, map[string]string{
		"refresh.json": `{"format_version": "1.2", "resource_drift": [{"address": "azurerm_key_vault.this", "mode": "managed", "type": "azurerm_key_vault", "name": "this",
			"change": {"actions": ["update"], "before": {"name": "kv", "public_network_access_enabled": false}, "after": {"name": "kv", "public_network_access_enabled": true}}}]}`,
		"refresh.code": "2", "plan.json": nothing,
	})
	code(t, w.do(t.Context(), (*infra.Driver).Drift), 2)
	w.says("Key Vault kv was changed (public_network_access_enabled)")
}

func TestNoDriftExitsZero(t *testing.T) {
	w := with(t, map[string]string{"refresh.json": nothing, "plan.json": nothing})
	w.JSON = true
	code(t, w.do(t.Context(), (*infra.Driver).Drift), 0)
	var r infra.Drifted
	if err := json.Unmarshal([]byte(w.out.String()), &r); err != nil || r.Differs || r.Outside == nil || r.Requests == nil {
		t.Errorf("got %s, %v, want lists and no difference", &w.out, err)
	}
}

func TestExpiredCredentialsAreToldWithHowToSignInAgain(t *testing.T) {
	w := with(t, map[string]string{"init.out": diagnostic("building account", "AADSTS700082: The refresh token has expired", ""), "init.code": "1"})
	err := w.do(t.Context(), (*infra.Driver).Plan)
	code(t, err, 1)
	if e, ok := errors.AsType[*terraform.Error](err); !ok || e.Kind != terraform.Credentials || !strings.Contains(err.Error(), "az login") {
		t.Errorf("got %v, want expired credentials", err)
	}
}

func TestWhatWasDoneBeforeAnErrorIsTold(t *testing.T) {
	w := with(t, map[string]string{
		"plan.json": vault, "plan.code": "2", "apply.code": "1",
		"apply.out": hook("apply_start", "azurerm_key_vault.this") + hook("apply_complete", "azurerm_key_vault.this") +
			diagnostic("creating Storage Account", "QuotaExceeded", "azurerm_storage_account.this"),
	})
	err := w.do(t.Context(), (*infra.Driver).Apply)
	code(t, err, 1)
	if !strings.Contains(err.Error(), "azurerm_storage_account.this: creating Storage Account") || !strings.Contains(err.Error(), "1 changes were made") {
		t.Errorf("got %v, want what failed and what was done", err)
	}
	w.says("other: Key Vault kv created (3 s)")
}

func TestALostLockAndAnUnsavedStateAreTold(t *testing.T) {
	w := with(t, map[string]string{
		"plan.json": vault, "plan.code": "2", "apply.code": "1", "apply.sh": "echo '{}' > errored.tfstate\n",
		"apply.out": diagnostic("Failed to save state", "Error saving state: LeaseLost", "") + diagnostic("Error releasing the state lock", "blob metadata was empty", ""),
	})
	err := w.do(t.Context(), (*infra.Driver).Apply)
	code(t, err, 1)
	for _, want := range []string{"the lock of the state was lost", "terraform state push errored.tfstate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	if err := w.do(t.Context(), (*infra.Driver).Plan); err == nil || !strings.Contains(err.Error(), "state push") {
		t.Errorf("got %v from the next run, want it stopped until the state is saved", err)
	}
}

func TestTheNextStepNamesTheAppThatWasMade(t *testing.T) {
	made := strings.TrimSuffix(bound, "}") + `, "gateway": {"sensitive": false, "type": "dynamic", "value": {"resource_group": "rg-contoso-prod", "function_app": "contoso-prod"}}}`
	for output, want := range map[string]string{made: "--resource-group rg-contoso-prod --name contoso-prod", bound: "--resource-group GROUP --name APP"} {
		w := with(t, map[string]string{"plan.json": nothing, "output.out": output})
		code(t, w.do(t.Context(), (*infra.Driver).Apply), 0)
		w.says(want)
	}
}

func TestAnEnvironmentFileEditedMeanwhileIsNotOverwritten(t *testing.T) {
	w := with(t, map[string]string{"plan.json": vault, "plan.code": "2", "output.out": bound})
	w.Confirm = func(string) error {
		return os.WriteFile(filepath.Join(w.Contracts, "environments/prod.yaml"), []byte("kind: Environment\n"), 0o644)
	}
	err := w.do(t.Context(), (*infra.Driver).Apply)
	code(t, err, 1)
	if !errors.Is(err, bindings.ErrMoved) || !strings.Contains(err.Error(), "clientId.orders") || !strings.Contains(err.Error(), "Apply again") {
		t.Errorf("got %v, want what was to be written, and how", err)
	}
}

func TestNothingIsAppliedWithoutAYes(t *testing.T) {
	w := with(t, map[string]string{"plan.json": vault, "plan.code": "2", "apply.sh": "touch applied\n"})
	no := errors.New("no")
	w.Confirm = func(string) error { return no }
	if err := w.do(t.Context(), (*infra.Driver).Apply); !errors.Is(err, no) {
		t.Errorf("got %v, want the no", err)
	}
	if _, err := os.Stat(filepath.Join(w.Folder, "environments/prod/applied")); err == nil {
		t.Error("it was applied")
	}
}

type directory struct {
	pending []infra.Request
	applied int
	err     error
}

func (d *directory) Pending(context.Context) ([]infra.Request, error) { return d.pending, nil }

func (d *directory) Apply(context.Context) error {
	d.applied++
	return d.err
}

func TestRequestsBesideTerraformAreToldConfirmedAndMade(t *testing.T) {
	w := with(t, map[string]string{"plan.json": nothing, "refresh.json": nothing, "output.out": bound})
	dir := &directory{pending: []infra.Request{{What: "authentication context c1", Method: "PATCH", URL: "/identity/conditionalAccess/authenticationContextClassReferences/c1"}}}
	w.Directory = func(*contract.Estate, string, bool) (infra.Directory, error) { return dir, nil }
	asked := 0
	w.Confirm = func(string) error { asked++; return nil }
	code(t, w.do(t.Context(), (*infra.Driver).Apply), 0)
	if dir.applied != 1 || asked != 1 {
		t.Errorf("got applied %d and asked %d times, want once each", dir.applied, asked)
	}
	w.says("authentication context c1: PATCH /identity")
	code(t, w.do(t.Context(), (*infra.Driver).Drift), 2)
	dir.err = errors.New("403")
	err := w.do(t.Context(), (*infra.Driver).Apply)
	if !errors.Is(err, dir.err) || !strings.Contains(err.Error(), "Terraform's part is done") {
		t.Errorf("got %v, want that only a part is applied", err)
	}
}

func TestOnlyRequestsThatWereShownAreMade(t *testing.T) {
	w := with(t, map[string]string{"plan.json": nothing, "output.out": bound})
	dir := &directory{pending: []infra.Request{{What: "a policy for c1", Method: "POST", URL: "/policies"}}}
	w.Directory = func(*contract.Estate, string, bool) (infra.Directory, error) { return dir, nil }
	w.Confirm = func(string) error {
		dir.pending = append(dir.pending, infra.Request{What: "another", Method: "DELETE", URL: "/policies/1"})
		return nil
	}
	err := w.do(t.Context(), (*infra.Driver).Apply)
	if err == nil || dir.applied != 0 || !strings.Contains(err.Error(), "has changed since it was shown") {
		t.Errorf("got %v and applied %d times, want nothing asked of Entra", err, dir.applied)
	}
}

func TestARequestThatTakesAProtectionAwayIsRefusedUnlessAccepted(t *testing.T) {
	w := with(t, map[string]string{"plan.json": nothing, "output.out": bound})
	dir := &directory{pending: []infra.Request{{What: "the policy for c1 goes", Method: "DELETE", URL: "/policies/1", Loosens: true}}}
	w.Directory = func(*contract.Estate, string, bool) (infra.Directory, error) { return dir, nil }
	code(t, w.do(t.Context(), (*infra.Driver).Apply), 3)
	w.Accept = []string{"rule-off:DELETE /policies/1"}
	code(t, w.do(t.Context(), (*infra.Driver).Apply), 0)
	if dir.applied != 1 {
		t.Errorf("got applied %d times, want once", dir.applied)
	}
}

func TestWhatIsBesideTerraformGoesWithTheEnvironment(t *testing.T) {
	w := with(t, map[string]string{"plan.json": nothing, "output.out": bound})
	dir := &directory{pending: []infra.Request{{What: "the policy for c1 goes", Method: "DELETE", URL: "/policies/1", Loosens: true}}}
	w.Directory = func(_ *contract.Estate, _ string, gone bool) (infra.Directory, error) {
		if !gone {
			t.Error("got asked for what is wanted, want for nothing")
		}
		return dir, nil
	}
	w.Accept, w.Name = []string{"destroy:prod"}, func(string, string) error { return nil }
	code(t, w.do(t.Context(), (*infra.Driver).Destroy), 0)
	if dir.applied != 1 {
		t.Errorf("got applied %d times, want once", dir.applied)
	}
}

func TestAnAcceptedFindingIsPrintedAndRecorded(t *testing.T) {
	open := strings.Replace(vault, `"purge_protection_enabled": true`, `"purge_protection_enabled": false`, 1)
	w := with(t, map[string]string{"plan.json": open, "plan.code": "2", "output.out": bound})
	code(t, w.do(t.Context(), (*infra.Driver).Apply), 3)
	w.says("not-shut: azurerm_key_vault.this", "--accept 'not-shut:azurerm_key_vault.this#purge_protection_enabled'")
	w.Accept, w.JSON = []string{"not-shut:azurerm_key_vault.this#purge_protection_enabled"}, true
	w.out.Reset()
	code(t, w.do(t.Context(), (*infra.Driver).Apply), 0)
	var a infra.Applied
	if err := json.Unmarshal([]byte(w.out.String()), &a); err != nil || len(a.Accepted) != 1 || !a.Changed {
		t.Errorf("got %s, %v, want the acceptance recorded", &w.out, err)
	}
	w.says("ACCEPTED: not-shut:azurerm_key_vault.this#purge_protection_enabled")
}
