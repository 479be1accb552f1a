package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	contextID = regexp.MustCompile(`^c[1-9][0-9]?$`)
	guid      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// shape is what a property may be: "text", "bool", "number", an enumeration
// (a list of texts), "texts", or the properties of an object.
type shape map[string]any

func contextShape() shape {
	return shape{"displayName": "text", "description": "text", "isAvailable": "bool"}
}

func lifetimeShape() shape {
	return shape{"displayName": "text", "description": "text", "definition": "texts", "isOrganizationDefault": "bool"}
}

func policyShape() shape {
	return shape{
		"displayName": "text",
		"state":       []string{"enabled", "disabled", "enabledForReportingButNotEnforced"},
		"conditions": shape{
			"clientAppTypes": "texts", "signInRiskLevels": "texts", "userRiskLevels": "texts",
			"applications": shape{"includeApplications": "texts", "excludeApplications": "texts", "includeUserActions": "texts", "includeAuthenticationContextClassReferences": "texts"},
			"users":        shape{"includeUsers": "texts", "excludeUsers": "texts", "includeGroups": "texts", "excludeGroups": "texts", "includeRoles": "texts", "excludeRoles": "texts"},
			"locations":    shape{"includeLocations": "texts", "excludeLocations": "texts"},
			"platforms":    shape{"includePlatforms": "texts", "excludePlatforms": "texts"},
		},
		"grantControls": shape{
			"operator": []string{"AND", "OR"}, "builtInControls": "texts", "customAuthenticationFactors": "texts", "termsOfUse": "texts",
			"authenticationStrength": shape{"id": "text"},
		},
		"sessionControls": shape{"signInFrequency": shape{
			"isEnabled": "bool", "type": []string{"days", "hours"}, "value": "number",
			"frequencyInterval": []string{"timeBased", "everyTime"}, "authenticationType": []string{"primaryAndSecondaryAuthentication", "secondaryAuthentication"},
		}},
	}
}

// check refuses properties that the type doesn't have, and values that they can't have.
func check(s shape, body object, at string) *refusal {
	if body == nil {
		return refuse(http.StatusBadRequest, "BadRequest", "Empty payload.")
	}
	for name, v := range body {
		want, known := s[name]
		where := at + "." + name
		if !known {
			return refuse(http.StatusBadRequest, "BadRequest", "The property %q does not exist on type %q.", name, at)
		}
		if no := checkValue(want, v, where); no != nil {
			return no
		}
	}
	return nil
}

func checkValue(want, v any, where string) *refusal {
	ok := v == nil
	switch want := want.(type) {
	case shape:
		if o, is := v.(object); is {
			return check(want, o, where)
		}
	case []string:
		ok = ok || slices.Contains(want, text(v))
	case string:
		switch v := v.(type) {
		case string:
			ok = want == "text"
		case bool:
			ok = want == "bool"
		case float64:
			ok = want == "number" && v == float64(int(v))
		case []any:
			ok = want == "texts" && !slices.ContainsFunc(v, func(e any) bool { return text(e) == "" })
		}
	}
	if !ok {
		return refuse(http.StatusBadRequest, "BadRequest", "Invalid value for %q.", where)
	}
	return nil
}

func text(v any) string { s, _ := v.(string); return s }

// merge is PATCH: members that are named change, those of objects too; null takes a value away.
func merge(into, from object) {
	for name, v := range from {
		o, isObject := v.(object)
		present, there := into[name].(object)
		if isObject && there {
			merge(present, o)
			continue
		}
		into[name] = v
	}
}

func clone(o object) object {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err) // it came from JSON
	}
	var out object
	if err := json.Unmarshal(data, &out); err != nil {
		panic(err)
	}
	return out
}

// wholePolicy is one with all that Graph tells of a policy that says nothing.
func wholePolicy(id string) object {
	return object{
		"id": id, "templateId": nil, "displayName": nil, "createdDateTime": "2026-11-26T12:00:00Z", "modifiedDateTime": nil, "state": nil, "sessionControls": nil,
		"conditions": object{
			"clientAppTypes": []any{}, "signInRiskLevels": []any{}, "userRiskLevels": []any{}, "servicePrincipalRiskLevels": []any{}, "platforms": nil, "locations": nil, "devices": nil,
			"applications": object{"includeApplications": []any{}, "excludeApplications": []any{}, "includeUserActions": []any{}, "includeAuthenticationContextClassReferences": []any{}, "applicationFilter": nil},
			"users":        object{"includeUsers": []any{}, "excludeUsers": []any{}, "includeGroups": []any{}, "excludeGroups": []any{}, "includeRoles": []any{}, "excludeRoles": []any{}},
		},
		"grantControls": nil,
	}
}

