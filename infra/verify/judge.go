package verify

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// verdict is what an answer comes to. Everything in this file is pure.
type verdict struct {
	Outcome
	why string
}

func pass(format string, args ...any) verdict { return verdict{Passed, fmt.Sprintf(format, args...)} }
func fail(format string, args ...any) verdict { return verdict{Failed, fmt.Sprintf(format, args...)} }
func open(format string, args ...any) verdict {
	return verdict{NotShown, fmt.Sprintf(format, args...)}
}

// codeOf is the stable reason in an answer: the gateway's, Table Storage's or Key Vault's.
func codeOf(a *answer) string {
	if code := a.header.Get("X-Ms-Error-Code"); code != "" {
		return short(code)
	}
	var doc struct {
		Code  string
		OData struct{ Code string } `json:"odata.error"`
		Error json.RawMessage
	}
	if json.Unmarshal(a.body, &doc) == nil {
		for _, code := range []string{doc.Code, doc.OData.Code, vaultCode(doc.Error)} {
			if code != "" {
				return short(code)
			}
		}
	}
	var old struct {
		Code string `xml:"Code"`
		Low  string `xml:"code"`
	}
	if xml.Unmarshal(a.body, &old) == nil {
		return short(old.Code + old.Low)
	}
	return ""
}

// vaultCode is the inner code, which tells more: {"code":"Forbidden","innererror":{"code":"ForbiddenByFirewall"}}.
func vaultCode(raw json.RawMessage) string {
	var e struct {
		Code       string
		InnerError struct{ Code string }
	}
	if json.Unmarshal(raw, &e) != nil {
		return ""
	}
	if e.InnerError.Code != "" {
		return e.InnerError.Code
	}
	return e.Code
}

// gatewayRefused tells the gateway's own refusals, in either of its styles, from
// whatever a backend says with the same status.
func gatewayRefused(a *answer) bool {
	if a.header.Get("X-Correlation-Id") == "" || a.header.Get("Cache-Control") != "no-store" {
		return false
	}
	var doc struct {
		Code          string
		CorrelationID string `json:"correlationId"`
		StatusCode    int
	}
	if json.Unmarshal(a.body, &doc) != nil {
		return false
	}
	return doc.Code != "" && doc.CorrelationID == a.header.Get("X-Correlation-Id") || doc.StatusCode == a.Status
}

// platformRefused is App Service's answer where public access is off or the address isn't allowed:
// "403 Ip Forbidden", with the address in x-ms-forbidden-ip.
func platformRefused(a *answer) bool {
	return a.Status == http.StatusForbidden && (a.header.Get("X-Ms-Forbidden-Ip") != "" || strings.EqualFold(a.reason, "Ip Forbidden"))
}

// refusedAddress tells a refusal of whoever calls from here, which says nothing of what was asked.
func refusedAddress(a *answer) bool {
	return platformRefused(a) || gatewayRefused(a) && a.Code == "address_not_allowed"
}

// understood tells that the gateway looked at the call's token, and took it: what is refused before
// that (an address, a path) or elsewhere shows nothing of the token.
func understood(a *answer) bool {
	switch {
	case a.err != nil || a.header.Get("X-Correlation-Id") == "" || refusedAddress(a):
		return false
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusTooManyRequests, a.Status == http.StatusServiceUnavailable:
		return false
	case gatewayRefused(a):
		return a.Status == http.StatusForbidden || a.Status >= 500
	default:
		return true
	}
}

// refusedToken judges what a call must get that has no good token.
func refusedToken(a *answer) verdict {
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case strings.HasPrefix(a.Code, "key_") && gatewayRefused(a) && a.Status == http.StatusUnauthorized:
		return open("the API asks for a subscription key before it looks at the token")
	case a.Status == http.StatusUnauthorized && gatewayRefused(a):
		return pass("refused with 401 %s", a.Code)
	default:
		return elsewhere(a)
	}
}

// notPublic judges a call without token and key: whichever of them is asked for.
func notPublic(a *answer) verdict {
	if a.err == nil && a.Status == http.StatusUnauthorized && gatewayRefused(a) {
		return pass("refused with 401 %s", a.Code)
	}
	return elsewhere(a)
}

// elsewhere is any answer but 401 of the gateway.
func elsewhere(a *answer) verdict {
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case gatewayRefused(a) && a.Code == "address_not_allowed":
		return open("the gateway refuses calls from this address before it looks at the token")
	case a.Status == http.StatusTooManyRequests:
		return open("429: the gateway slows this address down; try again in a minute")
	case a.Status == http.StatusServiceUnavailable:
		return open("503 %s: what the gateway needs can't be asked right now", a.Code)
	case platformRefused(a):
		return open("the platform refuses calls from this address, so that the gateway is not reached")
	case gatewayRefused(a) && a.Status == http.StatusForbidden:
		return fail("got 403 %s: the gateway took the caller for somebody known", a.Code)
	case a.Status == http.StatusUnauthorized:
		return fail("got 401, but not the gateway's: the call reached whoever answered it")
	default:
		return fail("got %d %s, want 401 of the gateway", a.Status, a.Code)
	}
}

