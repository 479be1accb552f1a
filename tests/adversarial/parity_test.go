package adversarial

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"tollgate/localrun/lambda"
	"tollgate/tests/lab"
	"tollgate/tests/parity"
)

// Every attack that is one request, behind every front that there is: the
// adapters in this process, or with TOLLGATE_PARITY=processes the bootstrap in
// processes of its own under the stand-in for Lambda.
func TestEveryAttackIsAnsweredAlikeBehindEveryFront(t *testing.T) {
	var fleets []*parity.Fleet
	t.Run("on tokens, paths, methods and headers", func(t *testing.T) {
		b, f := fleet(t, "contracts")
		fleets = append(fleets, f)
		play(t, f, table(b), paths(b), headers(b), injections(b))
	})
	t.Run("on subscription keys", func(t *testing.T) {
		b, f := fleet(t, "metered")
		fleets = append(fleets, f)
		k := b.keyring(t)
		play(t, f, opening(k), places(k), bindings(b, k))
	})
	// What nothing shows any more is no difference. The scenarios show the other two.
	for _, name := range parity.Unmet(fleets...) {
		if name != "address known" && name != "signed by another instance" {
			t.Errorf("no case shows %q: take it out of the table", name)
		}
	}
}

// fleet is a bench without a gateway of its own, and the gateways behind every front.
func fleet(t *testing.T, folder string) (*bench, *parity.Fleet) {
	t.Helper()
	b := &bench{t: t, forge: newForge(t)}
	b.Lab = lab.Surrounded(t, contracts(t, folder, b.forge, nil))
	b.meet()
	if os.Getenv("TOLLGATE_PARITY") == "processes" {
		return b, parity.Processes(t, b.Lab, lab.StageApp(t), lab.StageLambda(t))
	}
	return b, parity.InProcess(t, b.Lab, lab.StageApp(t))
}

func play(t *testing.T, f *parity.Fleet, rows ...[]row) {
	t.Helper()
	for _, r := range slices.Concat(rows...) {
		f.Play(t, parity.Case{Name: r.id + " " + r.name, Request: r.request})
	}
	f.Report(t)
}

// E95: on AWS the address is the event's. What a caller writes into headers is nobody's.
func TestE95TheAddressOfAnEventDecides(t *testing.T) {
	b := &bench{t: t, forge: newForge(t)}
	b.Lab = lab.Surrounded(t, contracts(t, "contracts", b.forge, addresses("host")))
	for _, kind := range lambda.Kinds() {
		front := b.Front(t, kind)
		for _, c := range []struct {
			name, client string
			forged       []string
			want         int
		}{
			{"an address that is let in", "203.0.113.7:4711", nil, 200},
			{"one that isn't", "1.2.3.4:4711", nil, 403},
			{"one that isn't, with a forged chain", "1.2.3.4:4711", []string{"203.0.113.7", "203.0.113.7, 203.0.113.7"}, 403},
			{"one that is denied, with a forged chain", "203.0.113.66:1", []string{"203.0.113.7"}, 403},
			{"one that is let in, with others before it", "203.0.113.7:4711", []string{strings.Repeat("1.2.3.4, ", 50) + "::1"}, 200},
			{"an IPv6 address", "[2001:db8::7]:4711", nil, 200},
			{"an address of the platform", "10.0.128.4:4711", nil, 403},
		} {
			r := httptest.NewRequest(http.MethodGet, "/public/x", nil)
			r.RemoteAddr = c.client
			for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "True-Client-Ip", "X-Forwarded-For"} {
				for _, value := range c.forged {
					r.Header.Add(name, value)
				}
			}
			w := httptest.NewRecorder()
			front.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("%s, %s: got %d %s, want %d", kind, c.name, w.Code, w.Body, c.want)
			}
		}
	}
}