// changePolicy merges a body into a policy, and checks what comes of it.
func (s *Server) changePolicy(policy, body object, whole bool) *refusal {
	if no := check(policyShape(), body, "conditionalAccessPolicy"); no != nil {
		return no
	}
	merge(policy, clone(body))
	bad := func(format string, args ...any) *refusal {
		return refuse(http.StatusBadRequest, "BadRequest", "1037: "+format, args...)
	}
	grant, _ := policy["grantControls"].(object)
	session, _ := policy["sessionControls"].(object)
	conditions := policy["conditions"].(object)
	for _, id := range list(conditions, "applications", "includeAuthenticationContextClassReferences") {
		if s.contexts[id] == nil {
			return bad("The authentication context %q does not exist.", id)
		}
	}
	for _, id := range list(conditions, "users", "excludeGroups") {
		if !guid.MatchString(id) {
			return bad("%q is not a group.", id)
		}
	}
	switch {
	case whole && (text(policy["displayName"]) == "" || text(policy["state"]) == "" || len(list(object{"c": conditions}, "c", "clientAppTypes")) == 0):
		return bad("Required property is missing.")
	case grant == nil && session == nil:
		return bad("A policy needs a control.")
	case len(list(conditions, "users", "includeUsers"))+len(list(conditions, "users", "includeGroups")) == 0:
		return bad("A policy needs users.")
	}
	return enrich(grant, bad)
}

// enrich checks the grant controls, and adds what Graph tells of an authentication strength.
func enrich(grant object, bad func(string, ...any) *refusal) *refusal {
	if grant == nil {
		return nil
	}
	for _, name := range []string{"builtInControls", "customAuthenticationFactors", "termsOfUse"} {
		if grant[name] == nil {
			grant[name] = []any{}
		}
	}
	strength, _ := grant["authenticationStrength"].(object)
	controls := list(object{"g": grant}, "g", "builtInControls")
	switch {
	case strength == nil && len(controls) == 0:
		return bad("Grant controls need a control.")
	case strength != nil && slices.Contains(controls, "mfa"):
		return bad("mfa and an authentication strength exclude each other.")
	case strength != nil && !slices.Contains([]string{"00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-000000000004"}, text(strength["id"])):
		return bad("The authentication strength does not exist.")
	case strength != nil:
		strength["displayName"], strength["policyType"], strength["allowedCombinations"] = "Built in", "builtIn", []any{"fido2"}
		grant["authenticationStrength@odata.context"] = "https://graph.invalid/v1.0/$metadata#x"
	}
	return nil
}

func list(o object, in, name string) (out []string) {
	inner, _ := o[in].(object)
	values, _ := inner[name].([]any)
	for _, v := range values {
		out = append(out, text(v))
	}
	return out
}

// changeLifetime merges a body into a lifetime policy, and checks what comes of it.
func changeLifetime(policy, body object) *refusal {
	if no := check(lifetimeShape(), body, "tokenLifetimePolicy"); no != nil {
		return no
	}
	merge(policy, clone(body))
	definition, _ := policy["definition"].([]any)
	if text(policy["displayName"]) == "" || len(definition) != 1 {
		return refuse(http.StatusBadRequest, "Request_BadRequest", "displayName and one definition are required.")
	}
	var d struct {
		TokenLifetimePolicy struct {
			Version             int
			AccessTokenLifetime string
		}
	}
	decoder := json.NewDecoder(strings.NewReader(text(definition[0])))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil || d.TokenLifetimePolicy.Version != 1 {
		return refuse(http.StatusBadRequest, "Request_BadRequest", "The definition is malformed.")
	}
	var h, m, sec int
	if _, err := fmt.Sscanf(d.TokenLifetimePolicy.AccessTokenLifetime, "%d:%d:%d", &h, &m, &sec); err != nil {
		return refuse(http.StatusBadRequest, "Request_BadRequest", "AccessTokenLifetime is malformed.")
	}
	life := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
	if life < 10*time.Minute || life >= 24*time.Hour {
		return refuse(http.StatusBadRequest, "Request_BadRequest", "AccessTokenLifetime is out of range.")
	}
	return nil
}