// shutStore judges Table Storage's answer; sure is false where a token would tell more.
// Network rules answer 403 AuthorizationFailure, whoever asks; a missing permission
// is AuthorizationPermissionMismatch; no credential at all 401 or 404.
func shutStore(a *answer, signedIn bool) (v verdict, sure bool) {
	switch {
	case a.err != nil:
		return open("there was no answer, where Azure always gives one: %s", a.Said), true
	case a.Status == http.StatusForbidden && a.Code == "AuthorizationFailure":
		return pass("the network rules refused: 403 AuthorizationFailure"), true
	case a.Status < 300:
		return fail("got %d: it answers from outside", a.Status), true
	case !signedIn:
		return open("%d %s to a call without a credential doesn't tell whether the network or the credential was refused", a.Status, a.Code), false
	case a.Status == http.StatusUnauthorized || a.Code == "AuthenticationFailed" || a.Code == "InvalidAuthenticationInfo":
		return open("the token was not taken (%d %s), so the network's answer isn't known", a.Status, a.Code), true
	case a.Status == http.StatusForbidden:
		return fail("got 403 %s: the network let the call in, as far as the permissions", a.Code), true
	default:
		return open("%d %s is no answer of network rules", a.Status, a.Code), true
	}
}

// shutVault judges Key Vault's answer. It knows the caller before it looks at the network,
// for trusted services may pass: without a token it says 401 either way.
func shutVault(a *answer, signedIn bool) (v verdict, sure bool) {
	switch {
	case a.err != nil:
		return open("there was no answer, where Azure always gives one: %s", a.Said), true
	case a.Status == http.StatusForbidden && (a.Code == "ForbiddenByFirewall" || a.Code == "ForbiddenByConnection"):
		return pass("the network rules refused: 403 %s", a.Code), true
	case a.Status < 300:
		return fail("got %d: it answers from outside", a.Status), true
	case !signedIn:
		return open("%d %s to a call without a token is the same whether the network is open or shut", a.Status, a.Code), false
	case a.Status == http.StatusForbidden:
		return fail("got 403 %s: the network let the call in, as far as the permissions", a.Code), true
	default:
		return open("the token was not taken (%d %s), so the network's answer isn't known", a.Status, a.Code), true
	}
}

// shutBackend judges an answer at a backend's public name.
func shutBackend(a *answer) verdict {
	if platformRefused(a) {
		return pass("the platform refuses: 403, public access is off")
	}
	return fail("got %d: it answers from outside", a.Status)
}

// closed judges an answer at a reserved path.
func closed(a *answer) verdict {
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case a.Status < 400:
		return fail("got %d: something answers there", a.Status)
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests:
		return open("%d %s doesn't tell what is there", a.Status, a.Code)
	case refusedAddress(a):
		return open("calls from this address are refused, whatever the path")
	case gatewayRefused(a):
		return pass("refused by the gateway with %d %s", a.Status, a.Code)
	case len(a.body) == 0:
		return pass("refused by the platform with %d", a.Status)
	default:
		return fail("got %d with a text that is not the gateway's: something answers there", a.Status)
	}
}

// plainHTTP judges what port 80 says.
func plainHTTP(a *answer) verdict {
	location := a.header.Get("Location")
	switch {
	case a.header.Get("X-Correlation-Id") != "":
		return fail("got %d from the gateway over plain http", a.Status)
	case a.Status >= 300 && a.Status < 400 && strings.HasPrefix(strings.ToLower(location), "https://"):
		return pass("%d to https", a.Status)
	case a.Status < 400:
		return fail("got %d over plain http", a.Status)
	case platformRefused(a):
		return open("the platform refuses calls from this address, whatever they are")
	case a.Status < 500:
		return pass("refused with %d", a.Status)
	default:
		return open("%d doesn't tell whether plain http is served", a.Status)
	}
}

// noRoute judges an answer at a path, or to a method, that no contract has.
func noRoute(a *answer, want ...int) verdict {
	for _, status := range want {
		if a.err == nil && a.Status == status && gatewayRefused(a) {
			return pass("refused with %d %s", a.Status, a.Code)
		}
	}
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests || gatewayRefused(a) && a.Code == "address_not_allowed":
		return open("%d %s doesn't tell", a.Status, a.Code)
	default:
		return fail("got %d %s, want %d of the gateway", a.Status, a.Code, want[0])
	}
}

// otherOrigin judges the answer to a preflight of an origin that no contract lists.
func otherOrigin(a *answer) verdict {
	allow := a.header.Get("Access-Control-Allow-Origin")
	switch {
	case a.err != nil:
		return open("there was no answer: %s", a.Said)
	case allow != "":
		return fail("got %d with Access-Control-Allow-Origin: %s", a.Status, short(allow))
	case a.Status >= 500 || a.Status == http.StatusTooManyRequests || refusedAddress(a) || a.header.Get("X-Correlation-Id") == "":
		return open("%d %s doesn't tell", a.Status, a.Code)
	default:
		return pass("%d without Access-Control-Allow-Origin", a.Status)
	}
}
