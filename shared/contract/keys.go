package contract

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Defaults of subscriptionKeys, as the schema states them.
const (
	DefaultKeyHeader  = "Ocp-Apim-Subscription-Key"
	DefaultKeyRefresh = 30 * time.Second
	DefaultKeyStale   = 5 * time.Minute
)

// KeyNames are all names under which some API takes keys. No backend of any API
// hears what stands under them: a caller may send its key to the wrong one.
type KeyNames struct {
	Headers    []string // folded
	Parameters []string // in lower case
}

func (k *SubscriptionKeys) setDefaults() {
	orElseText(&k.Header, DefaultKeyHeader)
	orElse(&k.Refresh, DefaultKeyRefresh)
	orElse(&k.MaxStale, DefaultKeyStale)
}

// keyNames: the default is among them whether it is used or not.
func (e *Estate) keyNames() KeyNames {
	said := e.Gateway.SubscriptionKeys
	out := KeyNames{Headers: []string{FoldHeader(DefaultKeyHeader), FoldHeader(said.Header)}}
	queries := []string{said.Query}
	for _, a := range e.APIs {
		out.Headers = append(out.Headers, FoldHeader(a.SubscriptionKeys.Header))
		queries = append(queries, a.SubscriptionKeys.Query)
	}
	for _, q := range queries {
		out.Parameters = append(out.Parameters, strings.ToLower(q))
	}
	for _, list := range []*[]string{&out.Headers, &out.Parameters} {
		slices.Sort(*list)
		*list = slices.DeleteFunc(slices.Compact(*list), func(s string) bool { return s == "" })
	}
	return out
}

// keysOf is where an API's keys are looked for.
func (e *Estate) keysOf(a *API) PlannedKeys {
	said := e.Gateway.SubscriptionKeys
	out := PlannedKeys{Header: said.Header, Query: said.Query, Refresh: time.Duration(said.Refresh), MaxStale: time.Duration(said.MaxStale)}
	if a.SubscriptionKeys.Header != "" {
		out.Header = a.SubscriptionKeys.Header
	}
	if a.SubscriptionKeys.Query != "" {
		out.Query = a.SubscriptionKeys.Query
	}
	out.Header = http.CanonicalHeaderKey(out.Header)
	return out
}

// checkKeyPlaces checks where keys are said to stand, and that no other word speaks of those places.
func (e *Estate) checkKeyPlaces() {
	d, said := e.gateway, e.Gateway.SubscriptionKeys
	if time.Duration(said.Refresh) < time.Second {
		d.fault("subscriptionKeys.refresh", "is under a second: nearly every call would wait for the store")
	}
	if said.MaxStale < said.Refresh {
		d.fault("subscriptionKeys", "maxStale (%s) is shorter than refresh (%s); keys would be refused before they are asked for again", time.Duration(said.MaxStale), time.Duration(said.Refresh))
	}
	e.checkKeyPlace(d, KeyPlace{said.Header, said.Query})
	for i := range e.APIs {
		e.checkKeyPlace(e.apis[i], e.APIs[i].SubscriptionKeys)
	}
	names := e.keyNames()
	for _, name := range sortedKeys(e.Gateway.ResponseHeaders) {
		if slices.Contains(names.Headers, FoldHeader(name)) && Removed(FoldHeader(name)) == "" {
			d.fault("responseHeaders."+name+"#", "%s", carriesKeys(name))
		}
	}
	for _, name := range sortedKeys(e.Gateway.Products) {
		d.countedApart("products."+name+".limits", e.Gateway.Products[name].Limits, names)
	}
	for i := range e.APIs {
		e.APIs[i].checkApart(e.apis[i], names)
		e.warnScripts(&e.APIs[i], e.apis[i])
	}
}

// warnScripts: a script may set only the headers that cors names.
func (e *Estate) warnScripts(a *API, d *document) {
	takes := slices.ContainsFunc(a.Operations, func(o Operation) bool { return o.Allow != nil && o.Allow.Key != "" })
	for _, p := range e.Gateway.Products {
		takes = takes || slices.Contains(p.APIs, a.Name)
	}
	header := e.keysOf(a).Header
	if takes && a.CORS != nil && !slices.ContainsFunc(a.CORS.Headers, func(h string) bool { return strings.EqualFold(h, header) }) {
		d.warn("cors", "no script can send a subscription key: add %s to headers:, if scripts are to call with one", header)
	}
}

