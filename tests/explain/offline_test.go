package explain

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/tests/desk"
)

// watched is a command whose every way out leads to a proxy that hangs up and counts.
func watched(t *testing.T, cmd *exec.Cmd) (dials *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	dials = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			_ = c.Close()
		}
	}()
	proxy := "http://" + l.Addr().String()
	cmd.Env = append(os.Environ(), "HTTPS_PROXY="+proxy, "HTTP_PROXY="+proxy, "https_proxy="+proxy, "http_proxy="+proxy, "NO_PROXY=", "no_proxy=")
	return dials
}

func TestAKeySetFromAFileNeedsNoNetwork(t *testing.T) {
	d := ownDesk(t)
	i := entra(t, time.Now())
	d.Write(t, "keys.json", published(t, i))
	raw := reader(t, i)

	cmd := d.Command("explain", "GET", "/things/1", "--contracts", "own", "--token", raw, "--jwks", "keys.json", "--json")
	dials := watched(t, cmd)
	out, errs, code := desk.Finish(cmd)
	if a := read[account](t, out); code != 0 || a.Environment != "prod" || a.Forward["X-Roles"] != "Reader" || dials.Load() != 0 {
		t.Errorf("got exit %d, %d dials, %s%s, want granted without any", code, dials.Load(), out, errs)
	}
	cmd = d.Command("explain", "GET", "/things/1", "--contracts", "own", "--token", raw)
	dials = watched(t, cmd)
	out, errs, code = desk.Finish(cmd)
	if code != 1 || !strings.Contains(out, "keys_unavailable") || !strings.Contains(out, "give the issuer's key set with --jwks FILE") || dials.Load() == 0 {
		t.Errorf("without the file: got exit %d, %d dials, %s%s, want the issuer asked for in vain", code, dials.Load(), out, errs)
	}
	cmd = d.Command("matrix", "own", "--environment", "prod")
	dials = watched(t, cmd)
	if out, errs, code = desk.Finish(cmd); code != 0 || !strings.Contains(out, "yes") || dials.Load() != 0 {
		t.Errorf("matrix: got exit %d, %d dials, %s%s, want no dial", code, dials.Load(), out, errs)
	}
}

func TestAnotherKeySetVerifiesNothing(t *testing.T) {
	d := ownDesk(t)
	d.Write(t, "keys.json", published(t, entra(t, time.Now())))
	raw := reader(t, entra(t, time.Now()))
	out, errs, code := d.Run("explain", "GET", "/things/1", "--contracts", "own", "--token", raw, "--jwks", "keys.json")
	if code != 1 || !strings.Contains(out, "token    refused: unknown_key") {
		t.Errorf("got exit %d, %s%s", code, out, errs)
	}
}

func TestATokenFromALogIsJudgedAsItWasThen(t *testing.T) {
	d := ownDesk(t)
	then := time.Date(2024, 3, 1, 9, 0, 0, 0, time.UTC)
	i := entra(t, then)
	d.Write(t, "keys.json", published(t, i))
	raw := reader(t, i)
	for _, c := range []struct {
		at   []string
		want string
		code int
	}{
		{[]string{"--at", "2024-03-01T09:30:00Z"}, "granted: ", 0},
		{[]string{"--at", "2024-03-01T08:30:00Z"}, "refused: token_not_yet_valid", 1},
		{nil, "to judge it as it was then, give the time with --at", 1},
	} {
		cmd := d.Command(append([]string{"explain", "GET", "/things/1", "--contracts", "own", "--jwks", "keys.json", "--token", "-"}, c.at...)...)
		cmd.Stdin = strings.NewReader(raw + "\n")
		if out, errs, code := desk.Finish(cmd); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%v: got exit %d, %s%s, want %d and %s", c.at, code, out, errs, c.code, c.want)
		}
	}
}

func TestTheTokenIsNeverPrintedAndItsClaimsOnlyIfAskedFor(t *testing.T) {
	d := ownDesk(t)
	i := entra(t, time.Now())
	d.Write(t, "keys.json", published(t, i))
	expired, err := i.Mint(issuer.Token{API: "things", Roles: []string{"Reader"}, Lifetime: -time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		raw, claims string
	}{{reader(t, i), "\nthe token's claims:\n"}, {expired, "\nthe token's claims, which nobody verified:\n"}} {
		for _, how := range [][]string{{"--token", c.raw}, {"--header", "Authorization: Bearer " + c.raw}} {
			args := append([]string{"explain", "GET", "/things/1?access_token=" + c.raw, "--contracts", "own", "--jwks", "keys.json"}, how...)
			plain, _, _ := d.Run(args...)
			shown, _, _ := d.Run(append(args, "--claims")...)
			machine, _, _ := d.Run(append(args, "--claims", "--json")...)
			for _, out := range []string{plain, shown, machine} {
				for _, part := range strings.Split(c.raw, ".") {
					if strings.Contains(out, part) {
						t.Errorf("the output holds a part of the token: %s", out)
					}
				}
			}
			if strings.Contains(plain, "azpacr") || !strings.Contains(shown, c.claims) || !strings.Contains(shown, `"azpacr": `) {
				t.Errorf("got %s and with --claims %s, want the claims only there", plain, shown)
			}
			if a := read[account](t, machine); a.Claims["ver"] != "2.0" || a.ClaimsVerified == nil || *a.ClaimsVerified != (a.Verdict == "granted") {
				t.Errorf("got %s, want claims and whether they were verified", machine)
			}
		}
	}
}
