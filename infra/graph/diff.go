package graph

import (
	"fmt"
	"strings"
)

const (
	contextsPath  = "/identity/conditionalAccess/authenticationContextClassReferences"
	policiesPath  = "/identity/conditionalAccess/policies"
	lifetimesPath = "/policies/tokenLifetimePolicies"
)

// Diff is what must be asked of Graph so that it holds what is wanted. Contexts
// come first, for policies name them.
func Diff(want *Wanted, have *State) *Change {
	c := &Change{}
	for _, ctx := range want.contexts {
		c.context(ctx, have.contexts[ctx.id])
	}
	for _, p := range want.policies {
		c.policy(p, have.policies[p.name])
	}
	for _, l := range want.lifetimes {
		c.lifetime(want, l, have)
	}
	c.leftovers(want, have)
	if len(want.policies) > 0 && want.breakGlass {
		c.note("Members of breakGlass have every context without showing anything: Entra gives one to whom no policy before it is about.")
	}
	if have.organization != "" && len(want.lifetimes) > 0 {
		c.note("The tenant's own policy %q sets the lifetime of every application's tokens, and wins over those asked for here (entra-docs, configurable-token-lifetimes).", have.organization)
	}
	return c
}

func (c *Change) add(r Request) { c.Requests = append(c.Requests, r) }

func (c *Change) note(format string, args ...any) {
	c.Notes = append(c.Notes, fmt.Sprintf(format, args...))
}

func (c *Change) context(ctx authContext, have object) {
	if have != nil && agree(ctx.body, have) {
		return
	}
	why := fmt.Sprintf("Entra has no authentication context %s, which operations ask for by stepUp.", ctx.id)
	if have != nil {
		why = fmt.Sprintf("The authentication context %s isn't as the gateway's contract describes it.", ctx.id)
	}
	c.add(request("PATCH", contextsPath+"/"+ctx.id, ctx.body, why, writeContexts)) // creates it too (authenticationcontextclassreference-update.md)
}

func (c *Change) policy(p policy, have object) {
	switch {
	case have == nil:
		c.add(request("POST", policiesPath, p.body, fmt.Sprintf("Nothing demands anything for %s yet, so Entra gives it to whoever asks. From now on: %s.", p.context, p.demand), writePolicies))
	case !agree(p.body, have):
		r := request("PATCH", policiesPath+"/"+text(have["id"]), mended(p.body, have), fmt.Sprintf("The policy before %s isn't what the contract asks for: %s, of everybody.", p.context, p.demand), writePolicies)
		r.Loosens = loosens(p.body, have)
		c.add(r)
	}
}

func (c *Change) lifetime(want *Wanted, l lifetime, have *State) {
	present := have.lifetimes[l.name]
	id := "{id." + l.api + "}"
	switch {
	case present == nil:
		r := request("POST", lifetimesPath, l.body, fmt.Sprintf("Tokens for %s shall be good for %s.", l.api, plain(l.life)), writeLifetimes)
		r.gives = id
		c.add(r)
	case !agree(l.body, present):
		id = text(present["id"])
		r := request("PATCH", lifetimesPath+"/"+id, mended(l.body, present), fmt.Sprintf("Tokens for %s shall be good for %s, and the policy says otherwise.", l.api, plain(l.life)), writeLifetimes)
		r.Loosens = life(present) > 0 && life(l.body) > life(present)
		c.add(r)
	default:
		id = text(present["id"])
	}
	for _, other := range have.assigned[l.api] {
		if other.id == id {
			return
		}
		c.add(request("DELETE", application(l.api)+"/"+other.id+"/$ref", nil, fmt.Sprintf("%s has the lifetime policy %q, and an application can have only one.", l.api, other.name), assignLifetime))
	}
	c.add(request("POST", application(l.api)+"/$ref", object{"@odata.id": "{address}/v1.0" + lifetimesPath + "/" + id}, fmt.Sprintf("The policy holds for %s once it is assigned to it.", l.api), assignLifetime))
}

func application(api string) string {
	return "/applications(appId='{clientId." + api + "}')/tokenLifetimePolicies"
}

// leftovers are policies of ours that no contract asks for any more.
func (c *Change) leftovers(want *Wanted, have *State) {
	for _, name := range sorted(have.policies) {
		if want.policy(name) || !want.ours(name) {
			continue
		}
		id := strings.TrimPrefix(name, want.prefix)
		r := request("DELETE", policiesPath+"/"+text(have.policies[name]["id"]), nil, fmt.Sprintf("No contract describes %s any more. Whatever else in the tenant asks for it will get it without a demand.", id), writePolicies)
		r.Loosens = true
		c.add(r)
	}
	for _, name := range sorted(have.lifetimes) {
		api := strings.TrimPrefix(name, want.prefix)
		if want.lifetime(name) || !want.ours(name) {
			continue
		}
		id := text(have.lifetimes[name]["id"])
		for _, a := range have.assigned[api] {
			if a.id == id {
				c.add(request("DELETE", application(api)+"/"+id+"/$ref", nil, fmt.Sprintf("%s no longer says how long its tokens are good.", api), assignLifetime))
			}
		}
		r := request("DELETE", lifetimesPath+"/"+id, nil, fmt.Sprintf("No contract asks for the lifetime policy %q any more.", name), writeLifetimes)
		r.Loosens = true
		c.add(r)
	}
}

func (w *Wanted) policy(name string) bool {
	for _, p := range w.policies {
		if p.name == name {
			return true
		}
	}
	return false
}

func (w *Wanted) lifetime(name string) bool {
	for _, l := range w.lifetimes {
		if l.name == name {
			return true
		}
	}
	return false
}

// Nothing is Want of an environment that is torn down: Diff then removes what is ours, but contexts, which others may use.
func (w *Wanted) Nothing() *Wanted {
	return &Wanted{prefix: w.prefix, apis: w.apis, clientIDs: w.clientIDs}
}
