package revocation

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"tollgate/shared/contract"
)

// Kind is whose tokens or keys an entry is about.
type Kind string

// The kinds.
const (
	User         Kind = "user"         // Issuer, Tenant, ID: oid with Entra, which a service principal has too; sub or oid with others
	Client       Kind = "client"       // Issuer, ID: azp, appid or client_id, in whatever tenant
	Token        Kind = "token"        // Issuer, Tenant, ID: uti with Entra, jti or uti with others
	Tenant       Kind = "tenant"       // Issuer, Tenant
	Subscription Kind = "subscription" // ID
	All          Kind = "all"          // every token and every key
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{User, Client, Token, Tenant, Subscription, All} }

// Subject is who is cut off. It is the same for tokens of either version:
// Entra's two issuers of a tenant are one Issuer, and azp and appid are one ID.
type Subject struct {
	Kind   Kind
	Issuer string // as contracts call it: entra, or a name under identity.issuers
	Tenant string // Entra's alone: an oid or a uti is one only within its tenant
	ID     string
}

var (
	guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	name = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	// text is what an identifier may be: anything that can be shown on one line.
	text = regexp.MustCompile(`^[!-~]([ -~]{0,254}[!-~])?$`)
)

// Of makes a subject, or says why there can't be such a one: an entry with a
// slip in it would cut off nobody, without a word.
func Of(kind Kind, issuer, tenant, id string) (Subject, error) {
	s := Subject{kind, issuer, strings.ToLower(tenant), id}
	qualified := kind == User || kind == Client || kind == Token || kind == Tenant
	if !qualified {
		s.Issuer, s.Tenant = "", ""
	}
	if qualified && issuer == "" {
		s.Issuer = contract.Entra
	}
	entra := s.Issuer == contract.Entra
	if entra && (kind == User || kind == Client) {
		s.ID = strings.ToLower(id)
	}
	if kind == Client {
		s.Tenant = ""
	}
	return s, s.check(entra)
}

func (s Subject) check(entra bool) error {
	needsTenant := entra && s.Kind != Client || s.Kind == Tenant
	switch s.Kind {
	case User, Client, Token, Tenant:
		if !name.MatchString(s.Issuer) {
			return fmt.Errorf("%q is no name of an issuer", s.Issuer)
		}
	case Subscription, All:
	default:
		return fmt.Errorf("there is no kind %q of revocation", s.Kind)
	}
	switch {
	case s.Kind == Tenant && !entra:
		return errors.New("only Entra's tokens have a tenant")
	case needsTenant && !guid.MatchString(s.Tenant):
		return fmt.Errorf("the tenant %q is not an id such as 11111111-2222-3333-4444-555555555555", s.Tenant)
	case !needsTenant && s.Tenant != "":
		return fmt.Errorf("tokens of %s have no tenant", s.Issuer)
	case (s.Kind == All || s.Kind == Tenant) && s.ID != "":
		return fmt.Errorf("%s takes no id", s.Kind)
	case s.Kind == All || s.Kind == Tenant:
	case entra && (s.Kind == User || s.Kind == Client) && !guid.MatchString(s.ID):
		return fmt.Errorf("%q is not an id such as 11111111-2222-3333-4444-555555555555", s.ID)
	case !text.MatchString(s.ID):
		return fmt.Errorf("%q can't be an id: it is empty, longer than 256 characters, or holds others than printable ASCII", s.ID)
	}
	return nil
}

// authority is how pipeline.Identity.Authority calls who vouches.
func (s Subject) authority() string { return s.Issuer + "/" + s.Tenant }

// Name is the entry's in the store, and what a person lifts it by. The digest is
// of the parts with their lengths, so no two subjects are written alike.
func (s Subject) Name() string {
	var b strings.Builder
	for _, part := range []string{string(s.Kind), s.Issuer, s.Tenant, s.ID} {
		b.WriteString(strconv.Itoa(len(part)) + ":" + part)
	}
	digest := sha256.Sum256([]byte(b.String()))
	return string(s.Kind) + "-" + base64.RawURLEncoding.EncodeToString(digest[:16])
}

// String is the subject in words.
func (s Subject) String() string {
	switch {
	case s.Kind == All:
		return "everything"
	case s.Kind == Tenant:
		return "tenant " + s.Tenant
	case s.Tenant != "":
		return string(s.Kind) + " " + s.ID + " of tenant " + s.Tenant
	case s.Issuer != "" && s.Issuer != contract.Entra:
		return string(s.Kind) + " " + s.ID + " of issuer " + s.Issuer
	default:
		return string(s.Kind) + " " + s.ID
	}
}

// coversKeys: a key has no end, so what refuses it mustn't have one either
// unless someone says so.
func (s Subject) coversKeys() bool { return s.Kind == All || s.Kind == Subscription }
