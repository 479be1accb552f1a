package contract

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Plan binds the estate to one environment, and reports all faults of that binding.
func (e *Estate) Plan(name string) (*Plan, Faults) {
	env, ok := e.environments[name]
	if !ok {
		return nil, Faults{{File: "environments", Message: fmt.Sprintf("there is no environment %q%s", name, suggest(name, e.Environments()))}}
	}
	var faults Faults
	b := &binder{estate: e, env: env, used: map[string]bool{}}
	b.envDoc = b.view(env.doc, &faults)
	plan := b.plan(name, &faults)
	b.checkEnvironment()
	faults = faults.sorted()
	if len(faults.Errors()) > 0 {
		return nil, faults
	}
	return plan, faults
}

type binder struct {
	estate *Estate
	env    *environment
	envDoc *document
	used   map[string]bool // environment values that some contract takes
}

// view is a document whose faults go to this binding's list.
func (b *binder) view(d *document, faults *Faults) *document {
	return &document{file: d.file, at: d.at, bad: faults}
}

func (b *binder) plan(name string, faults *Faults) *Plan {
	g := &b.estate.Gateway
	p := &Plan{
		Name: g.Name, Environment: name, Version: b.estate.digest, ClaimsContract: g.ClaimsContract,
		PublicURL: strings.TrimSuffix(b.env.PublicURL, "/"), ClockSkew: time.Duration(g.Identity.ClockSkew), Algorithms: g.Identity.Algorithms,
		Keys:        KeyTimes{time.Duration(g.Identity.Keys.Refresh), time.Duration(g.Identity.Keys.Refetch), time.Duration(g.Identity.Keys.MaxStale)},
		MaxLifetime: time.Duration(g.Identity.MaxLifetime), SignIn: b.cloud().signIn, TenantID: b.env.Tenant,
		Answer: answerHeaders(g.ResponseHeaders, nil), Errors: g.Errors, HealthDetail: g.Health.Detail == HealthPublic,
	}
	p.file, p.lines = b.estate.gateway.file, b.estate.gateway.lines(nil)
	for _, h := range sortedKeys(g.Forward) {
		p.Forward = append(p.Forward, Header{Name: h, Claims: g.Forward[h].Claim})
	}
	b.bindAddresses(b.view(b.estate.gateway, faults), p)
	others := b.otherIssuers(b.view(b.estate.gateway, faults))
	for i := range b.estate.APIs {
		p.APIs = append(p.APIs, b.api(b.view(b.estate.apis[i], faults), &b.estate.APIs[i], others))
	}
	for _, api := range p.APIs {
		for _, acc := range api.Accepts {
			if !slices.Contains(p.Issuers, acc.Issuer) {
				p.Issuers = append(p.Issuers, acc.Issuer)
			}
		}
	}
	p.Clients = b.clients()
	b.checkAudiences(p, faults)
	p.AssertionKey = b.assertionKey(p, faults)
	b.products(p)
	b.limits(p, faults)
	b.store(p, faults)
	p.reads()
	b.audit(p, faults)
	return p
}

// lines are the lines of everything in the document, by the names that rules go
// by: operations by their id rather than by their number.
func (d *document) lines(operation func(i int) string) map[string]int {
	out := make(map[string]int, len(d.at))
	for path, m := range d.at {
		if strings.HasSuffix(path, "#") {
			continue
		}
		if rest, ok := strings.CutPrefix(path, "operations."); ok && operation != nil {
			number, below, _ := strings.Cut(rest, ".")
			if i, err := strconv.Atoi(number); err == nil {
				path = strings.TrimSuffix("operations."+operation(i)+"."+below, ".")
			}
		}
		out[path] = m.line
	}
	return out
}

// api binds one API.
func (b *binder) api(d *document, a *API, others []TrustedIssuer) PlannedAPI {
	below, _ := parsePath(a.Path)
	out := PlannedAPI{
		Name: a.Name, File: d.file, Segments: below, MaxBody: int64(a.MaxBody), Backend: b.backend(d, a),
	}
	out.PublicURL, out.Addresses = strings.TrimSuffix(b.env.PublicURL, "/"), a.Addresses.list("addresses")
	out.lines = d.lines(func(i int) string { return a.Operations[i].ID })
	audience := b.bind(d, "audience", a.Audience)
	out.Audience, out.ClientID = audience, b.env.ClientID[a.Name]
	out.Scopes, out.Roles, out.Callers = a.scopeNames(), a.roleNames(), b.callers(d, a)
	for _, is := range append(b.entraIssuers(d, a), others...) {
		if slices.Contains(a.Issuers, is.Name) && a.protected() {
			out.Accepts = append(out.Accepts, Accepted{Issuer: is, Audiences: b.audiences(d, a, is, audience)})
		}
	}
	if slices.Contains(a.Issuers, Entra) {
		b.warnAudience(d, a, audience)
	}
	out.CORS, out.Headers, out.Answer = a.CORS.planned(), required("headers", a.Headers), answerHeaders(b.estate.Gateway.ResponseHeaders, a.ResponseHeaders)
	out.Proof, out.Errors = a.Proof, a.Errors
	if a.Proof.DPoP != "" && b.env.PublicURL == "" {
		d.fault("proof.dpop", "a proof names the public address, and %s has no publicURL", b.env.doc.file)
	}
	for i, r := range a.Require {
		rc := RequiredClaim{Claim: r.Claim, Separator: r.Separator, All: r.Match == "all", Rule: fmt.Sprintf("require.%d", i)}
		for j, v := range r.Values {
			rc.Values = append(rc.Values, b.bind(d, fmt.Sprintf("require.%d.values.%d", i, j), v))
		}
		out.Require = append(out.Require, rc)
	}
	for _, op := range a.Operations {
		t, _ := parseMatch(op.Match, below)
		out.Operations = append(out.Operations, PlannedOperation{
			ID: op.ID, Template: t, Allow: op.Allow, StepUp: op.StepUp,
			EncodedSlash: op.EncodedSlash == "allow", Headers: required("operations."+op.ID+".headers", op.Headers),
			WebSocket: op.Upgrade != "", Rewrite: rewriteOf(op.Rewrite, t), Query: queryRules(a.Query, op.Query), Reply: op.Reply.planned(),
		})
	}
	return out
}

