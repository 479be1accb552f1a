package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"tollgate/shared/contract"
	"tollgate/shared/revocation"
)

// subject is whom the arguments mean. What is left out comes from the contracts.
func (f *revokeFlags) subject(cmd *cobra.Command, plan *contract.Plan, k revocation.Kind, id string) (revocation.Subject, error) {
	tenant, issuer := f.tenant, f.issuer
	switch k {
	case revocation.All, revocation.Subscription:
		if tenant != "" || issuer != "" {
			return revocation.Subject{}, fmt.Errorf("revoke %s takes neither --tenant nor --issuer", k)
		}
		return revocation.Of(k, "", "", id)
	case revocation.Tenant:
		tenant, id = id, ""
	case revocation.Client:
		id = clientNamed(plan, id)
	case revocation.Token:
		if strings.Count(id, ".") == 2 && len(id) > 60 {
			return revocation.Subject{}, errors.New("that is a token, not its id, and it stands in the shell's history now. Pass it on standard input: tollgate revoke token - --yes < FILE")
		}
		if id == "-" {
			text, err := pasted(cmd, maxTokenInput)
			if err != nil {
				return revocation.Subject{}, err
			}
			if id, tenant, err = nameOf(text, tenant, issuer); err != nil {
				return revocation.Subject{}, err
			}
		}
	}
	if err := knownIssuer(plan, issuer); err != nil {
		return revocation.Subject{}, err
	}
	if tenant == "" && cmp.Or(issuer, contract.Entra) == contract.Entra && k != revocation.Client {
		if tenant = onlyTenant(plan); tenant == "" {
			return revocation.Subject{}, errors.New("which tenant's isn't clear; name it with --tenant, or another issuer with --issuer")
		}
	}
	return revocation.Of(k, issuer, tenant, id)
}

// clientNamed is the app id of a client that the contracts list by that name.
func clientNamed(plan *contract.Plan, name string) string {
	if plan == nil {
		return name
	}
	for _, api := range plan.APIs {
		for id, listed := range api.Callers.Clients {
			if listed.Name == name {
				return id
			}
		}
	}
	return name
}

func knownIssuer(plan *contract.Plan, name string) error {
	if name == "" || plan == nil {
		return nil
	}
	var all []string
	for _, is := range plan.Issuers {
		all = append(all, is.Name)
	}
	slices.Sort(all)
	if !slices.Contains(all, name) {
		return fmt.Errorf("--issuer %q: the contracts trust %s", name, strings.Join(slices.Compact(all), ", "))
	}
	return nil
}

// onlyTenant is the one Entra tenant that the contracts trust, "" if there are several.
func onlyTenant(plan *contract.Plan) string {
	if plan == nil {
		return ""
	}
	var all []string
	for _, is := range plan.Issuers {
		if is.Tenant != "" && !slices.Contains(all, is.Tenant) {
			all = append(all, is.Tenant)
		}
	}
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

// nameOf reads what a token is called from the token itself. It is not verified:
// whoever may revoke may revoke any.
func nameOf(text, tenant, issuer string) (id, tid string, err error) {
	var claims struct{ UTI, JTI, TID string }
	parts := strings.Split(text, ".")
	if len(parts) != 3 || json.Unmarshal(payloadOf(parts[1]), &claims) != nil {
		return "", "", errors.New("what standard input holds is not a token")
	}
	id = claims.UTI
	if issuer != "" && issuer != contract.Entra {
		id, claims.TID = claims.JTI, ""
	}
	if id == "" {
		return "", "", errors.New("the token has no name (uti, or jti with --issuer); revoke its user or client instead")
	}
	return id, cmp.Or(tenant, claims.TID), nil
}
