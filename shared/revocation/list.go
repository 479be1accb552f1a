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
	authorities   map[string]*authority
	clients       map[string]map[string]*Entry // by the issuer's name, and the id
	subscriptions map[string]*Entry
	many          int
}

// authority is what is revoked of those that one tenant, or another issuer, vouches for.
type authority struct {
	tenant        *Entry
	users, tokens map[string]*Entry
}

// NewList is of those entries. There is at most one of each subject.
func NewList(of []Entry) *List {
	l := &List{
		authorities: map[string]*authority{}, clients: map[string]map[string]*Entry{},
		subscriptions: map[string]*Entry{}, many: len(of),
	}
	for i := range of {
		e := &of[i]
		switch e.Kind {
		case All:
			l.all = e
		case Tenant:
			l.authority(e).tenant = e
		case User:
			l.authority(e).users[e.ID] = e
		case Token:
			l.authority(e).tokens[e.ID] = e
		case Client:
			if l.clients[e.Issuer] == nil {
				l.clients[e.Issuer] = map[string]*Entry{}
			}
			l.clients[e.Issuer][e.ID] = e
		case Subscription:
			l.subscriptions[e.ID] = e
		}
	}
	return l
}

func (l *List) authority(e *Entry) *authority {
	a := l.authorities[e.authority()]
	if a == nil {
		a = &authority{users: map[string]*Entry{}, tokens: map[string]*Entry{}}
		l.authorities[e.authority()] = a
	}
	return a
}

// Empty tells that nobody is cut off.
func (l *List) Empty() bool { return l.many == 0 }

// names are the claims by which a token says whose it is. Whichever of them
// names an entry counts: a token that says two things is not better than one
// that says the worse.
type names struct{ user, token, client [3]string } // "" for none

// namesOf: entra-oauth.md §1: with Entra, sub is another one for each client,
// and so is no user's name. Others may be Entra in all but name (External ID).
func namesOf(entra bool) names {
	if entra {
		return names{[3]string{"oid"}, [3]string{"uti"}, [3]string{"azp", "appid"}}
	}
	return names{[3]string{"sub", "oid"}, [3]string{"jti", "uti"}, [3]string{"client_id", "azp", "appid"}}
}

// ofToken is the entry that asks for the newest token among those that are about
// this one; nil if none is.
func (l *List) ofToken(id *pipeline.Identity) *Entry {
	latest, entra := l.all, ofEntra(id)
	names := namesOf(entra)
	if a := l.authorities[id.Authority]; a != nil {
		latest = later(latest, a.tenant)
		latest = later(latest, named(a.users, id.Claims, names.user, entra))
		latest = later(latest, named(a.tokens, id.Claims, names.token, false))
	}
	if len(l.clients) > 0 {
		issuer, _, _ := strings.Cut(id.Authority, "/")
		latest = later(latest, named(l.clients[issuer], id.Claims, names.client, entra))
	}
	return latest
}

func ofEntra(id *pipeline.Identity) bool { return strings.HasPrefix(id.Authority, contract.Entra+"/") }

// named is the latest entry that one of the claims names.
func named(entries map[string]*Entry, c pipeline.Claims, names [3]string, guids bool) (latest *Entry) {
	if len(entries) == 0 {
		return nil
	}
	for _, name := range names {
		if name == "" {
			break
		}
		if s, _ := c[name].(string); s != "" {
			if guids {
				s = lower(s)
			}
			latest = later(latest, entries[s])
		}
	}
	return latest
}

// lower is strings.ToLower, for text that is in lower case already nearly always.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}

// ofKey is the same for a subscription's key.
func (l *List) ofKey(s *pipeline.Subscription) *Entry { return later(l.all, l.subscriptions[s.ID]) }

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
