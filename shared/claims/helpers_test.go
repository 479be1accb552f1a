package claims

import (
	"fmt"
	"strings"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

func asUser(scopes, roles []string) *pipeline.Identity {
	return &pipeline.Identity{Principal: pipeline.User, Scopes: scopes, Roles: roles}
}

func asApp(scopes, roles []string) *pipeline.Identity {
	return &pipeline.Identity{Principal: pipeline.Application, Scopes: scopes, Roles: roles}
}

func asNobody(scopes, roles []string) *pipeline.Identity {
	return &pipeline.Identity{Scopes: scopes, Roles: roles}
}

func list(items ...string) []string { return items }

// ask gives an identity to a stage. What must hold of every refusal here is checked.
func ask(t testing.TB, stage pipeline.Stage, id *pipeline.Identity) (*pipeline.Call, *refusal.Refusal) {
	t.Helper()
	call := &pipeline.Call{Identity: id}
	refused := stage(t.Context(), call)
	stepUp := refused != nil && refused.Code == "insufficient_claims" // the one that a client can mend by itself
	if refused != nil && (refused.Kind != refusal.Forbidden && !stepUp || refused.Challenge == nil || refused.Rule == "") {
		t.Errorf("got %+v, want a 403 with a challenge and the rule that decided", refused)
	}
	return call, refused
}

// verdict is "granted", or the status, the code and the rule.
func verdict(r *refusal.Refusal) string {
	if r == nil {
		return "granted"
	}
	return fmt.Sprintf("%d %s by %s", r.Kind.Status(), r.Code, r.Rule)
}

func assertVerdict(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// heard is what the backend hears under X-Value for the claim "v"; sent is false if nothing is.
func heard(t testing.TB, value any) (text string, sent bool, got string) {
	t.Helper()
	stage := Pass([]contract.Header{{Name: "X-Value", Claims: []string{"v"}}})
	call, refused := ask(t, stage, &pipeline.Identity{Claims: pipeline.Claims{"v": value}})
	values := call.Forward.Values("X-Value")
	if len(values) > 1 {
		t.Errorf("got %d lines, want one", len(values))
	}
	return strings.Join(values, "|"), len(values) > 0, verdict(refused)
}

func texts(items ...string) []any {
	out := make([]any, len(items))
	for i, s := range items {
		out[i] = s
	}
	return out
}

// assertSayable: a header value of nothing but visible ASCII and inner spaces goes through every server unchanged.
func assertSayable(t testing.TB, value string) {
	t.Helper()
	for i := range len(value) {
		if value[i] < 0x20 || value[i] > 0x7e {
			t.Fatalf("got the byte %#x at %d, want 0x20 to 0x7e", value[i], i)
		}
	}
	if value != strings.TrimSpace(value) {
		t.Fatalf("got %q, want no space at either end: it would be trimmed", value)
	}
}
