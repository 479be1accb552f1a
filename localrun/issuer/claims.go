package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// grant is a token request with every default filled in: who asks, for whom, and for how long.
type grant struct {
	tenant   string
	client   string
	acr      string // azpacr or appidacr: how the client proved itself
	user     string // "" for an application's token
	roles    []string
	scopes   []string
	from, to time.Time
}

func (i *Issuer) grant(t Token, tenant string) grant {
	g := grant{tenant: tenant, client: t.Client, user: t.User, roles: t.Roles, scopes: t.Scopes}
	if g.client == "" {
		g.client = defaultClient
		if len(i.clients) > 0 {
			g.client = i.clients[0].ID
		}
	}
	if t.delegated() && g.user == "" {
		g.user = defaultUser
	}
	g.acr = i.proof(g.client, t.delegated())
	g.from = i.now()
	g.to = g.from.Add(t.lifetime())
	if t.Lifetime < 0 {
		// An expired token was valid once: only exp is wrong with it, not the order of its times.
		g.from = g.to.Add(-defaultLifetime)
	}
	return g
}

// proof is "0" for a public client, "1" for a secret, "2" for a certificate or a federated credential.
func (i *Issuer) proof(id string, delegated bool) string {
	client, registered := i.client(id)
	switch {
	case registered && client.Secret != "":
		return "1"
	case delegated:
		return "0"
	case registered:
		return "2"
	}
	return "1"
}

// claims lays the grant out as the version does. The words come from
// Microsoft's access-token claims reference.
func (g grant) claims(v version, iss string, api API) map[string]any {
	claims := map[string]any{
		"iss": iss,
		"iat": g.from.Unix(),
		"nbf": g.from.Unix(),
		"exp": g.to.Unix(),
		"tid": g.tenant,
		"uti": opaque(16), // names this token, as jti does elsewhere
		"rh":  "1." + opaque(24) + ".",
		"aio": opaque(40),
	}
	if v == v1 {
		claims["ver"], claims["aud"] = "1.0", api.AppIDURI
		claims["appid"], claims["appidacr"] = g.client, g.acr
		if api.AppIDURI == "" {
			claims["aud"] = api.ClientID
		}
	} else {
		claims["ver"], claims["aud"] = "2.0", api.ClientID
		claims["azp"], claims["azpacr"] = g.client, g.acr
	}
	if len(g.roles) > 0 {
		claims["roles"] = g.roles
	}
	g.principal(claims, v)
	return claims
}

// principal says whom the token is about: a service principal or a user.
func (g grant) principal(claims map[string]any, v version) {
	if g.user == "" {
		id := guidOf("service principal", g.tenant, g.client)
		claims["idtyp"] = "app" // by default only applications' tokens have it
		claims["oid"], claims["sub"] = id, id
		return
	}
	claims["oid"] = g.user
	claims["sub"] = pairwise(g.tenant, g.user, g.client)
	claims["name"] = "User " + g.user
	if len(g.scopes) > 0 {
		claims["scp"] = strings.Join(g.scopes, " ") // one string, where roles is a list
	}
	mail := g.user + "@contoso.example"
	if v == v1 {
		claims["unique_name"], claims["upn"] = mail, mail
	} else {
		claims["preferred_username"] = mail
	}
}

// opaque is random text of n bytes, for members that say nothing to a resource.
func opaque(n int) string { return base64.RawURLEncoding.EncodeToString(randomBytes(n)) }

// pairwise is a user's sub: stable for one client, different for the next.
func pairwise(tenant, user, client string) string {
	sum := digest("pairwise", tenant, user, client)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// guidOf derives a stable GUID, so that a caller keeps its object id from one run to the next.
func guidOf(parts ...string) string {
	sum := digest(parts...)
	sum[6] = sum[6]&0x0f | 0x80 // RFC 9562 §5.8: version 8, of our own making
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func digest(parts ...string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join(parts, "\x00")))
}
