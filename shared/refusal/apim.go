package refusal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// This file is all that is known of API Management's refusals: apim.md §2, its
// table row by row. A refusal that the table has no text for keeps its status,
// and says its own detail.

// keyHeader is where API Management looks for a key unless it is told otherwise.
const keyHeader = "Ocp-Apim-Subscription-Key"

// envelope is the status and the message.
func (s Style) envelope(r *Refusal) (status int, message string) {
	switch {
	case r.fault():
		return http.StatusInternalServerError, "Internal server error"
	case r.Kind == NotFound || r.Kind == MethodNotAllowed: // there, an operation is a method and a path
		return http.StatusNotFound, "Resource not found"
	case r.aboutKey():
		return http.StatusUnauthorized, keyText(r)
	case r.aboutToken():
		return http.StatusUnauthorized, s.tokenText(r)
	}
	switch r.Code {
	case "rate_exceeded":
		return http.StatusTooManyRequests, fmt.Sprintf("Rate limit is exceeded. Try again in %d seconds.", r.retrySeconds())
	case "quota_exceeded":
		return http.StatusForbidden, "Out of call volume quota. Quota will be replenished in " + span(r.retrySeconds()) + "."
	case "bandwidth_exceeded":
		return http.StatusForbidden, "Out of bandwidth quota. Quota will be replenished in " + span(r.retrySeconds()) + "."
	case "address_not_allowed":
		return http.StatusForbidden, addressText(r.Facts)
	}
	return r.Kind.Status(), r.Detail
}

// fault: the gateway failed, or the backend gave no answer. There, both are one.
func (r *Refusal) fault() bool {
	return r.Kind == Internal || r.Kind == BadGateway || r.Kind == GatewayTimeout
}

func (r *Refusal) aboutKey() bool {
	return r.Kind == Unauthenticated && strings.HasPrefix(r.Code, "key_")
}

func keyText(r *Refusal) string {
	if r.Code == "key_missing" {
		return "Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."
	}
	return "Access denied due to invalid subscription key. Make sure to provide a valid key for an active subscription."
}

// aboutToken, once it isn't about a key: what validate-jwt and validate-azure-ad-token decide, who may call
// included: there, that is a matter of required claims.
func (r *Refusal) aboutToken() bool {
	switch r.Code {
	case "insufficient_scope", "insufficient_role", "wrong_principal_type", "claim_required", "groups_overage",
		"client_not_allowed", "client_auth_too_weak", "guest_not_allowed", "tenant_not_allowed":
		return true
	case "insufficient_claims", "token_not_exchangeable": // stepUp and onBehalfOf, which nothing there answers to
		return false
	}
	return r.Kind == Unauthenticated
}

func (s Style) tokenText(r *Refusal) string {
	absent := r.Code == "token_missing"
	switch {
	case s.EntraOnly && absent:
		return "Azure AD JWT not present"
	case s.EntraOnly:
		return "Invalid Azure AD JWT"
	case absent:
		return "JWT not present."
	case len(r.Facts.Missing) > 0:
		return "JWT token is missing the following claims: " + strings.Join(r.Facts.Missing, ", ") + " Access denied."
	case r.Facts.Claim != "":
		return "Claim " + r.Facts.Claim + " value of " + r.Facts.Value + " is not allowed. Access denied."
	}
	switch r.Code {
	// The rows on signature, audience, issuer, expiry and key: a library's text, for which ours stands.
	case "bad_signature", "wrong_audience", "issuer_not_trusted", "tenant_not_allowed", "token_expired", "unknown_key":
		return r.Detail + " Access denied."
	}
	return r.Detail // JwtInvalid: the library's text alone
}

func addressText(f Facts) string {
	switch {
	case !f.Address.IsValid():
		return "Failed to establish IP address for the caller. Access denied."
	case f.Blocked:
		return "Caller IP address is blocked. Access denied."
	default:
		return "Caller IP address " + f.Address.String() + " is not allowed. Access denied."
	}
}

// span is hh:mm:ss, and d.hh:mm:ss from a day on, as .NET writes a time span.
func span(seconds int64) string {
	clock := fmt.Sprintf("%02d:%02d:%02d", seconds/3600%24, seconds/60%60, seconds%60)
	if days := seconds / (24 * 3600); days > 0 {
		return fmt.Sprintf("%d.%s", days, clock)
	}
	return clock
}

// keyChallenge: apim.md §2, without a space after the commas.
func keyChallenge(about About) string {
	realm, name := about.Style.Address, about.Style.KeyHeader
	if realm == "" {
		realm = about.Realm
	}
	if name == "" {
		name = keyHeader
	}
	return "AzureApiManagementKey realm=" + quoted(realm) + ",name=" + quoted(name) + `,type="header"`
}

// inEnvelope is the body, with the spaces that API Management writes.
func inEnvelope(status int, message string, about About, r *Refusal) []byte {
	body := fmt.Appendf(nil, `{ "statusCode": %d, "message": %s`, status, inJSON(message))
	if r.fault() {
		body = fmt.Appendf(body, `, "activityId": %s`, inJSON(asGUID(about.Correlation)))
	}
	return append(body, " }"...)
}

// inJSON escapes what JSON asks for, and not what HTML would.
func inJSON(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // a string always encodes
		return []byte(`""`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// asGUID is the id with the hyphens of a GUID, if it is as long as one without.
func asGUID(id string) string {
	if len(id) != 32 {
		return id
	}
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}
