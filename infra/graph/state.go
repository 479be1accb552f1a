package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
)

// State is what Graph holds, as far as it concerns what is wanted.
type State struct {
	contexts     map[string]object // by id
	policies     map[string]object // ours, by display name
	lifetimes    map[string]object // ours, by display name
	assigned     map[string][]assignment
	organization string // the name of a lifetime policy that the tenant sets for all applications; "" for none
}

// assignment is a lifetime policy that an API has.
type assignment struct{ id, name string }

// Read reads what Graph holds now. It changes nothing.
func (c *Client) Read(ctx context.Context, want *Wanted) (*State, error) {
	s := &State{contexts: map[string]object{}, policies: map[string]object{}, lifetimes: map[string]object{}, assigned: map[string][]assignment{}}
	contexts, err := c.list(ctx, contextsPath, "read authentication contexts", readPolicies)
	if err != nil {
		return nil, err
	}
	for _, o := range contexts {
		s.contexts[text(o["id"])] = o
	}
	policies, err := c.list(ctx, policiesPath, "read conditional access policies", readPolicies)
	if err != nil {
		return nil, err
	}
	if err := keep(s.policies, policies, want); err != nil {
		return nil, err
	}
	lifetimes, err := c.list(ctx, lifetimesPath, "read token lifetime policies", readPolicies)
	if err != nil {
		return nil, err
	}
	for _, o := range lifetimes {
		if o["isOrganizationDefault"] == true {
			s.organization = text(o["displayName"])
		}
	}
	if err := keep(s.lifetimes, lifetimes, want); err != nil {
		return nil, err
	}
	return s, c.assignments(ctx, want, s)
}

// keep sorts out those of ours. Names aren't unique in Graph; ours must be.
func keep(into map[string]object, all []object, want *Wanted) error {
	for _, o := range all {
		name := text(o["displayName"])
		if !want.ours(name) {
			continue
		}
		if first, twice := into[name]; twice {
			return fmt.Errorf("graph has two policies named %q (%s and %s), and only one can be ours; remove or rename one of them in Entra", name, text(first["id"]), text(o["id"]))
		}
		into[name] = o
	}
	return nil
}

// assignments are read where the API's registration is known, and has or had a lifetime of its own.
func (c *Client) assignments(ctx context.Context, want *Wanted, s *State) error {
	for _, api := range want.apis {
		name := want.prefix + api
		if want.clientIDs[api] == "" || !want.lifetime(name) && s.lifetimes[name] == nil {
			continue
		}
		path := "/applications(appId='" + want.clientIDs[api] + "')/tokenLifetimePolicies"
		all, err := c.list(ctx, path, "read the lifetime policy of "+api, readAssignments)
		if refused, ok := errors.AsType[*Error](err); ok && refused.Status == http.StatusNotFound {
			continue // the id that is bound leads nowhere; Terraform makes the registration, which then has none
		}
		if err != nil {
			return err
		}
		for _, o := range all {
			s.assigned[api] = append(s.assigned[api], assignment{text(o["id"]), text(o["displayName"])})
		}
	}
	return nil
}

func sorted(m map[string]object) []string { return slices.Sorted(maps.Keys(m)) }
