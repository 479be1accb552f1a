package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tollgate/localrun/estate"
	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
)

// minter is an issuer with one key, which every issuer of the plan is then held
// to publish: so it can mint for each of them.
func minter(ctx context.Context, plan *contract.Plan) (*issuer.Issuer, http.RoundTripper, error) {
	o := issuer.Options{Tenants: []string{estate.Tenant()}, BaseURL: standIns().Issuer}
	for _, api := range plan.APIs {
		o.APIs = append(o.APIs, issuer.API{Name: api.Name, ClientID: estate.GUID("api", api.Name), Scopes: api.Scopes, Roles: api.Roles})
	}
	entra, err := issuer.New(o)
	if err != nil {
		return nil, nil, fmt.Errorf("the stand-in for Entra: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, standIns().Issuer+"/"+estate.Tenant()+"/discovery/keys", nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := inProcess{entra}.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	jwks, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	keys, err := newOffline(plan, jwks)
	return entra, keys, err
}

// rowOf is one operation for each caller.
func rowOf(ctx context.Context, gw *gateway.Gateway, api matrixAPI, op contract.PlannedOperation) (matrixRow, error) {
	row := matrixRow{Operation: op.ID, Match: op.Template.String()}
	path, err := leadingTo(ctx, gw, api.API, op)
	if err != nil {
		return row, err
	}
	for _, c := range api.callers {
		_, steps, err := ask(ctx, gw, op.Template.Method, path, c.header)
		if err != nil {
			return row, err
		}
		got := cell{c.principal, c.holds, audit.Granted, audit.Granted}
		if last := steps[len(steps)-1]; last.Refused != nil {
			got.Verdict, got.Code = audit.Refused, last.Refused.Code
			if last.Stage == "token" && c.token != nil {
				return row, fmt.Errorf("%s of %s doesn't believe the made-up token of %s (%s: %s); this is a fault of tollgate matrix", op.ID, api.API, c, got.Code, last.Refused.Detail)
			}
		}
		row.Cells = append(row.Cells, got)
	}
	return row, nil
}

// leadingTo is a path that the gateway takes for this operation and no narrower one.
func leadingTo(ctx context.Context, gw *gateway.Gateway, api string, op contract.PlannedOperation) (string, error) {
	for _, filler := range []string{"42", "some-id", "another.id", "0-0"} {
		var path strings.Builder
		for _, s := range op.Template.Segments {
			path.WriteString("/" + s.Literal)
			if s.Literal == "" {
				path.WriteString(filler)
			}
		}
		if at, _, err := ask(ctx, gw, op.Template.Method, path.String(), nil); err != nil || at == api+"."+op.ID {
			return path.String(), err
		}
	}
	return "", fmt.Errorf("no path was found that leads to %s of %s (%s)", op.ID, api, op.Template)
}

// ask is Gateway.Explain of a made-up call; at is the operation, such as orders.get.
func ask(ctx context.Context, gw *gateway.Gateway, method, path string, h http.Header) (at string, steps []gateway.Step, err error) {
	req, err := http.NewRequestWithContext(ctx, method, standIns().Gateway+path, nil)
	if err != nil {
		return "", nil, err
	}
	req.RequestURI = path
	if h != nil {
		req.Header = h.Clone()
	}
	api, operation, steps := gw.Explain(ctx, gw.NewCall(req))
	if len(steps) == 0 {
		return "", nil, errors.New("no stage said anything")
	}
	return api + "." + operation, steps, nil
}
