package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"tollgate/shared/contract"
)

// gateway is the probe that gives all silence its meaning.
func (p *prober) gateway(ctx context.Context) []Result {
	a := p.client.ask(ctx, request{method: http.MethodGet, address: p.at("/_gateway/health")})
	r := Result{ID: "gateway/answers", Group: Gateway, Promise: "the gateway answers at its public address", Evidence: []Exchange{a.Exchange}}
	switch own := a.header.Get("X-Correlation-Id") != ""; {
	case a.err == nil && own && a.Status == http.StatusOK:
		p.reached, r.Outcome = true, Passed
	case a.err == nil && own:
		p.reached, r.Outcome, r.Why = true, NotShown, fmt.Sprintf("its health says %d", a.Status)
	case a.err == nil && platformRefused(&a):
		r.Outcome, r.Why = NotShown, "the platform refuses calls from this address"
	default:
		r.Outcome, r.Why = NotShown, "it was not reached from here, so that silence elsewhere shows nothing"
	}
	return []Result{r}
}

func result(id, group, promise string, v verdict, seen ...answer) Result {
	r := Result{ID: id, Group: group, Promise: promise, Outcome: v.Outcome, Why: v.why}
	for _, a := range seen {
		r.Evidence = append(r.Evidence, a.Exchange)
	}
	return r
}

// shut are the probes of what nobody may reach from outside.
func (p *prober) shut() []step {
	var steps []step
	seen := map[string]bool{}
	for _, api := range p.plan.APIs {
		for _, t := range api.Backend.Targets {
			if t.URL == nil {
				continue
			}
			if key := t.URL.Scheme + "://" + t.URL.Host; !seen[key] {
				seen[key] = true
				steps = append(steps, func(ctx context.Context) []Result { return p.backend(ctx, api.Name, t.URL) })
			}
		}
	}
	if s := p.plan.Store; s != nil && s.Tables != "" {
		steps = append(steps, func(ctx context.Context) []Result { return p.store(ctx, s.Tables) })
	}
	for _, v := range vaults(p.plan) {
		steps = append(steps, func(ctx context.Context) []Result { return p.vault(ctx, v) })
	}
	return steps
}

// backend asks a backend's name as anybody could.
func (p *prober) backend(ctx context.Context, api string, u *url.URL) []Result {
	id, promise := "backend/"+u.Host, "the backend of "+api+" doesn't answer from outside at "+u.Host
	if p.PublicBackends[api] {
		return []Result{result(id, Backends, promise, open("it was said to be somebody's public service, so it wasn't asked"))}
	}
	look := answer{Exchange: Exchange{At: p.Now().UTC(), Request: "look up " + u.Hostname()}}
	addrs, err := p.client.lookup(ctx, u.Hostname())
	look = look.timed(p.client)
	switch {
	case errors.Is(err, errNoAddress):
		return []Result{result(id, Backends, promise, p.silent("its name has no address"), look.failed(err))}
	case err != nil:
		return []Result{result(id, Backends, promise, open("its name couldn't be looked up"), look.failed(err))}
	}
	look.Said = list(addrs)
	if inside(addrs) {
		if platforms(u.Hostname()) {
			return []Result{result(id, Backends, promise, open("a name of the platform has private addresses here, so this machine is inside; ask from outside"), look)}
		}
		if p.within != "" {
			return []Result{result(id, Backends, promise, open("%s has private addresses here, so this machine is inside, where names may lead elsewhere; ask from outside", p.within), look)}
		}
		return []Result{result(id, Backends, promise, p.silent("its name has private addresses only"), look)}
	}
	a := p.client.ask(ctx, request{method: http.MethodGet, address: u.Scheme + "://" + u.Host + "/", anyCertificate: true})
	if a.err == nil {
		return []Result{result(id, Backends, promise, shutBackend(&a), look, a)}
	}
	return []Result{result(id, Backends, promise, p.unanswered(&a), look, a)}
}

// unanswered judges a backend from which no HTTP answer came.
func (p *prober) unanswered(a *answer) verdict {
	if _, alert := errors.AsType[tls.AlertError](a.err); alert || strings.Contains(a.err.Error(), "remote error: tls") {
		return fail("TLS is answered there, though it asks for something that this has not: %s", a.Said)
	}
	if strings.Contains(a.err.Error(), "malformed HTTP") || strings.Contains(a.err.Error(), "tls: first record") {
		return fail("something answers there that isn't HTTP as its address says: %s", a.Said)
	}
	if strings.HasPrefix(a.Said, "the time for all probes") {
		return open("%s", a.Said)
	}
	return p.nothing(a, "nothing answers there")
}

// nothing is silence at a port. A machine's own network may keep other ports than 443
// from leaving it, and then answers nothing at all.
func (p *prober) nothing(a *answer, why string) verdict {
	if a.met {
		return open("somebody takes connections there, and gave no answer (in time): %s", a.Said)
	}
	if late, ok := errors.AsType[net.Error](a.err); ok && late.Timeout() && a.port != "443" {
		return open("no answer came in time, which a port that is closed on the way out of here would explain too")
	}
	return p.silent(why)
}

// silent is a pass only where the gateway was reached from here.
func (p *prober) silent(why string) verdict {
	if !p.reached {
		return open("%s, but the gateway wasn't reached from here either", why)
	}
	return pass("%s", why)
}

// inNetwork is a name of the platform, of storage or a vault, that has private addresses here:
// then names of the network's own are no news.
func (p *prober) inNetwork(ctx context.Context) string {
	all := vaults(p.plan)
	if s := p.plan.Store; s != nil {
		all = append(all, s.Tables)
	}
	for _, address := range all {
		u, err := url.Parse(address)
		if err != nil || !platforms(u.Hostname()) {
			continue
		}
		if addrs, err := p.client.lookup(ctx, u.Hostname()); err == nil && inside(addrs) {
			return u.Hostname()
		}
	}
	return ""
}

