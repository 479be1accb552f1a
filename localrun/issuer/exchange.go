package issuer

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

const (
	jwtBearer        = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	assertionType    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	exchangeAudience = "api://AzureADTokenExchange" // the one audience of a federated credential
)

// Prove changes how an API's own registration proves itself at the token
// endpoint: by a secret, by a certificate's key; "" and nil take away.
func (i *Issuer) Prove(api, secret string, certificate *x509.Certificate) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.proofs[api] = proof{secret, certificate}
}

type proof struct {
	secret      string
	certificate *x509.Certificate
}

// Complaint is a refusal of the token endpoint that a test asks for.
type Complaint struct {
	Status         int // 0 = 400
	Word, Suberror string
	Number         int
	Claims         string // what the user must present
}

// Complain answers each request for a token so, until it is called with nil.
func (i *Issuer) Complain(c *Complaint) { i.complain.Store(c) }

// obstructed answers in place of the token endpoint if a fault was asked for;
// expired tells that the answer must be a token that has expired.
func (i *Issuer) obstructed(w http.ResponseWriter, r *http.Request) (over, expired bool) {
	if c := i.complain.Load(); c != nil {
		refuse := complaint{status: c.Status, word: c.Word, number: c.Number, text: "This refusal was asked for.", more: map[string]any{}}
		if refuse.status == 0 {
			refuse.status = http.StatusBadRequest
		}
		if c.Suberror != "" {
			refuse.more["suberror"] = c.Suberror
		}
		if c.Claims != "" {
			refuse.more["claims"] = c.Claims
		}
		refuse.write(w, i.now())
		return true, false
	}
	return i.Tokens.Meet(w, r)
}

// exchanging tells the requests that programs make which hold no secret, or act for a user.
func exchanging(form url.Values) bool {
	return form.Get("grant_type") == jwtBearer || form.Has("client_assertion")
}

// exchange answers client credentials by an assertion (RFC 7523 §2.2), and on-behalf-of.
func (i *Issuer) exchange(form url.Values, tenant string) (Token, string, *complaint) {
	id, api, refused := i.prove(form, tenant)
	if refused != nil {
		return Token{}, "", refused
	}
	resource, scopes, refused := i.foreign(form.Get("scope"))
	if refused != nil {
		return Token{}, "", refused
	}
	t := Token{API: i.apis[0].Name, Client: id, Undeclared: true, Claims: map[string]any{"aud": resource}}
	if form.Get("grant_type") != jwtBearer {
		return t, resource, nil
	}
	user, refused := i.actsFor(form, tenant, api)
	if refused != nil {
		return Token{}, "", refused
	}
	t.User, t.Scopes = user, scopes
	return t, resource, nil
}

// foreign finds a resource outside the estate: a backend's registration.
func (i *Issuer) foreign(scope string) (resource string, scopes []string, refused *complaint) {
	for _, known := range i.resources {
		var short []string
		for asked := range strings.FieldsSeq(scope) {
			rest, ok := strings.CutPrefix(asked, known+"/")
			if !ok {
				short = nil
				break
			}
			short = append(short, rest)
		}
		if len(short) > 0 {
			return known, short, nil
		}
	}
	return "", nil, &complaint{status: http.StatusBadRequest, word: "invalid_scope", number: 500011,
		text: fmt.Sprintf("No resource fits the scope %q; known: %s.", scope, list(i.resources))}
}

// prove finds who asks, and holds it to its proof. api is nil for a client that is no API.
func (i *Issuer) prove(form url.Values, tenant string) (id string, api *API, refused *complaint) {
	id = form.Get("client_id")
	i.mu.Lock()
	defer i.mu.Unlock()
	at := slices.IndexFunc(i.apis, func(a API) bool { return strings.EqualFold(a.ClientID, id) })
	var trusts []string
	if at >= 0 {
		api = new(API)
		*api = i.apis[at]
		if p, changed := i.proofs[api.Name]; changed {
			api.Secret, api.Certificate = p.secret, p.certificate
		}
		trusts = api.Trusts
	} else if c, known := i.client(id); known {
		trusts = c.Trusts
	}
	no := &complaint{status: http.StatusUnauthorized, word: "invalid_client", number: 7000215, text: "The client's proof is missing or wrong."}
	assertion := form.Get("client_assertion")
	switch {
	case assertion == "" && api != nil && api.Secret != "" && subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(api.Secret)) == 1:
		return id, api, nil
	case assertion == "" || form.Get("client_assertion_type") != assertionType || form.Has("client_secret"):
		return "", nil, no
	case api != nil && api.Certificate != nil && i.signedBy(assertion, api.Certificate, id):
		return id, api, nil
	}
	claims, ok := i.own(assertion, tenant)
	by, _ := claims["azp"].(string)
	if v1, is := claims["appid"].(string); is {
		by = v1
	}
	if !ok || claims["aud"] != exchangeAudience || !slices.Contains(trusts, by) {
		no.number, no.text = 700213, "No matching federated identity record found for the presented assertion."
		return "", nil, no
	}
	return id, api, nil
}

// signedBy holds a client's own assertion to its certificate (Entra's certificate credentials).
func (i *Issuer) signedBy(assertion string, c *x509.Certificate, id string) bool {
	jws, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.PS256, jose.RS256})
	if err != nil {
		return false
	}
	print := sha256.Sum256(c.Raw)
	named, _ := jws.Signatures[0].Protected.ExtraHeaders["x5t#S256"].(string)
	payload, err := jws.Verify(c.PublicKey)
	var claims struct {
		Iss, Sub, Aud, Jti string
		Exp                int64
	}
	return err == nil && named == base64.RawURLEncoding.EncodeToString(print[:]) && json.Unmarshal(payload, &claims) == nil &&
		claims.Iss == id && claims.Sub == id && claims.Jti != "" && strings.HasSuffix(claims.Aud, "/oauth2/v2.0/token") && i.now().Unix() < claims.Exp
}

// own reads a token of the tenant's that hasn't expired.
func (i *Issuer) own(raw, tenant string) (map[string]any, bool) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, false
	}
	key, err := i.keys[tenant].named(jws.Signatures[0].Protected.KeyID)
	if err != nil {
		return nil, false
	}
	payload, err := jws.Verify(key.private.Public())
	var claims map[string]any
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return nil, false
	}
	exp, _ := claims["exp"].(float64)
	return claims, i.now().Before(time.Unix(int64(exp), 0))
}

// actsFor is the user of the assertion: a delegated token that was issued for the API that asks.
func (i *Issuer) actsFor(form url.Values, tenant string, api *API) (user string, refused *complaint) {
	no := &complaint{status: http.StatusBadRequest, word: "invalid_grant", number: 50013, text: "The assertion can't be exchanged."}
	claims, ok := i.own(form.Get("assertion"), tenant)
	user, _ = claims["oid"].(string)
	_, delegated := claims["scp"]
	switch {
	case api == nil || form.Get("requested_token_use") != "on_behalf_of":
		return "", incomplete(`The parameter "requested_token_use" must be on_behalf_of, and the client an API.`)
	case !ok || claims["aud"] != api.ClientID && claims["aud"] != api.AppIDURI, !delegated || user == "":
		return "", no
	}
	return user, nil
}
