package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// readBacks is how often it is looked for what was written: Graph's replicas may be seconds behind.
const readBacks = 5

// ErrChanged says that Graph holds something else than when the change was confirmed. Nothing was sent.
var ErrChanged = errors.New("graph holds something else than when this was confirmed; plan again")

// Outcome is what became of a change's requests.
type Outcome struct {
	Done   []Request
	Failed *Request // at which it stopped; nil if it didn't
	Left   []Request
}

func (o *Outcome) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "done: %d\n", len(o.Done))
	for _, r := range o.Done {
		fmt.Fprintf(&out, "  %s %s\n", r.Method, r.Path)
	}
	if o.Failed != nil {
		fmt.Fprintf(&out, "failed:\n  %s %s\n", o.Failed.Method, o.Failed.Path)
	}
	if len(o.Left) > 0 {
		fmt.Fprintf(&out, "not done: %d\n", len(o.Left))
		for _, r := range o.Left {
			fmt.Fprintf(&out, "  %s %s\n", r.Method, r.Path)
		}
	}
	return out.String()
}

// Apply sends the requests of a confirmed change, one after the other, and stops
// at the first that fails; what was done stays, and a new plan begins there.
// Then it reads back whether Graph holds what is wanted. The outcome is never nil.
func (c *Client) Apply(ctx context.Context, want *Wanted, confirmed *Change) (*Outcome, error) {
	out := &Outcome{Left: confirmed.Requests}
	known, err := want.ids(confirmed)
	if err != nil {
		return out, err
	}
	have, err := c.Read(ctx, want)
	if err != nil {
		return out, err
	}
	if !confirmed.same(Diff(want, have)) {
		return out, ErrChanged
	}
	known["{address}"] = c.Address
	for i, r := range confirmed.Requests {
		answer, err := c.do(ctx, r, known)
		if err = settled(r, answer, err); err != nil {
			out.Failed, out.Left = &confirmed.Requests[i], confirmed.Requests[i+1:]
			return out, err
		}
		if r.gives != "" {
			known[r.gives] = text(answer["id"])
		}
		out.Done, out.Left = confirmed.Requests[:i+1], confirmed.Requests[i+1:]
	}
	return out, c.confirm(ctx, want)
}

// do sends one request of a change. What is attached to something that was made
// seconds ago may not be found yet by the replica that is asked.
func (c *Client) do(ctx context.Context, r Request, known map[string]string) (object, error) {
	var body []byte
	if r.Body != nil {
		body = []byte(fill(string(r.Body), known))
	}
	for try := 1; ; try++ {
		answer, err := c.send(ctx, r.Method, fill(r.Path, known), body, strings.ToLower(r.Method)+" "+r.Path, r.Permission)
		refused, ok := errors.AsType[*Error](err)
		fresh := ok && refused.Status == http.StatusNotFound && r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/$ref")
		if !fresh || try == readBacks {
			return answer, err
		}
		if err := c.wait(ctx, time.Duration(try)*2*time.Second); err != nil {
			return nil, err
		}
	}
}

// settled: what is gone already needs no removal; what was created needs its id.
func settled(r Request, answer object, err error) error {
	if refused, ok := errors.AsType[*Error](err); ok && r.Method == http.MethodDelete && refused.Status == http.StatusNotFound {
		return nil
	}
	if err == nil && r.gives != "" && text(answer["id"]) == "" {
		return fmt.Errorf("%s %s: Graph created something and named no id", strings.ToLower(r.Method), r.Path)
	}
	return err
}

// confirm reads back until Graph holds what is wanted.
func (c *Client) confirm(ctx context.Context, want *Wanted) error {
	for try := 1; ; try++ {
		have, err := c.Read(ctx, want)
		if err != nil {
			return fmt.Errorf("read back: %w", err)
		}
		left := Diff(want, have)
		if left.Empty() {
			return nil
		}
		if try == readBacks {
			return fmt.Errorf("read back: Graph took every request, and still doesn't hold what it was told: %s (%s %s)", left.Requests[0].Why, left.Requests[0].Method, left.Requests[0].Path)
		}
		if err := c.wait(ctx, time.Duration(try)*2*time.Second); err != nil {
			return fmt.Errorf("read back: %w", err)
		}
	}
}

// ids are those that requests name, as far as they are known before the first.
func (w *Wanted) ids(change *Change) (map[string]string, error) {
	known := map[string]string{}
	for _, api := range w.apis {
		name := "{clientId." + api + "}"
		for _, r := range change.Requests {
			switch id := w.clientIDs[api]; {
			case !strings.Contains(r.Path, name):
			case id == "":
				return nil, fmt.Errorf("the client id of %s isn't known; its registration must be applied first", api)
			case !guid(id):
				return nil, fmt.Errorf("the client id of %s is %q, which is no id (a GUID)", api, id)
			}
		}
		known[name] = w.clientIDs[api]
	}
	return known, nil
}

// guid: an id becomes a part of a path.
func guid(s string) bool {
	return len(s) == 36 && strings.Count(s, "-") == 4 && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF-", r) })
}

func fill(s string, known map[string]string) string {
	for name, value := range known {
		s = strings.ReplaceAll(s, name, value)
	}
	return s
}
