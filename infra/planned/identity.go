package planned

import (
	"strings"
)

// Use is what a client uses of one API.
type Use struct {
	Client, API   string
	Scopes, Roles []string
}

// Permission is a scope or a role of an API.
type Permission struct {
	API     string
	Kind    string // scope or role
	Name    string
	ID      string
	Enabled bool
	Members []string // of a role: who may hold it
	Address string   // of the resource that holds it
}

// The kinds of a permission.
const (
	Scope = "scope"
	Role  = "role"
)

// Owner is the name of the API or client whose registration the resource belongs
// to: the key of the module's call, else the display name.
func (c *Change) Owner() string {
	for _, source := range []string{"entra-api", "entra-client"} {
		if m := c.In(source); m != nil && m.Key != "" {
			return m.Key
		}
	}
	for _, v := range []any{c.Will("display_name"), c.Was("display_name")} {
		if s := Text(v); s != "" {
			return s
		}
	}
	return c.Key
}

// Permissions are the scopes and roles that are (before) or will be there.
func Permissions(all []Change, before bool) []Permission {
	return gather(all, before, (*Change).permissions)
}

// gather is what take finds on one side of each change.
func gather[T any](all []Change, before bool, take func(*Change, map[string]any) []T) []T {
	var out []T
	for i := range all {
		side := all[i].After
		if before {
			side = all[i].Before
		}
		if side != nil {
			out = append(out, take(&all[i], side)...)
		}
	}
	return out
}

func (c *Change) permissions(side map[string]any) []Permission {
	one := func(kind, id string) []Permission {
		return []Permission{{API: c.apiName(), Kind: kind, Name: Text(side["value"]), ID: Text(side[id]), Enabled: true, Members: Texts(side["allowed_member_types"]), Address: c.Address}}
	}
	switch c.Type {
	case "azuread_application_app_role":
		return one(Role, "role_id")
	case "azuread_application_permission_scope":
		return one(Scope, "scope_id")
	case "azuread_application":
		return append(c.blocks(Role, side["app_role"]), c.blocks(Scope, Value(side, "api.0.oauth2_permission_scope"))...)
	}
	return nil
}

// apiName of a resource of its own is the module's key: such a resource's display name is the permission's.
func (c *Change) apiName() string {
	if m := c.In("entra-api"); m != nil && m.Key != "" {
		return m.Key
	}
	return c.Name
}

func (c *Change) blocks(kind string, list any) []Permission {
	var out []Permission
	for _, b := range List(list) {
		// Absent means on: the provider's default.
		out = append(out, Permission{
			API: c.Owner(), Kind: kind, Name: Text(Value(b, "value")), ID: Text(Value(b, "id")),
			Enabled: Value(b, "enabled") != false, Members: Texts(Value(b, "allowed_member_types")), Address: c.Address,
		})
	}
	return out
}

// Grant is a permission, by its id, that somebody holds or asks for.
type Grant struct {
	ID      string // of the permission, "" if only apply knows it
	Client  string // who, by the module's key; "" for users and groups
	Name    string // of a scope granted by its name
	Address string
	Key     string // of the resource, where it tells more than its values
}

// Grants are what clients will hold (before: held) by this plan.
func Grants(all []Change, before bool) []Grant {
	return gather(all, before, (*Change).grants)
}

func (c *Change) grants(side map[string]any) []Grant {
	g := Grant{Client: c.clientName(), Address: c.Address, Key: c.Key}
	var ids []string
	switch c.Type {
	case "azuread_app_role_assignment":
		g.ID = Text(side["app_role_id"])
		return []Grant{g}
	case "azuread_application_api_access":
		ids = append(Texts(side["role_ids"]), Texts(side["scope_ids"])...)
	case "azuread_application_pre_authorized":
		ids = Texts(side["permission_ids"])
	case "azuread_application":
		for _, r := range List(side["required_resource_access"]) {
			for _, a := range List(Value(r, "resource_access")) {
				ids = append(ids, Text(Value(a, "id")))
			}
		}
	case "azuread_service_principal_delegated_permission_grant":
		var out []Grant
		for _, name := range Texts(side["claim_values"]) {
			g.Name = name
			out = append(out, g)
		}
		return out
	}
	var out []Grant
	for _, id := range ids {
		g.ID = id
		out = append(out, g)
	}
	return out
}

func (c *Change) clientName() string {
	if m := c.In("entra-client"); m != nil {
		return m.Key
	}
	if c.Type == "azuread_application" {
		return c.Owner()
	}
	return ""
}

// Audiences are the identifier URIs that will be there (before: are), by the
// resource that holds each.
func Audiences(all []Change, before bool) map[string][]string {
	out := map[string][]string{}
	for i := range all {
		c := &all[i]
		side := c.After
		if before {
			side = c.Before
		}
		switch c.Type {
		case "azuread_application":
			out[c.Address] = append(out[c.Address], Texts(side["identifier_uris"])...)
		case "azuread_application_identifier_uri":
			if uri := Text(side["identifier_uri"]); uri != "" {
				out[c.Address] = append(out[c.Address], uri)
			}
		}
	}
	return out
}

// SameAudience is one spelling of an identifier URI: Entra and validators differ in
// how they compare case and a closing slash, so two that differ in no more are one.
func SameAudience(uri string) string {
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(uri), "/"))
}