// platforms tells names that have public addresses for everybody outside, so that a
// private one says where this machine is.
func platforms(host string) bool {
	for _, suffix := range []string{".core.windows.net", ".vault.azure.net", ".azurewebsites.net", ".core.usgovcloudapi.net", ".vault.usgovcloudapi.net", ".azurewebsites.us", ".core.chinacloudapi.cn", ".vault.azure.cn", ".chinacloudsites.cn"} {
		if strings.HasSuffix(strings.ToLower(host), suffix) {
			return true
		}
	}
	return false
}

// store asks Table Storage for the name of one table.
func (p *prober) store(ctx context.Context, tables string) []Result {
	q := request{method: http.MethodGet, address: strings.TrimSuffix(tables, "/") + "/Tables?$top=1", header: http.Header{
		"Accept": {"application/json;odata=nometadata"}, "X-Ms-Version": {"2020-12-06"}, // the first that takes Entra's tokens
	}}
	return p.neighbour(ctx, "store", "Table Storage", tables, "https://storage.azure.com/.default", q, shutStore)
}

// vault asks Key Vault for the name of one secret.
func (p *prober) vault(ctx context.Context, address string) []Result {
	scope := ""
	if u, err := url.Parse(address); err == nil {
		if _, cloud, ok := strings.Cut(u.Hostname(), "."); ok {
			scope = "https://" + cloud + "/.default" // vault.azure.net, or another cloud's
		}
	}
	q := request{method: http.MethodGet, address: strings.TrimSuffix(address, "/") + "/secrets?api-version=7.4&maxresults=1"}
	return p.neighbour(ctx, "vault", "Key Vault", address, scope, q, shutVault)
}

// neighbour asks without a credential, and with the deployer's token where that tells more.
func (p *prober) neighbour(ctx context.Context, id, name, address, scope string, q request, judge func(*answer, bool) (verdict, bool)) []Result {
	u, err := url.Parse(address)
	if err != nil {
		return []Result{result(id, Stores, name+" refuses from outside", open("its address can't be read"))}
	}
	id, promise := id+"/"+u.Host, name+" refuses from outside at "+u.Host
	addrs, err := p.client.lookup(ctx, u.Hostname())
	look := answer{Exchange: Exchange{At: p.Now().UTC(), Request: "look up " + u.Hostname(), Said: list(addrs)}}
	switch {
	case err != nil:
		return []Result{result(id, Stores, promise, open("its name couldn't be looked up, where Azure's have a public address for everybody outside"), look.failed(err))}
	case inside(addrs):
		return []Result{result(id, Stores, promise, open("its name has private addresses here: a stand-in, or this machine is inside; ask from outside"), look)}
	case u.Scheme != "https":
		return []Result{result(id, Stores, promise, open("it is asked by https only"), look)}
	}
	first := p.client.ask(ctx, q)
	v, sure := judge(&first, false)
	if sure {
		return []Result{result(id, Stores, promise, v, look, first)}
	}
	if p.Resource == nil {
		v.why += "; there is no token of the deployer's to ask with"
		return []Result{result(id, Stores, promise, v, look, first)}
	}
	raw, err := p.Resource(ctx, scope)
	if err != nil {
		v.why += "; " + short(err.Error())
		return []Result{result(id, Stores, promise, v, look, first)}
	}
	if q.header = q.header.Clone(); q.header == nil {
		q.header = http.Header{}
	}
	q.header.Set("Authorization", "Bearer "+raw)
	q.about = "with the deployer's token"
	second := p.client.ask(ctx, q)
	v, _ = judge(&second, true)
	return []Result{result(id, Stores, promise, v, look, first, second)}
}

// origin asks the function's own host name, which must not lead around Front Door.
func (p *prober) origin(ctx context.Context) []Result {
	const promise = "the function's own host name doesn't lead around Front Door"
	behind := p.plan.ClientAddress.Source == contract.SourceFrontDoor
	if p.Origin == "" {
		if !behind {
			return nil
		}
		return []Result{result("origin", Transport, promise, open("name it with --origin"))}
	}
	id := "origin/" + p.Origin
	addrs, err := p.client.lookup(ctx, p.Origin)
	look := answer{Exchange: Exchange{At: p.Now().UTC(), Request: "look up " + p.Origin, Said: list(addrs)}}
	switch {
	case errors.Is(err, errNoAddress):
		return []Result{result(id, Transport, promise, open("the name has no address; is it the function's?"), look.failed(err))}
	case err != nil:
		return []Result{result(id, Transport, promise, open("the name couldn't be looked up"), look.failed(err))}
	case inside(addrs):
		return []Result{result(id, Transport, promise, open("the name has private addresses here, so this machine is inside; ask from outside"), look)}
	}
	q := request{method: http.MethodGet, address: "https://" + p.Origin + "/_gateway/health", about: "with the headers that Front Door sets", anyCertificate: true, header: http.Header{}}
	for name, value := range falseAddresses() {
		q.header.Set(name, value)
	}
	q.header.Set("X-Azure-Fdid", p.plan.ClientAddress.FrontDoorID) // callers can learn it: it must not open anything by itself here
	a := p.client.ask(ctx, q)
	switch {
	case a.err != nil:
		return []Result{result(id, Transport, promise, p.unanswered(&a), look, a)}
	case platformRefused(&a):
		return []Result{result(id, Transport, promise, pass("the platform refuses: 403"), look, a)}
	default:
		return []Result{result(id, Transport, promise, fail("got %d: it answers around Front Door", a.Status), look, a)}
	}
}
