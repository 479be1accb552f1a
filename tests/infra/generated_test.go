package infra

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing/fstest"
)

// generated is an estate that nobody wrote: some APIs with some scopes, roles,
// groups and operations, and clients of every kind that use some of them. The same seed gives the same.
func generated(seed uint64) fstest.MapFS {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 9)), files: fstest.MapFS{}, bindings: map[string][]string{}}
	g.gateway()
	for i := range 2 + g.IntN(4) {
		g.api(fmt.Sprintf("api%d", i))
	}
	for i := range 1 + g.IntN(4) {
		g.client(fmt.Sprintf("client%d", i))
	}
	g.environment()
	return g.files
}

type generator struct {
	*rand.Rand
	files    fstest.MapFS
	apis     []offered
	bindings map[string][]string // lines of the environment, by group
}

type offered struct {
	name          string
	scopes, roles []string
}

func (g *generator) write(name, format string, args ...any) {
	g.files[name] = &fstest.MapFile{Data: fmt.Appendf(nil, format, args...)}
}

func (g *generator) bind(group, format string, args ...any) {
	g.bindings[group] = append(g.bindings[group], "  "+fmt.Sprintf(format, args...))
}

// pick takes each name with even chance.
func (g *generator) pick(names []string) (some []string) {
	for _, n := range names {
		if g.IntN(2) == 0 {
			some = append(some, n)
		}
	}
	return some
}

func (g *generator) one(names ...string) string { return names[g.IntN(len(names))] }

func (g *generator) guid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", g.Uint32(), g.Uint32()&0xffff, g.Uint32()&0xfff, g.Uint32()&0xfff, g.Uint64()&0xffffffffffff)
}

func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

// The claims contract may read claims that Entra sends only where the registration asks for them.
func (g *generator) gateway() {
	versions := g.one("[v1]", "[v2]", "[v1, v2]")
	forward := "  X-User-Id: { claim: [oid, sub] }\n"
	for _, claim := range g.pick([]string{"roles", "scp", "ipaddr", "email", "groups", "acct", "tid"}) {
		forward += fmt.Sprintf("  X-Claim-%s: { claim: %s }\n", claim, claim)
	}
	g.write("gateway.yaml", "kind: Gateway\nname: generated\nclaimsContract: 1\nidentity: { tokenVersions: %s }\nforward:\n%s"+
		"authenticationContexts:\n  c1: { name: Sure, require: mfa }\n", versions, forward)
}

func (g *generator) api(name string) {
	o := offered{name: name}
	var b strings.Builder
	for i := range 1 + g.IntN(3) {
		o.scopes = append(o.scopes, fmt.Sprintf("%s.S%d", name, i))
	}
	for i := range 1 + g.IntN(3) {
		o.roles = append(o.roles, fmt.Sprintf("%s.R%d", name, i))
	}
	fmt.Fprintf(&b, "kind: API\nname: %s\nowner: team\npath: /%s\naudience: \"api://${tenant}/%s\"\nbackend: { url: \"${backend.%s}\" }\n", name, name, name, name)
	if g.IntN(3) == 0 {
		b.WriteString("assignment: open\n")
	}
	if g.IntN(3) == 0 {
		b.WriteString("guests: false\n")
	}
	b.WriteString("scopes:\n")
	for _, s := range o.scopes {
		fmt.Fprintf(&b, "  - { name: %s, consent: %s }\n", s, g.one("user", "admin"))
	}
	b.WriteString("roles:\n")
	people := g.IntN(2) == 0 // hold the first role, by a group
	for i, r := range o.roles {
		group := ""
		if i == 0 && people {
			group = ", groups: [" + name + "-people]"
			g.bind("groups", "%s-people: %s", name, g.guid())
		}
		fmt.Fprintf(&b, "  - { name: %s%s }\n", r, group)
	}
	b.WriteString("operations:\n")
	for i := range 1 + g.IntN(4) {
		g.operation(&b, o, i, i == 0 && people)
	}
	g.write(name+".yaml", "%s", b.String())
	g.bind("backend", "%s: https://%s.internal.example", name, name)
	g.bind("clientId", "%s: %s", name, g.guid())
	g.apis = append(g.apis, o)
}

// Each scope and role of the API is asked for by some operation or by none.
func (g *generator) operation(b *strings.Builder, o offered, i int, people bool) {
	allow := []string{"scopes: " + list(append(g.pick(o.scopes), o.scopes[0])[:1]), "roles: " + list(append(g.pick(o.roles), o.roles[0])[:1])}
	if people {
		allow = append(allow, "userRoles: "+list(o.roles[:1]))
	}
	step := ""
	if g.IntN(4) == 0 {
		step = ", stepUp: c1"
	}
	fmt.Fprintf(b, "  - { id: op%d, match: \"GET /op%d\", allow: { %s }%s }\n", i, i, strings.Join(allow, ", "), step)
}

func (g *generator) client(name string) {
	kind := g.one("federated", "federated", "none")
	var uses strings.Builder
	for i, a := range g.apis {
		scopes, roles := g.pick(a.scopes), g.pick(a.roles)
		if i == 0 && len(scopes) == 0 {
			scopes = a.scopes[:1]
		}
		if kind == "none" {
			roles = nil // a public client can't hold a role of its own
		}
		if len(scopes)+len(roles) == 0 {
			continue
		}
		fmt.Fprintf(&uses, "  - { api: %s", a.name)
		if len(scopes) > 0 {
			fmt.Fprintf(&uses, ", scopes: %s", list(scopes))
		}
		if len(scopes) > 0 && g.IntN(2) == 0 {
			uses.WriteString(", preauthorized: true")
		}
		if len(roles) > 0 {
			fmt.Fprintf(&uses, ", roles: %s", list(roles))
		}
		uses.WriteString(" }\n")
	}
	g.write(name+".yaml", "kind: Client\nname: %s\nowner: team\ncredential: { kind: %s }\nuses:\n%s", name, kind, uses.String())
	g.bind("client", "%s: %s", name, g.guid())
	if kind == "federated" {
		g.bind("credentials", "%s: { github: { repository: contoso/%s, environment: prod } }", name, name)
	} else {
		g.bind("redirectURIs", "%s: [https://%s.contoso.example/]", name, name)
	}
}

func (g *generator) environment() {
	var b strings.Builder
	fmt.Fprintf(&b, "kind: Environment\ntenant: %s\npublicURL: https://api.contoso.example\n", g.guid())
	for _, group := range []string{"backend", "clientId", "client", "groups", "credentials", "redirectURIs"} {
		if len(g.bindings[group]) > 0 {
			fmt.Fprintf(&b, "%s:\n%s\n", group, strings.Join(g.bindings[group], "\n"))
		}
	}
	g.write("environments/dev.yaml", "%s", b.String())
}
