package claims

import (
	"encoding/base64"
	"testing"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

func TestWhoMayCallAtAll(t *testing.T) {
	listed := map[string]contract.ListedClient{"app-1": {Name: "one"}, "app-2": {Name: "two", Strong: true}}
	for name, c := range map[string]struct {
		callers contract.Callers
		who     pipeline.Principal
		claims  pipeline.Claims
		want    string
	}{
		"anybody, by default":                           {contract.Callers{Principals: "both"}, pipeline.User, pipeline.Claims{}, "granted"},
		"B47 users only: an application":                {contract.Callers{Principals: "users"}, pipeline.Application, nil, "403 wrong_principal_type by principals"},
		"B47 users only: nobody knows":                  {contract.Callers{Principals: "users"}, pipeline.UnknownPrincipal, nil, "403 wrong_principal_type by principals"},
		"B47 applications only: a user":                 {contract.Callers{Principals: "applications"}, pipeline.User, nil, "403 wrong_principal_type by principals"},
		"a listed client, v2":                           {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{"azp": "app-1"}, "granted"},
		"a listed client, v1":                           {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{"appid": "app-1"}, "granted"},
		"a client that isn't listed":                    {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{"azp": "app-9"}, "403 client_not_allowed by clients"},
		"no client":                                     {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{}, "403 client_not_allowed by clients"},
		"an unlisted azp beside a listed appid":         {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{"azp": "app-9", "appid": "app-1"}, "403 client_not_allowed by clients"},
		"a client id in another case":                   {contract.Callers{Clients: listed}, pipeline.User, pipeline.Claims{"azp": "APP-1"}, "403 client_not_allowed by clients"},
		"an empty list of clients lets nobody in":       {contract.Callers{Clients: map[string]contract.ListedClient{}}, pipeline.User, pipeline.Claims{"azp": "app-1"}, "403 client_not_allowed by clients"},
		"certificate asked for, certificate":            {contract.Callers{Certificate: true}, pipeline.Application, pipeline.Claims{"azpacr": "2"}, "granted"},
		"certificate asked for, certificate in v1":      {contract.Callers{Certificate: true}, pipeline.Application, pipeline.Claims{"appidacr": "2"}, "granted"},
		"certificate asked for, secret":                 {contract.Callers{Certificate: true}, pipeline.Application, pipeline.Claims{"azpacr": "1"}, "403 client_auth_too_weak by clientAuth"},
		"certificate asked for, public client":          {contract.Callers{Certificate: true}, pipeline.User, pipeline.Claims{"azpacr": "0"}, "403 client_auth_too_weak by clientAuth"},
		"certificate asked for, a number":               {contract.Callers{Certificate: true}, pipeline.User, pipeline.Claims{"azpacr": pipeline.Number("2")}, "403 client_auth_too_weak by clientAuth"},
		"certificate asked for, nothing said":           {contract.Callers{Certificate: true}, pipeline.User, pipeline.Claims{}, "403 client_auth_too_weak by clientAuth"},
		"a client that has a certificate uses a secret": {contract.Callers{Clients: listed}, pipeline.Application, pipeline.Claims{"azp": "app-2", "azpacr": "1"}, "403 client_auth_too_weak by clients"},
		"members only: a member":                        {contract.Callers{MembersOnly: true}, pipeline.User, pipeline.Claims{"acct": pipeline.Number("0")}, "granted"},
		"members only: a guest":                         {contract.Callers{MembersOnly: true}, pipeline.User, pipeline.Claims{"acct": pipeline.Number("1")}, "403 guest_not_allowed by guests"},
		"members only: nothing said":                    {contract.Callers{MembersOnly: true}, pipeline.User, pipeline.Claims{}, "403 guest_not_allowed by guests"},
		"members only: text":                            {contract.Callers{MembersOnly: true}, pipeline.User, pipeline.Claims{"acct": "0"}, "403 guest_not_allowed by guests"},
		"members only is about users":                   {contract.Callers{MembersOnly: true}, pipeline.Application, pipeline.Claims{}, "granted"},
	} {
		t.Run(name, func(t *testing.T) {
			_, refused := ask(t, Admit(c.callers), &pipeline.Identity{Principal: c.who, Claims: c.claims})
			assertVerdict(t, verdict(refused), c.want)
		})
	}
}

func TestB52StepUp(t *testing.T) {
	stage := StepUp("approve", "c1", "https://login.microsoftonline.com")
	list := func(v ...any) []any { return v }
	for name, c := range map[string]struct {
		who    pipeline.Principal
		claims pipeline.Claims
		want   string
	}{
		"met":                                {pipeline.User, pipeline.Claims{"acrs": list("c2", "c1")}, "granted"},
		"met, as text":                       {pipeline.User, pipeline.Claims{"acrs": "c1"}, "granted"},
		"not met, by a client that can ask":  {pipeline.User, pipeline.Claims{"xms_cc": list("CP1")}, "401 insufficient_claims by operations.approve.stepUp"},
		"another one met, and it can ask":    {pipeline.User, pipeline.Claims{"acrs": list("c10"), "xms_cc": list("cp1")}, "401 insufficient_claims by operations.approve.stepUp"},
		"not met, by a client that can't":    {pipeline.User, pipeline.Claims{}, "403 step_up_required by operations.approve.stepUp"},
		"an application can't step up":       {pipeline.Application, pipeline.Claims{"xms_cc": list("cp1")}, "403 step_up_required by operations.approve.stepUp"},
		"acrs that holds more than one text": {pipeline.User, pipeline.Claims{"acrs": "c1 c2"}, "403 step_up_required by operations.approve.stepUp"},
	} {
		t.Run(name, func(t *testing.T) {
			_, refused := ask(t, stage, &pipeline.Identity{Principal: c.who, Claims: c.claims})
			assertVerdict(t, verdict(refused), c.want)
		})
	}
	_, refused := ask(t, stage, &pipeline.Identity{Principal: pipeline.User, Claims: pipeline.Claims{"xms_cc": list("cp1")}})
	claims, err := base64.StdEncoding.DecodeString(refused.Challenge.Claims)
	if want := `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`; err != nil || string(claims) != want {
		t.Errorf("got claims %s, %v, want %s", claims, err, want)
	}
	if want := "https://login.microsoftonline.com/common/oauth2/authorize"; refused.Challenge.AuthorizationURI != want {
		t.Errorf("got %s, want %s", refused.Challenge.AuthorizationURI, want)
	}
}