func (e *Estate) checkKeyPlace(d *document, k KeyPlace) {
	if why := e.Gateway.unkeyable(FoldHeader(k.Header)); why != "" && k.Header != "" {
		d.fault("subscriptionKeys.header", "%s can't carry keys: %s", k.Header, why)
	}
	if name := strings.ToLower(k.Query); name != "subscription-key" && slices.Contains(WithheldParameters(), name) {
		d.fault("subscriptionKeys.query", "%q can't carry keys: it carries a secret or a method of another kind", k.Query)
	}
}

// unkeyable says why a header of that folded name can't carry keys, "" if it can.
func (g *Gateway) unkeyable(folded string) string {
	switch {
	case folded == FoldHeader(DefaultKeyHeader):
		return ""
	case g.claimed(folded):
		return "the gateway sends a claim under it"
	case slices.Contains([]string{"origin", "user-agent", "referer", "cache-control", "pragma", "vary"}, folded),
		strings.HasPrefix(folded, "access-control-"), strings.HasPrefix(folded, "sec-"):
		return "it describes the request itself"
	}
	if why := unforwardable(folded); why != "" {
		return why
	}
	return Removed(folded)
}

func carriesKeys(name string) string {
	return fmt.Sprintf("%s carries subscription keys, which pass to nobody; name another", name)
}

// checkApart reports what the API says under names that carry keys. The
// default's are refused with every other header that is always removed.
func (a *API) checkApart(d *document, names KeyNames) {
	header := func(at, name string) {
		if folded := FoldHeader(name); slices.Contains(names.Headers, folded) && Removed(folded) == "" {
			d.fault(at, "%s", carriesKeys(name))
		}
	}
	demanded := func(at string, headers map[string][]string) {
		for _, name := range sortedKeys(headers) {
			header(at+"."+name+"#", name)
		}
	}
	query := func(at string, q Query) {
		for _, name := range sortedKeys(q.Set) {
			if slices.Contains(names.Parameters, strings.ToLower(name)) {
				d.fault(at+".set."+name+"#", "%s", carriesKeys(name))
			}
		}
		for i, name := range q.Allow {
			if slices.Contains(names.Parameters, strings.ToLower(name)) {
				d.fault(fmt.Sprintf("%s.allow.%d", at, i), "%s", carriesKeys(name))
			}
		}
	}
	demanded("headers", a.Headers)
	query("query", a.Query)
	for _, name := range sortedKeys(a.ResponseHeaders) {
		header("responseHeaders."+name+"#", name)
	}
	header("proof.certificateHeader", a.Proof.CertificateHeader)
	if auth := a.Backend.Authenticate; auth != nil && auth.Header != nil {
		header("backend.authenticate.header.name", auth.Header.Name)
	}
	d.countedApart("limits", a.Limits, names)
	for i, op := range a.Operations {
		d.countedApart(operationAt(i)+".limits", op.Limits, names)
		demanded(operationAt(i)+".headers", op.Headers)
		query(operationAt(i)+".query", op.Query)
	}
}

// countedApart: what a limit counts by is kept in readable form.
func (d *document) countedApart(at string, limits []Limit, names KeyNames) {
	for i, l := range limits {
		for j, part := range l.By {
			where := fmt.Sprintf("%s.%d.by", at, i)
			if len(l.By) > 1 {
				where = fmt.Sprintf("%s.%d", where, j)
			}
			counted, _ := countedBy(part)
			if counted.Kind != PerHeader {
				continue
			}
			switch name := counted.Names[0]; {
			case strings.EqualFold(name, "Cookie"):
				d.fault(where, "%s can't be counted by: it carries credentials, and what calls are counted by is kept in readable form", name)
			case slices.Contains(names.Headers, FoldHeader(name)) && Removed(FoldHeader(name)) == "":
				d.fault(where, "%s", carriesKeys(name))
			}
		}
	}
}