// audiences are what aud may be. entra-oauth.md §1: a v1 token names the
// Application ID URI or the client id, a v2 token always the client id.
func (b *binder) audiences(d *document, a *API, is TrustedIssuer, audience string) []string {
	client := b.env.ClientID[a.Name]
	b.used["clientId."+a.Name] = b.used["clientId."+a.Name] || client != ""
	switch {
	case is.TokenVersion == "2.0" && client == "":
		d.fault("name", "v2 tokens carry the registration's client id in aud, and %s binds none: add %q under clientId:, or drop v2 from the gateway's tokenVersions", b.env.doc.file, a.Name)
		return nil
	case is.TokenVersion == "2.0":
		return []string{client}
	case is.Profile == ProfileEntra && client != "":
		return []string{audience, client}
	default:
		return []string{audience}
	}
}

// warnAudience: an identifier URI must hold the tenant id, the client id or a
// verified domain, or Entra refuses to register it.
func (b *binder) warnAudience(d *document, a *API, audience string) {
	rest, isAPI := strings.CutPrefix(audience, "api://")
	holds := func(id string) bool { return id != "" && strings.Contains(strings.ToLower(rest), strings.ToLower(id)) }
	if isAPI && !holds(b.env.Tenant) && !holds(b.env.ClientID[a.Name]) && !strings.Contains(strings.SplitN(rest, "/", 2)[0], ".") {
		d.warn("audience", "Entra refuses %q as an Application ID URI: it must hold the tenant id, the client id or a verified domain, such as \"api://${tenant}/%s\"", audience, a.Name)
	}
}

// checkAudiences: a token for one API must not open another.
func (b *binder) checkAudiences(p *Plan, faults *Faults) {
	owner := map[string]string{}
	for i, api := range p.APIs {
		for _, acc := range api.Accepts {
			for _, aud := range acc.Audiences {
				if first, ok := owner[aud]; ok && first != api.Name {
					b.view(b.estate.apis[i], faults).fault("audience", "in %s, %q is also an audience of the API %q; a token for one API must not open another", b.env.doc.file, aud, first)
				}
				owner[aud] = api.Name
			}
		}
	}
}

func (b *binder) checkEnvironment() {
	d, env := b.envDoc, b.env
	checkURL(d, "authority", env.Authority, plainLoopback)
	b.checkIdentities()
	if u := checkURL(d, "publicURL", env.PublicURL, plainLoopback); u != nil && strings.Trim(u.Path, "/") != "" {
		d.fault("publicURL", "%q has a path; it is the origin alone, and API paths begin right after it", env.PublicURL)
	}
	var clients []string
	for _, c := range b.estate.Clients {
		clients = append(clients, c.Name)
	}
	b.checkIDs("clientId", "API", env.ClientID, b.estate.apiNames())
	b.checkIDs("client", "client", env.Client, clients)
	b.checkIDs("tenants", "", env.Tenants, nil)
	if _, taken := env.Tenants[Home]; taken {
		d.fault("tenants."+Home+"#", "%s is the environment's own tenant; call this one something else", Home)
	}
	for group, m := range map[string]map[string]string{"backend": env.Backend, "issuer": env.Issuer, "tenants": env.Tenants, "vaults": env.Vaults, "identities": env.Identities, "ca": pemNames(env.CA)} {
		for _, name := range sortedKeys(m) {
			if !b.used[group+"."+name] {
				d.warn(group+"."+name+"#", "no contract takes %s", reference(group, name))
			}
		}
	}
}

// checkIDs: each value is a GUID, each name (if what isn't "") one that the contracts have.
func (b *binder) checkIDs(group, what string, ids map[string]string, known []string) {
	for _, name := range sortedKeys(ids) {
		if !guid.MatchString(ids[name]) {
			b.envDoc.fault(group+"."+name, "%q is not an id (a GUID)", ids[name])
		}
		if what != "" && !slices.Contains(known, name) {
			b.envDoc.fault(group+"."+name+"#", "there is no %s %q%s", what, name, suggest(name, known))
		}
	}
}
