package contract

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxClockSkew: beyond it, an expired token would live on for longer than a clock is ever wrong.
const maxClockSkew = 5 * time.Minute

// FunctionNames are the folders under functions/azure. The host posts timer
// calls to /<name>, so no API may live there. A test in tests/arch holds the two equal.
func FunctionNames() []string { return []string{"gateway", "refresh"} }

// reservedPrefixes belong to the Functions host or to the gateway itself.
func reservedPrefixes() []string {
	return []string{"/admin", "/runtime", "/_gateway", "/.well-known/oauth-protected-resource"}
}

// check reports what spans fields and files but needs no environment.
func (e *Estate) check() {
	e.checkGateway()
	for i := range e.APIs {
		c := &apiCheck{document: e.apis[i], api: &e.APIs[i], gateway: &e.Gateway}
		c.run()
	}
	e.checkBetween()
	e.checkClients()
	e.checkProducts()
	e.checkKeyPlaces()
	e.checkIdentity()
}

func (e *Estate) checkGateway() {
	d, g := e.gateway, &e.Gateway
	if time.Duration(g.Identity.ClockSkew) > maxClockSkew {
		d.fault("identity.clockSkew", "is over %s; mend the clock instead", maxClockSkew)
	}
	if k := g.Identity.Keys; k.MaxStale < k.Refresh {
		d.fault("identity.keys", "maxStale (%s) is shorter than refresh (%s); keys would be refused before they are renewed", time.Duration(k.MaxStale), time.Duration(k.Refresh))
	}
	g.checkAddress(d)
	d.checkAnswer(g.ResponseHeaders, g)
	e.checkProductLimits()
	e.checkAudit()
	seen := map[string]bool{Entra: true}
	for i, is := range g.Identity.Issuers {
		at := fmt.Sprintf("identity.issuers.%d", i)
		if seen[is.Name] {
			d.fault(at+".name", "the name %q is taken", is.Name)
		}
		seen[is.Name] = true
		checkLiteralURL(d, at+".issuer", is.Issuer)
		checkLiteralURL(d, at+".discovery", is.Discovery)
	}
	folded := map[string]string{}
	for _, name := range sortedKeys(g.Forward) {
		at := "forward." + name
		if first, ok := folded[FoldHeader(name)]; ok {
			d.fault(at+"#", "the header is named twice: %q and %q are one to a backend", first, name)
		}
		folded[FoldHeader(name)] = name
		if why := unforwardable(name); why != "" {
			d.fault(at+"#", "%s can't be a claim's header: %s", name, why)
		}
	}
}

// checkBetween compares each API with every other.
func (e *Estate) checkBetween() {
	for i := range e.APIs {
		for j := range i {
			a, b, d := &e.APIs[j], &e.APIs[i], e.apis[i]
			if a.Name == b.Name {
				d.fault("name", "the name %q is taken by %s", b.Name, e.apis[j].file)
			}
			if within(a.Path, b.Path) || within(b.Path, a.Path) {
				d.fault("path", "%q overlaps %q of %s; a path belongs to one API", b.Path, a.Path, e.apis[j].file)
			}
			if a.Audience == b.Audience && a.Audience != "" {
				d.fault("audience", "is also that of %s; a token for one API must not open another", e.apis[j].file)
			}
		}
	}
}

// within ignores case: some backends do, and a path must mean one API to them too.
func within(outer, inner string) bool {
	outer, inner = strings.ToLower(outer), strings.ToLower(inner)
	return inner == outer || strings.HasPrefix(inner, outer+"/")
}

// apiCheck checks one API by itself.
type apiCheck struct {
	*document
	api       *API
	gateway   *Gateway
	templates []Template
	used      map[string]bool
}

func (c *apiCheck) run() {
	c.used = map[string]bool{}
	below := c.checkPath()
	c.checkBackend()
	c.checkAuthenticate()
	c.checkPlaceholders()
	c.unique("scopes", len(c.api.Scopes), func(i int) string { return c.api.Scopes[i].Name }, "name")
	c.unique("roles", len(c.api.Roles), func(i int) string { return c.api.Roles[i].Name }, "name")
	c.unique("operations", len(c.api.Operations), func(i int) string { return c.api.Operations[i].ID }, "id")
	c.checkIssuers()
	c.api.Addresses.check(c.document, c.gateway)
	if c.api.Guests != nil && *c.api.Guests {
		c.fault("guests", "true says nothing; remove the line (guests: false keeps them out)")
	}
	for i := range c.api.Operations {
		c.checkOperation(i, below)
	}
	c.checkLimits()
	c.checkCORS()
	c.checkAssertion()
	c.checkHeaders()
	c.checkQuery("query", c.api.Query)
	c.checkAnswer(c.api.ResponseHeaders, c.gateway)
	c.checkUnused()
}

