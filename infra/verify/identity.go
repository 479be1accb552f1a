package verify

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

// control is the header that shows whether a backend repeats what it hears.
const control = "X-Tollgate-Verify"

// falseAddresses are what a caller says of where it is. They are of TEST-NET-1
// (RFC 5737), which nobody has.
func falseAddresses() map[string]string {
	return map[string]string{
		"X-Forwarded-For": "192.0.2.77", "Forwarded": "for=192.0.2.78", "X-Azure-Clientip": "192.0.2.79", "X-Azure-Socketip": "192.0.2.80",
		"X-Real-Ip": "192.0.2.81", "Client-Ip": "192.0.2.82:4711", "True-Client-Ip": "192.0.2.83", "X-Client-Ip": "192.0.2.84", "X-Original-For": "192.0.2.85",
	}
}

// falseAddress tells one of them in an event.
func falseAddress(client string) bool {
	a, err := netip.ParseAddr(client)
	return err == nil && netip.MustParsePrefix("192.0.2.0/24").Contains(a)
}

// spoof is what a caller says about itself, in the spellings that somebody might take
// for the same name.
func (p *prober) spoof() (h http.Header, mark string) {
	mark = "spoofed-" + p.nonce
	h = http.Header{}
	names := []string{"X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-Gateway-Assertion"}
	for _, f := range p.plan.Forward {
		names = append(names, f.Name, strings.ToLower(f.Name), strings.ReplaceAll(f.Name, "-", "_"))
	}
	for _, name := range names {
		h[name] = []string{mark}
	}
	h["X-MS-CLIENT-PRINCIPAL"] = []string{base64.StdEncoding.EncodeToString([]byte(mark))}
	return h, mark
}

// followUp is a request of which the gateway's event tells the rest.
type followUp struct {
	id, group, promise string
	seen               answer
	judge              func(e *audit.Event) verdict
}

func (p *prober) follow(f followUp) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, f)
}

// spoofed sends identity headers to a backend that repeats what it hears.
func (p *prober) spoofed(ctx context.Context) []Result {
	const id, promise = "identity/echo", "identity headers that a caller sends don't reach the backend"
	t, why := p.echo()
	if t == nil {
		return []Result{result(id, Identity, promise, open("%s", why))}
	}
	raw := ""
	if t.op.Allow != nil {
		if p.Token == nil {
			return []Result{result(id, Identity, promise, open("%s asks for a token, and none can be had", p.Echo))}
		}
		var err error
		if raw, err = p.Token(ctx, t.api); err != nil {
			return []Result{result(id, Identity, promise, open("%s asks for a token: %s", p.Echo, short(err.Error())))}
		}
	}
	q := p.with(*t, raw, "with identity headers of its own")
	h, mark := p.spoof()
	for name, values := range h {
		q.header[name] = values
	}
	heard := "heard-" + p.nonce
	q.header.Set(control, heard)
	a := p.client.ask(ctx, q)
	return []Result{result(id, Identity, promise, unspoofed(&a, mark, heard), a)}
}

// unspoofed judges what an echo says.
func unspoofed(a *answer, mark, heard string) verdict {
	text := string(a.body)
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case strings.Contains(text, mark) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(mark))):
		return fail("the backend heard what the caller said of itself: %s", namesIn(text, mark))
	case len(a.body) == maxBody:
		return open("the backend says more than %d bytes, of which no more were read", maxBody)
	case !strings.Contains(text, heard):
		return open("the backend doesn't repeat the headers it heard (%d %s)", a.Status, a.Code)
	default:
		return pass("the backend repeated a harmless header and none of these")
	}
}

// namesIn is the part of the echo before the first spoofed value, for people.
func namesIn(text, mark string) string {
	at := max(strings.Index(text, mark), 0)
	return short(text[max(0, at-40):at])
}

// echo is the operation whose backend repeats what it hears.
func (p *prober) echo() (*target, string) {
	if p.Echo == "" {
		return nil, "no operation is known whose backend repeats what it hears; name one with --echo api/operation"
	}
	api, op, _ := strings.Cut(p.Echo, "/")
	for i := range p.plan.APIs {
		if p.plan.APIs[i].Name != api {
			continue
		}
		for _, t := range gets(&p.plan.APIs[i]) {
			if t.op.ID == op {
				return &t, ""
			}
		}
	}
	return nil, fmt.Sprintf("there is no operation %q that a GET reaches", p.Echo)
}

