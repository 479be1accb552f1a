package host

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheFrontEndAddsItsHeaders(t *testing.T) {
	t.Parallel()
	// functions-host.md §7; forward mode shows them as the host got them.
	client := func(*http.Request) string { return "203.0.113.7:5000" }
	h, _ := ready(t, forwardApp(), func(o *Options) { o.FrontEnd = &FrontEnd{ClientAddr: client} })
	got := echoed(t, get(t, h, "/a%2Fb?c=%41", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 7.7.7.7", "CLIENT-IP: 6.6.6.6:1", "DISGUISED-HOST: evil", "X-Original-URL: /evil", "X-Forwarded-Proto: http"))
	want := http.Header{
		"Client-Ip":            {"203.0.113.7:5000"},
		"Disguised-Host":       {"app.example"},
		"X-Original-Url":       {"/a%2Fb?c=%41"},
		"X-Waws-Unencoded-Url": {"/a%2Fb?c=%41"},
		"X-Forwarded-For":      {"6.6.6.6, 7.7.7.7, 203.0.113.7:5000"},
		"X-Forwarded-Proto":    {"https"},
	}
	for name, values := range want {
		if diff := cmp.Diff(values, got.Header[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if len(got.Header.Get("X-Arr-Log-Id")) != 36 || got.Host != "app.example" {
		t.Errorf("got log id %q and Host %s, want a UUID and the public host", got.Header.Get("X-Arr-Log-Id"), got.Host)
	}
}

func TestBehindTheFrontEndTheHostSeesAnInternalPeer(t *testing.T) {
	t.Parallel()
	// functions-host.md §7: X-Forwarded-For in mode c; whether the image switches
	// ASPNETCORE_FORWARDEDHEADERS_ENABLED on is UNCONFIRMED.
	for name, test := range map[string]struct {
		enabled bool
		want    string
	}{"by default": {false, "10.0.128.4"}, "Variants.ForwardedHeaders": {true, "203.0.113.7"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _ := ready(t, proxyApp(), func(o *Options) {
				o.Variants.ForwardedHeaders = test.enabled
				o.FrontEnd = &FrontEnd{ClientAddr: func(*http.Request) string { return "203.0.113.7:5000" }, PublicHost: "public.example", Scheme: "http", KeepClientIP: true}
			})
			got := echoed(t, get(t, h, "/", "X-Forwarded-For: 6.6.6.6", "CLIENT-IP: 6.6.6.6:1")).Header
			if v := got.Values("X-Forwarded-For"); !cmp.Equal(v, []string{test.want}) {
				t.Errorf("got X-Forwarded-For %q, want %s", v, test.want)
			}
			if got.Get("X-Forwarded-Host") != "public.example" || got.Get("X-Forwarded-Proto") != "http" {
				t.Errorf("got %v, want the public host and scheme", got)
			}
			if v := got["Client-Ip"]; !cmp.Equal(v, []string{"6.6.6.6:1", "203.0.113.7:5000"}) {
				t.Errorf("got CLIENT-IP %q, want the forged one kept in front (KeepClientIP)", v)
			}
		})
	}
}

func TestTheFrontEndCutsASilentCall(t *testing.T) {
	t.Parallel()
	// functions-host.md §2d: 230 s, here 600 ms; 502, users also report 500.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.FrontEnd = &FrontEnd{Cut: 600 * time.Millisecond} })
	t.Run("before the answer", func(t *testing.T) {
		t.Parallel()
		if got := get(t, h, "/?do=hang"); got.Status != 502 {
			t.Errorf("got %d, want 502", got.Status)
		}
		eventually(t, "the handler's context to end", func() bool { return fileSize(h, "cancelled") > 0 })
	})
	t.Run("within the answer", func(t *testing.T) {
		t.Parallel()
		if got, err := tryRaw(t, h, request("GET", "/?do=stream&gate=never")); err == nil {
			t.Errorf("got %+v, want a broken connection", got)
		}
	})
	t.Run("but streamed bytes keep it open", func(t *testing.T) {
		t.Parallel()
		if got := get(t, h, "/?do=drip"); got.Body != strings.Repeat(".", 20) {
			t.Errorf("got %q, want all of it", got.Body)
		}
	})
}

func TestVariantCutTotal(t *testing.T) {
	t.Parallel()
	// functions-host.md §2d: that bytes reset it is UNCONFIRMED.
	h, _ := ready(t, proxyApp(), func(o *Options) { o.FrontEnd = &FrontEnd{Cut: 600 * time.Millisecond, CutTotal: true, CutStatus: 500} })
	if got, err := tryRaw(t, h, request("GET", "/?do=drip")); err == nil {
		t.Errorf("got %+v, want a broken connection", got)
	}
	if got := get(t, h, "/?do=hang"); got.Status != 500 {
		t.Errorf("got %d, want CutStatus", got.Status)
	}
}

func TestThroughTheFrontEndAWebSocketStillWorks(t *testing.T) {
	t.Parallel()
	h, _ := ready(t, proxyApp(), func(o *Options) { o.FrontEnd = &FrontEnd{} })
	if got := dialUpgrade(t, h); got != "echo ping\n" {
		t.Errorf("got %q, want the handler's echo", got)
	}
}
