package main

import (
	"fmt"
	"slices"
	"strings"

	"tollgate/localrun/estate"
	"tollgate/localrun/events"
	"tollgate/shared/contract"
)

// names tell who stands behind an id, as far as contracts say.
type names struct {
	clients map[string]contract.PlannedClient
	local   bool
}

func namesOf(plan *contract.Plan) names {
	n := names{clients: map[string]contract.PlannedClient{}}
	if plan == nil {
		return n
	}
	n.local = plan.Environment == estate.Name
	for _, c := range plan.Clients {
		if c.ID != "" {
			n.clients[c.ID] = c
		}
	}
	return n
}

// client is the name and the owner of a client; "" where no contract has it.
func (n names) client(id string) (name, owner string) {
	if c, ok := n.clients[id]; ok {
		return c.Name, c.Owner
	}
	if n.local && id == estate.GUID("client", estate.Client) {
		return estate.Client, ""
	}
	return "", ""
}

// caller says who it is, for people.
func (n names) caller(by string, c *events.Caller) string {
	switch {
	case c.Others:
		return "(others)"
	case c.ID == "":
		return "(nobody known)"
	case by == events.ByClient && c.Realm == "key":
		return "key of " + plain(c.ID)
	case by == events.ByClient:
		if name, owner := n.client(c.ID); name != "" {
			if owner != "" {
				return fmt.Sprintf("%s (%s)", name, plain(owner))
			}
			return name
		}
	}
	return plain(c.ID)
}

// strange is what to say of a filter that no client's contract fits. Clients without
// one go by their id, so it is no error.
func (n names) strange(client string) string {
	if client == "" || len(n.clients) == 0 || guidText.MatchString(client) || n.local && client == estate.Client {
		return ""
	}
	var all []string
	for _, c := range n.clients {
		if c.Name == client {
			return ""
		}
		all = append(all, c.Name)
	}
	slices.Sort(all)
	return fmt.Sprintf("no contract is of a client %q (known: %s); taken for an id", client, strings.Join(all, ", "))
}

// knownAPI tells a filter that no API of the contracts fits: "nobody" would look
// like an answer.
func knownAPI(plan *contract.Plan, name string) error {
	if plan == nil || name == "" {
		return nil
	}
	var all []string
	for _, a := range plan.APIs {
		all = append(all, a.Name)
	}
	if slices.Contains(all, name) {
		return nil
	}
	slices.Sort(all)
	return fmt.Errorf("there is no API %q; known: %s", name, strings.Join(all, ", "))
}
