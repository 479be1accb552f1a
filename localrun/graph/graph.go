// Package graph is a stand-in for the parts of Microsoft Graph by which Tollgate
// says what step-up means and how long tokens live. It is strict: properties that
// Graph doesn't know, values that it refuses and permissions that a token lacks
// are refused as Graph refuses them. Answers carry all that Graph adds of its own.
package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

type object = map[string]any

// Server is one tenant. Its zero value isn't usable; New makes one.
type Server struct {
	mu           sync.Mutex
	address      string
	page         int
	permissions  map[string][]string // by token
	applications map[string]string   // client id to the id of its lifetime policy, "" for none
	contexts     map[string]object
	policies     map[string]object
	lifetimes    map[string]object
	faults       []Fault
	seen         []string
	next         int
}

// Fault is an answer instead of what a request would get.
type Fault struct {
	Method, Path string // of the requests it is about; "" for any, Path is a beginning
	Status       int
	RetryAfter   string
	Times        int  // how often
	Done         bool // the work is done before the fault, as when an answer gets lost
}

// New is a tenant with these applications, by client id. page is how many objects one page of a list has.
func New(address string, page int, clientIDs ...string) *Server {
	s := &Server{address: address, page: page, permissions: map[string][]string{}, applications: map[string]string{}, contexts: map[string]object{}, policies: map[string]object{}, lifetimes: map[string]object{}}
	for _, id := range clientIDs {
		s.applications[id] = ""
	}
	return s
}

// Grant lets whoever has the token do what the permissions allow.
func (s *Server) Grant(token string, permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.permissions[token] = permissions
}

// Fail plants a fault.
func (s *Server) Fail(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// Change does to what is kept what somebody else might do in Entra: kind is contexts, policies or lifetimes.
func (s *Server) Change(kind string, change func(objects map[string]object)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(map[string]map[string]object{"contexts": s.contexts, "policies": s.policies, "lifetimes": s.lifetimes}[kind])
}

// Assign gives an application a lifetime policy.
func (s *Server) Assign(clientID, policy string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applications[clientID] = policy
}

// Assigned is the id of an application's lifetime policy.
func (s *Server) Assigned(clientID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.applications[clientID]
}

// Seen are the requests so far that would change something, as "METHOD path".
func (s *Server) Seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// refusal is Graph's answer to what it doesn't do.
type refusal struct {
	status        int
	code, message string
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := s.fault(r)
	if fault != nil && !fault.Done {
		write(w, fault.Status, object{"error": object{"code": "planted", "message": "a fault on demand"}}, fault.RetryAfter)
		return
	}
	if r.Method != http.MethodGet {
		s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	}
	status, answer, no := s.answer(r)
	switch {
	case fault != nil:
		write(w, fault.Status, object{"error": object{"code": "planted", "message": "the answer was lost"}}, fault.RetryAfter)
	case no != nil:
		write(w, no.status, object{"error": object{"code": no.code, "message": no.message}}, "")
	default:
		write(w, status, answer, "")
	}
}

func (s *Server) fault(r *http.Request) *Fault {
	for i := range s.faults {
		f := &s.faults[i]
		if f.Times > 0 && (f.Method == "" || f.Method == r.Method) && strings.HasPrefix(r.URL.Path, f.Path) {
			f.Times--
			return f
		}
	}
	return nil
}

func write(w http.ResponseWriter, status int, answer object, retryAfter string) {
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the caller may have gone
}

// answer is what a request gets whose token may make it.
func (s *Server) answer(r *http.Request) (int, object, *refusal) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	held, known := s.permissions[token]
	if !bearer || !known {
		return 0, nil, refuse(http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or unknown.")
	}
	path, v1 := strings.CutPrefix(r.URL.Path, "/v1.0/")
	if !v1 {
		return 0, nil, refuse(http.StatusNotFound, "ResourceNotFound", "Invalid version.")
	}
	body, no := bodyOf(r)
	if no != nil {
		return 0, nil, no
	}
	for _, c := range collections() {
		rest, mine := strings.CutPrefix(path, c.path)
		if !mine || rest != "" && rest[0] != '/' && c.path != "applications(" {
			continue
		}
		if !allowed(held, c.permissions(r.Method)) {
			return 0, nil, refuse(http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		}
		return c.serve(s, r, strings.TrimPrefix(rest, "/"), body)
	}
	return 0, nil, refuse(http.StatusNotFound, "Request_ResourceNotFound", "Resource not found for the segment %q.", path)
}

func bodyOf(r *http.Request) (object, *refusal) {
	data, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || len(data) == 0 {
		return nil, nil
	}
	var body object
	if r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(data, &body) != nil {
		return nil, refuse(http.StatusBadRequest, "BadRequest", "Unable to read JSON request payload.")
	}
	return body, nil
}

// allowed: one of the sets must be held as a whole.
func allowed(held []string, sets [][]string) bool {
	return slices.ContainsFunc(sets, func(set []string) bool {
		return !slices.ContainsFunc(set, func(p string) bool { return !slices.Contains(held, p) })
	})
}

// page is one page of a list, in the order of ids.
func (s *Server) list(r *http.Request, objects map[string]object) (int, object, *refusal) {
	ids := slices.Sorted(maps.Keys(objects))
	from := 0
	if _, err := fmt.Sscanf(r.URL.Query().Get("$skiptoken"), "%d", &from); err != nil || from > len(ids) {
		from = 0
	}
	to := min(from+s.page, len(ids))
	values := []any{}
	for _, id := range ids[from:to] {
		values = append(values, objects[id])
	}
	answer := object{"@odata.context": s.address + "/v1.0/$metadata#x", "value": values}
	if to < len(ids) {
		answer["@odata.nextLink"] = fmt.Sprintf("%s%s?$skiptoken=%d", s.address, r.URL.Path, to)
	}
	return http.StatusOK, answer, nil
}

func (s *Server) newID() string {
	s.next++
	return fmt.Sprintf("70000000-0000-4000-8000-%012d", s.next)
}
