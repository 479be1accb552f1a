package deploy

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
)

func hosted(t *testing.T, adjust ...func(*host.Options)) *lab.Lab {
	t.Helper()
	return lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), lab.StageApp(t), adjust...)
}

// functions-host.md §5: whether the schedule arrives as an object or as text is unconfirmed.
func TestTheTimerWarmsTheKeysInEitherShape(t *testing.T) {
	for name, variant := range map[string]func(*host.Options){
		"object":    func(*host.Options) {},
		"text":      func(o *host.Options) { o.Variants.TimerAsString = true },
		"no status": func(o *host.Options) { o.Variants.TimerStatusNull = true },
	} {
		t.Run(name, func(t *testing.T) {
			l := hosted(t, variant)
			for range 3 {
				if err := l.Host.FireTimer(t.Context(), "refresh"); err != nil {
					t.Fatal(err)
				}
			}
			// One discovery and one key set for each of the tenant's two issuers, however often it fires.
			if got := l.Issuer.Fetches(); got["discovery"] != 2 || got["keys"] != 2 {
				t.Errorf("got %v, want 2 and 2", got)
			}
			get(t, l, l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader"}}), 200)
			if got := l.Issuer.Fetches(); got["keys"] != 2 {
				t.Errorf("the request fetched again: %v", got)
			}
		})
	}
}

func TestATimerThatFailsIsSeenToFail(t *testing.T) {
	l := hosted(t)
	l.Issuer.Fail(issuer.Fault{Kind: "status", Status: 500})
	if err := l.Host.FireTimer(t.Context(), "refresh"); err == nil {
		t.Error("got no error while the identity provider is down")
	}
	l.Issuer.Heal()
}

func get(t *testing.T, l *lab.Lab, raw string, want int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL+"/orders/42", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+raw)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("got %s, want %d", resp.Status, want)
	}
}

// functions-host.md §5: with an empty route prefix anyone can post to the timer's path.
func TestAPublicPostToTheTimerGainsNothing(t *testing.T) {
	post := func(t *testing.T, l *lab.Lab) (int, string) {
		t.Helper()
		body := `{"Data":{"timer":{"IsPastDue":true}},"Metadata":{}}`
		resp, err := http.Post(l.URL+"/refresh", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	t.Run("told apart where the host sets X-Forwarded-*", func(t *testing.T) {
		l := hosted(t)
		status, text := post(t, l)
		if status != 404 || !strings.Contains(text, "no_route") {
			t.Errorf("got %d %s, want 404 no_route", status, text)
		}
		if got := l.Issuer.Fetches(); got["keys"] != 0 {
			t.Errorf("got %v, want no fetch", got)
		}
	})
	t.Run("harmless where it doesn't", func(t *testing.T) {
		l := hosted(t, func(o *host.Options) { o.Variants.PassForwarded = true })
		for range 50 {
			if status, text := post(t, l); status != 200 || text != `{"Outputs":{},"Logs":[],"ReturnValue":null}` {
				t.Fatalf("got %d %s, want the constant answer", status, text)
			}
		}
		if got := l.Issuer.Fetches(); got["discovery"] != 2 || got["keys"] != 2 {
			t.Errorf("50 posts fetched %v, want what one timer fetches", got)
		}
	})
}
