package graph

import (
	"net/http"
	"strings"
)

// collection is one of Graph's, and what a token must hold for a method on it: any one of the sets.
type collection struct {
	path        string
	permissions func(method string) [][]string
	serve       func(s *Server, r *http.Request, rest string, body object) (int, object, *refusal)
}

func collections() []collection {
	return []collection{
		{"identity/conditionalAccess/authenticationContextClassReferences", either(
			[][]string{{"Policy.Read.ConditionalAccess"}, {"Policy.Read.All"}, {"AuthenticationContext.Read.All"}},
			[][]string{{"AuthenticationContext.ReadWrite.All"}, {"Policy.ReadWrite.ConditionalAccess"}}), (*Server).serveContexts},
		{"identity/conditionalAccess/policies", either(
			[][]string{{"Policy.Read.All"}, {"Policy.Read.ConditionalAccess"}},
			[][]string{{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.Read.All"}, {"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess", "Application.ReadWrite.All"}}), (*Server).servePolicies},
		{"policies/tokenLifetimePolicies", either(
			[][]string{{"Policy.Read.All"}, {"Policy.ReadWrite.ApplicationConfiguration"}},
			[][]string{{"Policy.ReadWrite.ApplicationConfiguration"}}), (*Server).serveLifetimes},
		{"applications(", either(
			[][]string{{"Policy.Read.All", "Application.Read.All"}, {"Policy.Read.All", "Application.ReadWrite.All"}},
			[][]string{{"Policy.Read.All", "Application.ReadWrite.All"}, {"Policy.ReadWrite.ApplicationConfiguration", "Application.ReadWrite.All"}}), (*Server).serveAssignments},
	}
}

func either(read, write [][]string) func(string) [][]string {
	return func(method string) [][]string {
		if method == http.MethodGet {
			return read
		}
		return write
	}
}

func notFound(what string) *refusal {
	return refuse(http.StatusNotFound, "Request_ResourceNotFound", "Resource %q does not exist.", what)
}

func notAllowed(r *http.Request) *refusal {
	return refuse(http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method %s is not allowed for the request target.", r.Method)
}

func (s *Server) serveContexts(r *http.Request, id string, body object) (int, object, *refusal) {
	switch {
	case r.Method == http.MethodGet && id == "":
		return s.list(r, s.contexts)
	case r.Method == http.MethodPatch && id != "":
		if no := check(contextShape(), body, "authenticationContextClassReference"); no != nil {
			return 0, nil, no
		}
		if !contextID.MatchString(id) {
			return 0, nil, refuse(http.StatusBadRequest, "BadRequest", "Invalid authentication context class reference id %q.", id)
		}
		if s.contexts[id] == nil { // one that isn't there is made
			s.contexts[id] = object{"id": id, "displayName": nil, "description": nil, "isAvailable": false}
		}
		merge(s.contexts[id], body)
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, notAllowed(r)
}

func (s *Server) servePolicies(r *http.Request, id string, body object) (int, object, *refusal) {
	present := s.policies[id]
	switch {
	case r.Method == http.MethodGet && id == "":
		return s.list(r, s.policies)
	case r.Method == http.MethodPost && id == "":
		policy := wholePolicy(s.newID())
		if no := s.changePolicy(policy, body, true); no != nil {
			return 0, nil, no
		}
		s.policies[policy["id"].(string)] = policy
		return http.StatusCreated, policy, nil
	case present == nil && id != "":
		return 0, nil, notFound(id)
	case r.Method == http.MethodPatch && id != "":
		changed := clone(present)
		if no := s.changePolicy(changed, body, false); no != nil {
			return 0, nil, no
		}
		s.policies[id] = changed
		return http.StatusNoContent, nil, nil
	case r.Method == http.MethodDelete && id != "":
		delete(s.policies, id)
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, notAllowed(r)
}

func (s *Server) serveLifetimes(r *http.Request, id string, body object) (int, object, *refusal) {
	present := s.lifetimes[id]
	switch {
	case r.Method == http.MethodGet && id == "":
		return s.list(r, s.lifetimes)
	case r.Method == http.MethodPost && id == "":
		policy := object{"id": s.newID(), "deletedDateTime": nil, "description": nil, "displayName": nil, "definition": []any{}, "isOrganizationDefault": false}
		if no := changeLifetime(policy, body); no != nil {
			return 0, nil, no
		}
		s.lifetimes[policy["id"].(string)] = policy
		return http.StatusCreated, policy, nil
	case present == nil && id != "":
		return 0, nil, notFound(id)
	case r.Method == http.MethodPatch && id != "":
		changed := clone(present)
		if no := changeLifetime(changed, body); no != nil {
			return 0, nil, no
		}
		s.lifetimes[id] = changed
		return http.StatusNoContent, nil, nil
	case r.Method == http.MethodDelete && id != "":
		for _, assigned := range s.applications {
			if assigned == id {
				return 0, nil, refuse(http.StatusBadRequest, "Request_BadRequest", "The policy is assigned to an application.")
			}
		}
		delete(s.lifetimes, id)
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, notAllowed(r)
}

// serveAssignments is applications(appId='…')/tokenLifetimePolicies and what is below.
func (s *Server) serveAssignments(r *http.Request, rest string, body object) (int, object, *refusal) {
	inner, ok := strings.CutPrefix(rest, "appId='")
	client, below, closed := strings.Cut(inner, "')/tokenLifetimePolicies")
	assigned, known := s.applications[client]
	switch {
	case !ok || !closed || !known:
		return 0, nil, notFound(rest)
	case r.Method == http.MethodGet && below == "":
		objects := map[string]object{}
		if assigned != "" {
			objects[assigned] = s.lifetimes[assigned]
		}
		return s.list(r, objects)
	case r.Method == http.MethodPost && below == "/$ref":
		id, ours := strings.CutPrefix(text(body["@odata.id"]), s.address+"/v1.0/policies/tokenLifetimePolicies/")
		switch {
		case !ours || len(body) != 1:
			return 0, nil, refuse(http.StatusBadRequest, "Request_BadRequest", "Invalid reference.")
		case s.lifetimes[id] == nil:
			return 0, nil, notFound(id)
		case assigned != "":
			return 0, nil, refuse(http.StatusBadRequest, "Request_BadRequest", "Only one token lifetime policy can be assigned to an application.")
		}
		s.applications[client] = id
		return http.StatusNoContent, nil, nil
	case r.Method == http.MethodDelete && below == "/"+assigned+"/$ref":
		s.applications[client] = ""
		return http.StatusNoContent, nil, nil
	}
	return 0, nil, notFound(rest)
}