// sender makes the one call whose event tells where the gateway takes callers'
// addresses and names from. It is refused before any backend.
func (p *prober) sender(ctx context.Context) []Result {
	var t *target
	for i := range p.plan.APIs {
		if t = guarded(&p.plan.APIs[i]); t != nil {
			break
		}
	}
	const address, promise = "address/event", "the client's address is not what the client says it is"
	const who, promised = "identity/event", "the gateway takes nobody's name from a header"
	if t == nil {
		why := open("a GET reaches no operation that is refused without a token")
		return []Result{result(address, Client, promise, why), result(who, Identity, promised, why)}
	}
	q := p.with(*t, "", "without a token, with false addresses and identity headers")
	h, mark := p.spoof()
	for name, values := range h {
		q.header[name] = values
	}
	for name, value := range falseAddresses() {
		q.header.Set(name, value)
	}
	a := p.client.ask(ctx, q)
	p.follow(followUp{address, Client, promise, a, func(e *audit.Event) verdict { return p.address(e) }})
	p.follow(followUp{who, Identity, promised, a, func(e *audit.Event) verdict { return nameless(e, mark) }})
	return nil
}

// address judges the address in an event.
func (p *prober) address(e *audit.Event) verdict {
	const field = "address"
	switch source := p.plan.ClientAddress.Source; {
	case falseAddress(e.Client):
		return fail("the event has %s, which the caller made up", e.Client)
	case slices.Contains(e.Omitted, field) || slices.Contains(e.Pseudonyms, field):
		return open("events keep the address out, or hold a pseudonym of it")
	case source == "":
		return pass("the contract names no source, and the event no address that the caller made up")
	case e.Client == "":
		return open("the event names no address, though the contract says where to read it: %s", source)
	}
	if a, err := netip.ParseAddr(e.Client); err != nil || contract.Private(a) {
		return pass("the event has %s: not what the caller said, but no address of the Internet either, so lists and the flood guard take it as unknown", e.Client)
	}
	return pass("the event has %s", e.Client)
}

func nameless(e *audit.Event, mark string) verdict {
	for _, said := range []string{e.User, e.Tenant, e.App, e.Session, e.Subscription, e.Principal} {
		if strings.Contains(said, mark) {
			return fail("the event has %q, which the caller made up", said)
		}
	}
	if e.User != "" || e.App != "" || e.Verdict != audit.Refused {
		return fail("the event knows a caller without a token: user %q, client %q, %s", e.User, e.App, e.Verdict)
	}
	return pass("the event knows nobody: %s", e.Code)
}

// fromEvents judges what only the gateway's events tell.
func (p *prober) fromEvents(ctx context.Context) []Result {
	ids := map[string]bool{}
	for _, f := range p.asked {
		if f.seen.Correlation != "" {
			ids[f.seen.Correlation] = true
		}
	}
	var found map[string]audit.Event
	why := "the gateway's events can't be read; say where they are with --workspace or --events"
	if p.Events != nil && len(ids) > 0 {
		var names []string
		for id := range ids {
			names = append(names, id)
		}
		var err error
		if found, err = p.Events(ctx, names); err != nil {
			why = short(err.Error())
		} else {
			why = "there is no event of the call (yet); they can come minutes late"
		}
	}
	var out []Result
	for _, f := range p.asked {
		switch e, ok := found[f.seen.Correlation]; {
		case f.seen.err != nil:
			out = append(out, result(f.id, f.group, f.promise, open("there was no answer: %s", f.seen.Said), f.seen))
		case f.seen.Correlation == "":
			out = append(out, result(f.id, f.group, f.promise, open("the answer (%d) has no correlation id, so there is no event to look for", f.seen.Status), f.seen))
		case !ok:
			out = append(out, result(f.id, f.group, f.promise, open("%s", why), f.seen))
		default:
			out = append(out, result(f.id, f.group, f.promise, f.judge(&e), f.seen))
		}
	}
	return out
}
