package revocation

import (
	"strconv"
	"strings"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

// List is every entry, to be asked by a request. It doesn't change.
type List struct {
	all           *Entry
	tenants       map[string]*Entry // by authority
	users, tokens map[pair]*Entry   // by authority and id
	clients       map[pair]*Entry   // by the issuer's name and id
	subscriptions map[string]*Entry
	many          int
}

type pair struct{ whose, id string }

// NewList is of those entries. There is at most one of each subject.
func NewList(of []Entry) *List {
	l := &List{
		tenants: map[string]*Entry{}, users: map[pair]*Entry{}, tokens: map[pair]*Entry{},
		clients: map[pair]*Entry{}, subscriptions: map[string]*Entry{}, many: len(of),
	}
	for i := range of {
		e := &of[i]
		switch e.Kind {
		case All:
			l.all = e
		case Tenant:
			l.tenants[e.authority()] = e
		case User:
			l.users[pair{e.authority(), e.ID}] = e
		case Token:
			l.tokens[pair{e.authority(), e.ID}] = e
		case Client:
			l.clients[pair{e.Issuer, e.ID}] = e
		case Subscription:
			l.subscriptions[e.ID] = e
		}
	}
	return l
}

// Empty tells that nobody is cut off.
func (l *List) Empty() bool { return l.many == 0 }

// ofToken is the entry that asks for the newest token among those that are about
// this one; nil if none is.
func (l *List) ofToken(id *pipeline.Identity) *Entry {
	latest := l.all
	if len(l.tenants) > 0 {
		latest = later(latest, l.tenants[id.Authority])
	}
	issuer, _, _ := strings.Cut(id.Authority, "/")
	entra := issuer == contract.Entra
	if len(l.users) > 0 {
		latest = later(latest, l.users[pair{id.Authority, claim(id.Claims, userClaim(entra), entra)}])
	}
	if len(l.clients) > 0 {
		// Whichever of them names it: a token that says two things is not better than one that says the worse.
		for _, name := range [...]string{"azp", "appid", "client_id"} {
			if client := claim(id.Claims, name, entra); client != "" {
				latest = later(latest, l.clients[pair{issuer, client}])
			}
		}
	}
	if len(l.tokens) > 0 {
		name := "jti"
		if entra {
			name = "uti"
		}
		latest = later(latest, l.tokens[pair{id.Authority, claim(id.Claims, name, false)}])
	}
	return latest
}

// ofKey is the same for a subscription's key.
func (l *List) ofKey(s *pipeline.Subscription) *Entry { return later(l.all, l.subscriptions[s.ID]) }

// userClaim: entra-oauth.md §1: sub is another one for each client there.
func userClaim(entra bool) string {
	if entra {
		return "oid"
	}
	return "sub"
}

// claim is the claim as entries write it: Entra's GUIDs in lower case. An entry
// never has the id "".
func claim(c pipeline.Claims, name string, lower bool) string {
	s, _ := c[name].(string)
	if lower {
		return strings.ToLower(s) // which it is already, so nothing is copied
	}
	return s
}

func later(a, b *Entry) *Entry {
	if a == nil || b != nil && b.NotBefore.After(a.NotBefore) {
		return b
	}
	return a
}

// issuedBy tells whether the token is as old as the entry or older. One that
// doesn't say since when it is, is.
func (e *Entry) issuedBy(c pipeline.Claims) bool {
	iat, _ := c["iat"].(pipeline.Number)
	seconds, err := strconv.ParseInt(string(iat), 10, 64)
	return err != nil || seconds <= e.NotBefore.Unix()
}

// madeBy tells the same of a key.
func (e *Entry) madeBy(created time.Time) bool { return created.Unix() <= e.NotBefore.Unix() }
