// Package faults holds what callers see when the handler dies, hangs or never
// comes up: what the Functions host would show them, and nothing worse.
package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tollgate/localrun/host"
	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
)

// kills is how many times the handler is killed: few in make test, 500 in make prove.
func kills(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("TOLLGATE_KILLS"))
	if err != nil {
		return 12
	}
	return n
}

// tally counts what callers saw.
type tally struct {
	sync.Mutex
	seen map[string]int
}

func (c *tally) add(what string) {
	c.Lock()
	defer c.Unlock()
	c.seen[what]++
}

// The host forgives two crashes in half an hour; here it forgives them all, so
// that one host sees every kill.
func forgiving(o *host.Options) { o.Budgets.Forget = time.Nanosecond }

func TestKilledUnderLoadItNeverAnswersWrongly(t *testing.T) {
	l := lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), lab.StageApp(t), forgiving)
	good := l.Token(t, issuer.Token{API: "orders", Roles: []string{"DataReader", "DataWriter"}})
	bad := l.Token(t, issuer.Token{API: "invoices", Roles: []string{"InvoiceReader"}})
	total := kills(t)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	counts := &tally{seen: map[string]int{}}
	var callers sync.WaitGroup
	var calls atomic.Int64
	for range 6 {
		callers.Go(func() {
			client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				call(t, client, l.URL, calls.Add(1), good, bad, counts)
			}
		})
	}
	killAtRandom(t, l, total)
	stop()
	callers.Wait()

	t.Logf("%d kills, %d calls: %v", total, calls.Load(), counts.seen)
	if counts.seen["granted"] == 0 || counts.seen["refused"] == 0 {
		t.Error("no call got through between the kills")
	}
	if pid := l.Host.PID(); pid == 0 {
		t.Error("the handler didn't come back after the last kill")
	}
}

// killAtRandom kills the handler total times, each time once it is up and has
// been for a random moment.
func killAtRandom(t *testing.T, l *lab.Lab, total int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	last := 0
	for range total {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		pid := l.Host.PID()
		for pid == last || pid == 0 {
			select {
			case <-ctx.Done():
				t.Fatalf("the handler wasn't restarted after process %d: %v", last, l.Host.Err())
			case <-time.After(time.Millisecond):
			}
			pid = l.Host.PID()
		}
		cancel()
		<-time.After(time.Duration(random.IntN(60)) * time.Millisecond)
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have been killed while it started
		last = pid
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for pid := l.Host.PID(); pid == last || pid == 0; pid = l.Host.PID() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// call makes one call and checks that its answer is right, or is the host's own
// failure (functions-host.md §2c: 500 with an empty body, or a broken connection).
func call(t *testing.T, client *http.Client, url string, n int64, good, bad string, counts *tally) {
	method, token, want, body := http.MethodGet, good, 200, io.Reader(nil)
	switch n % 4 {
	case 1:
		token, want = bad, 401
	case 2:
		method, body = http.MethodPost, strings.NewReader(fmt.Sprintf(`{"n":%d}`, n))
	}
	path := fmt.Sprintf("/orders/n%d", n)
	if method == http.MethodPost {
		path = "/orders"
	}
	req, err := http.NewRequest(method, url+path+fmt.Sprintf("?n=%d", n), body)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		if strings.Contains(err.Error(), "Client.Timeout") {
			t.Errorf("call %d hung: %v", n, err)
		}
		counts.add("connection broken")
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		counts.add("answer broken off")
	case resp.StatusCode == want && want == 200:
		var echo struct{ Query string }
		if err := json.Unmarshal(text, &echo); err != nil || echo.Query != fmt.Sprintf("n=%d", n) {
			t.Errorf("call %d got somebody else's answer, or half of one: %v %s", n, err, text)
		}
		counts.add("granted")
	case resp.StatusCode == want:
		counts.add("refused")
	case resp.StatusCode == 500 && len(text) == 0:
		counts.add("500 of the host")
	default:
		t.Errorf("call %d (%s, want %d): got %d %s", n, method, want, resp.StatusCode, text)
	}
}
