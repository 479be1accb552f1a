// Package graph is what Terraform's provider can't express of the identity
// plane: authentication contexts (what stepUp means), the conditional access
// policies that demand something for them, and token lifetimes. It says exactly
// which requests Microsoft Graph would get and why, sends them one by one, and
// reads back what came of them.
//
//	want := graph.Want(registrations, clientIDs)
//	have, err := client.Read(ctx, want)
//	change := graph.Diff(want, have)       // shown, and confirmed by a person
//	outcome, err := client.Apply(ctx, want, change)
//
// Shapes and permissions: microsoftgraph/microsoft-graph-docs-contrib, v1.0.
package graph

import (
	"fmt"
	"strings"
	"time"

	"tollgate/shared/contract"
)

// object is JSON as Graph reads and writes it.
type object = map[string]any

// phishingResistant is the authentication strength that every tenant has built in.
const phishingResistant = "00000000-0000-0000-0000-000000000004"

// Wanted is what Graph must hold.
type Wanted struct {
	prefix     string // of the display names that are ours: the gateway's and the environment's
	breakGlass bool
	contexts   []authContext
	policies   []policy
	lifetimes  []lifetime
	apis       []string          // every registered API, by name
	clientIDs  map[string]string // of APIs; "" or absent before the first deployment
}

// authContext is an authentication context.
type authContext struct {
	id   string
	body object
}

// policy is a conditional access policy.
type policy struct {
	name, context, demand string
	body                  object
}

// lifetime is a token lifetime policy and the API it is assigned to.
type lifetime struct {
	name, api string
	life      time.Duration
	body      object
}

// Options of Want.
type Options struct {
	// ReportOnly makes policies that only report. Then stepUp demands nothing: Entra
	// gives a context to whoever asks while no enabled policy stands before it.
	ReportOnly bool
}

// Want is what the registrations of an environment ask of Graph. clientIDs are
// those of the APIs, by name; before the first deployment there are none.
func Want(r *contract.Registrations, clientIDs map[string]string, o Options) *Wanted {
	w := &Wanted{prefix: "tollgate: " + r.Gateway + " " + r.Environment + " ", breakGlass: r.BreakGlass != "", clientIDs: map[string]string{}}
	for _, c := range r.Contexts {
		w.contexts = append(w.contexts, authContext{c.ID, object{"displayName": c.Name, "description": describe(c), "isAvailable": true}})
		w.policies = append(w.policies, w.policyFor(c, r.BreakGlass, o))
	}
	for _, a := range r.APIs {
		w.apis = append(w.apis, a.Name)
		if id := clientIDs[a.Name]; id != "" {
			w.clientIDs[a.Name] = id
		} else if a.ClientID != "" {
			w.clientIDs[a.Name] = a.ClientID
		}
		if a.Lifetime > 0 {
			name := w.prefix + a.Name
			w.lifetimes = append(w.lifetimes, lifetime{name, a.Name, a.Lifetime, object{"displayName": name, "definition": []any{definition(a.Lifetime)}, "isOrganizationDefault": false}})
		}
	}
	return w
}

// describe is never empty: Graph keeps a description that is left out.
func describe(c contract.RegisteredContext) string {
	if c.Description != "" {
		return c.Description
	}
	return c.Name
}

// policyFor: enabled from the start. It stands before nothing but operations
// that say stepUp, and while it isn't enabled those are open to everybody.
func (w *Wanted) policyFor(c contract.RegisteredContext, breakGlass string, o Options) policy {
	users := object{"includeUsers": []any{"All"}}
	if breakGlass != "" {
		users["excludeGroups"] = []any{breakGlass}
	}
	grant, demand := object{"operator": "OR", "builtInControls": []any{"mfa"}}, "a second factor"
	switch c.Require {
	case "phishingResistant":
		grant, demand = object{"operator": "OR", "authenticationStrength": object{"id": phishingResistant}}, "a second factor that resists phishing"
	case "compliantDevice":
		grant, demand = object{"operator": "OR", "builtInControls": []any{"compliantDevice"}}, "a compliant device"
	}
	body := object{
		"displayName": w.prefix + c.ID, "state": "enabled",
		"conditions": object{
			"clientAppTypes": []any{"all"}, "users": users,
			"applications": object{"includeAuthenticationContextClassReferences": []any{c.ID}},
		},
		"grantControls": grant,
	}
	if o.ReportOnly {
		body["state"] = "enabledForReportingButNotEnforced"
	}
	if every := time.Duration(c.Every); every > 0 {
		unit, n := "hours", every/time.Hour
		if every%(24*time.Hour) == 0 {
			unit, n = "days", every/(24*time.Hour)
		}
		demand += fmt.Sprintf(", shown within %s", plain(every))
		body["sessionControls"] = object{"signInFrequency": object{
			"isEnabled": true, "type": unit, "value": float64(n), "frequencyInterval": "timeBased", "authenticationType": "primaryAndSecondaryAuthentication",
		}}
	}
	return policy{w.prefix + c.ID, c.ID, demand, body}
}

// plain is a span of time in words.
func plain(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		if n := d / u.unit; d%u.unit == 0 && n > 0 {
			if n == 1 {
				return "1 " + u.name
			}
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return d.String()
}

// definition: lifetimes are hh:mm:ss, and a day is written a second short (resources/tokenlifetimepolicy.md).
func definition(d time.Duration) string {
	if d >= 24*time.Hour {
		d = 24*time.Hour - time.Second
	}
	return fmt.Sprintf(`{"TokenLifetimePolicy":{"Version":1,"AccessTokenLifetime":"%02d:%02d:%02d"}}`, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

// Base is Graph's address in a cloud, as contracts call clouds.
func Base(cloud string) string {
	switch cloud {
	case "usgov":
		return "https://graph.microsoft.us"
	case "china":
		return "https://microsoftgraph.chinacloudapi.cn"
	default:
		return "https://graph.microsoft.com"
	}
}

// ours tells whether a display name is one that Want gives, in this gateway and environment.
func (w *Wanted) ours(name string) bool { return strings.HasPrefix(name, w.prefix) }