func (c *apiCheck) checkPath() []Segment {
	segments, why := parsePath(c.api.Path)
	switch {
	case why != "":
		c.fault("path", "%q is not canonical: it %s", c.api.Path, why)
	case len(segments) == 0:
		c.fault("path", "/ is reserved: the Functions host probes it")
	case slices.ContainsFunc(segments, func(s Segment) bool { return s.Name != "" }):
		c.fault("path", "can't hold parameters; put them into an operation's match")
	}
	lower := strings.ToLower(c.api.Path)
	for _, p := range reservedPrefixes() {
		if strings.HasPrefix(lower, p) || len(segments) > 0 && within(lower, p) {
			c.fault("path", "%s* is reserved for the host and the gateway", p)
		}
	}
	for _, f := range FunctionNames() {
		if within("/"+f, lower) {
			c.fault("path", "/%s is reserved: it is a function's name", f)
		}
	}
	return segments
}

// checkPlaceholders makes sure that each ${…} is one that environments can bind.
func (c *apiCheck) checkPlaceholders() {
	c.placeholders("audience", c.api.Audience)
	for at, text := range c.api.Backend.urls() {
		c.placeholders(at, text)
	}
	for i, r := range c.api.Require {
		for j, v := range r.Values {
			c.placeholders(fmt.Sprintf("require.%d.values.%d", i, j), v)
		}
	}
}

func (c *apiCheck) unique(list string, n int, name func(int) string, field string) {
	seen := map[string]bool{}
	for i := range n {
		if s := name(i); s != "" && seen[s] {
			c.fault(list+"."+strconv.Itoa(i)+"."+field, "%q is in %s twice", s, list)
		}
		seen[name(i)] = true
	}
}

func (c *apiCheck) checkIssuers() {
	if c.api.SigningKeys == "application" && !slices.Contains(c.api.Issuers, Entra) {
		c.fault("signingKeys", "is about Entra's tokens, which this API doesn't accept")
	}
	known := []string{Entra}
	for _, is := range c.gateway.Identity.Issuers {
		known = append(known, is.Name)
	}
	for i, name := range c.api.Issuers {
		if !slices.Contains(known, name) {
			c.fault(fmt.Sprintf("issuers.%d", i), "unknown issuer %q%s", name, suggest(name, known))
		}
	}
}

func (c *apiCheck) checkOperation(i int, below []Segment) {
	op, at := &c.api.Operations[i], fmt.Sprintf("operations.%d", i)
	switch {
	case op.Public != nil && !*op.Public:
		c.fault(at+".public", "false says nothing; remove the line and write allow: instead")
	case op.Public != nil && op.Allow != nil:
		c.fault(at+".public", "an operation is public or has allow:, never both")
	case op.Public == nil && op.Allow == nil:
		c.fault(at, "%q lets nobody in: write allow: with scopes, roles or key: alone, or public: true", op.ID)
	case op.Allow != nil:
		c.checkAllow(op.Allow, at+".allow")
	}
	if op.StepUp != "" && (op.Allow == nil || len(op.Allow.Scopes)+len(op.Allow.UserRoles) == 0) {
		c.fault(at+".stepUp", "only a user can step up; the operation lets no users in")
	}
	t, why := parseMatch(op.Match, below)
	if why != "" {
		if op.Match != "" {
			c.fault(at+".match", "%q %s", op.Match, why)
		}
		t = Template{}
	}
	for j, earlier := range c.templates {
		if earlier.Method == "" || t.Method == "" {
			continue
		}
		switch relate(earlier, t) {
		case same:
			c.fault(at+".match", "%q and %q match the same requests (%s)", c.api.Operations[j].ID, op.ID, t)
		case crossing:
			c.fault(at+".match", "%q (%s) and %q (%s) overlap and neither is narrower; make one a literal where the other is", c.api.Operations[j].ID, earlier, op.ID, t)
		}
	}
	c.templates = append(c.templates, t)
	c.checkEncodedSlash(at, op, t)
	c.checkTransport(at, op, t)
}

func (c *apiCheck) checkAllow(a *Allow, at string) {
	scopes, roles := c.api.scopeNames(), c.api.roleNames()
	c.declared(at+".scopes", "scope", a.Scopes, scopes)
	c.declared(at+".roles", "role", a.Roles, roles)
	c.declared(at+".userRoles", "role", a.UserRoles, roles)
	c.checkAllowKey(a, at)
}

func (c *apiCheck) declared(at, what string, used, known []string) {
	for i, name := range used {
		if !slices.Contains(known, name) {
			c.fault(fmt.Sprintf("%s.%d", at, i), "the API declares no %s %q%s", what, name, suggest(name, known))
		}
		c.used[what+name] = true
	}
}

func (c *apiCheck) checkUnused() {
	for i, s := range c.api.Scopes {
		if !c.used["scope"+s.Name] {
			c.warn(fmt.Sprintf("scopes.%d", i), "no operation uses the scope %q", s.Name)
		}
	}
	for i, r := range c.api.Roles {
		if !c.used["role"+r.Name] {
			c.warn(fmt.Sprintf("roles.%d", i), "no operation uses the role %q", r.Name)
		}
	}
}

func operationAt(i int) string { return "operations." + strconv.Itoa(i) }
