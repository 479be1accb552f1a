package command

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"tollgate/localrun/lambda"
	"tollgate/tests/desk"
)

func TestTheSameTwoCallsBehindEveryFrontOfLambda(t *testing.T) {
	d := desk.New(t).WithLambda(t)
	for _, kind := range lambda.Kinds() {
		out, errs, code := d.Run("up", "--once", "--port", "0", "--lambda", string(kind))
		if want := "GET /orders as DataReader: 200\nPOST /orders as DataReader: 403\n"; code != 0 || out != want {
			t.Errorf("--lambda %s: got exit %d, %q, %s; want %q", kind, code, out, errs, want)
		}
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"another kind":      {[]string{"up", "--lambda", "sqs"}, `tollgate: --lambda "sqs": it is one of [rest http url`},
		"joined":            {[]string{"up", "--lambda=sqs"}, `tollgate: --lambda "sqs"`},
		"a word by itself":  {[]string{"up", "rest"}, `tollgate: unknown argument "rest"`},
		"a word after one":  {[]string{"up", "--lambda=rest", "alb"}, `tollgate: unknown argument "alb"`},
		"no app for Lambda": {[]string{"up", "--lambda", "--package", "dist/azure", "--contracts", "contracts", "--port", "0"}, "tollgate: start the function: start the bootstrap: "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, errs, code := d.Run(c.args...); code != 1 || !strings.Contains(errs, c.want) {
				t.Errorf("got exit %d, %s; want exit 1 and %s", code, errs, c.want)
			}
		})
	}
}

// The commands that look at a run find one on Lambda as they find another; and
// Ctrl-C leaves no process, frozen or not.
func TestARunOnLambdaIsARunAsAnyOther(t *testing.T) {
	d := desk.New(t).WithLambda(t)
	cmd := d.Up(t, "--lambda")
	out, errs, code := d.Run("call", "GET", "/orders/42", "--role", "DataReader")
	var seen struct{ Headers map[string][]string }
	if err := json.Unmarshal([]byte(out), &seen); code != 0 || err != nil || len(seen.Headers["X-Roles"]) != 1 || seen.Headers["X-Roles"][0] != "DataReader" {
		t.Errorf("got exit %d, %s %s; want what the backend saw", code, out, errs)
	}
	_, errs, code = d.Run("call", "POST", "/orders", "--role", "DataReader")
	if want := "refused: insufficient_role by operations.create.allow.roles (contracts/orders.yaml:"; code != 1 || !strings.Contains(errs, want) {
		t.Errorf("got exit %d, %s; want exit 1 and %s", code, errs, want)
	}
	if out, errs, code := d.Run("who"); code != 0 || !strings.Contains(out, "insufficient_role") && !strings.Contains(out, "local-client") {
		t.Errorf("who: got exit %d, %s %s; want the two calls", code, out, errs)
	}
	frozen := children(t, cmd.Process.Pid)
	if len(frozen) != 1 {
		t.Errorf("got child processes %v, want the one function's", frozen)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v, want exit 0", err)
	}
	for _, pid := range frozen {
		assertGone(t, pid)
	}
}
