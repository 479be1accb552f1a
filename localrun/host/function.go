package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Mode is how the host hands an invocation to the handler.
type Mode string

// The modes of functions-host.md §2.
const (
	Proxy   Mode = "proxy"   // the request itself, streamed (§2c)
	Forward Mode = "forward" // a rebuilt request, buffered (§2b)
	JSON    Mode = "json"    // a JSON document posted to /<FunctionName> (§2a)
)

// Function is one function of the app.
type Function struct {
	Name      string
	Mode      Mode
	Trigger   string   // "httpTrigger", "timerTrigger", ...
	Route     string   // with the route prefix, without a leading slash; http only
	Methods   []string // upper case; none = all
	AuthLevel string   // "anonymous", "function" or "admin"; http only
	Disabled  bool

	binding  string // the trigger's name
	output   string // the http output's name; "" = none
	template *template
}

// binding is one entry of function.json's "bindings".
type binding struct {
	Type      string   `json:"type"`
	Direction string   `json:"direction"`
	Name      string   `json:"name"`
	Route     *string  `json:"route"`
	Methods   []string `json:"methods"`
	AuthLevel string   `json:"authLevel"`
}

type functionFile struct {
	Disabled any       `json:"disabled"`
	Bindings []binding `json:"bindings"`
}

// reader turns files into functions; its faults name the file they are in.
type reader struct {
	root     string
	config   config
	env      environment
	variants Variants
	faults   []error
}

func (r *reader) fault(file, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(file+": "+format, args...))
}

// folders reads <root>/<Function>/function.json; files deeper or higher are not
// functions.
func (r *reader) folders() []*Function {
	entries, err := os.ReadDir(r.root)
	if err != nil {
		r.fault(r.root, "read the app root: %w", err)
		return nil
	}
	var functions []*Function
	for _, entry := range entries {
		file := filepath.Join(entry.Name(), "function.json")
		document, err := os.ReadFile(filepath.Join(r.root, file))
		switch {
		case err == nil:
			if f := r.function(entry.Name(), file, document); f != nil {
				functions = append(functions, f)
			}
		case entry.IsDir() && !errors.Is(err, os.ErrNotExist):
			r.fault(file, "read it: %w", err)
		}
	}
	return functions
}

func (r *reader) function(name, file string, document []byte) *Function {
	if !regexp.MustCompile(`(?i)^[a-z][a-z0-9_-]{0,127}$`).MatchString(name) || strings.EqualFold(name, "host") {
		r.fault(file, "the folder name %q can't be a function name: use a letter, then letters, digits, - and _", name)
		return nil
	}
	if _, err := decodeJSON(document); err != nil {
		r.fault(file, "%w", err)
		return nil
	}
	var content functionFile
	if err := json.Unmarshal(document, &content); err != nil {
		r.fault(file, "%w: give each binding a type, a direction and a name", err)
		return nil
	}
	trigger := r.trigger(file, content.Bindings)
	if trigger == nil {
		return nil
	}
	f := &Function{
		Name:     name,
		Trigger:  trigger.Type,
		Mode:     r.mode(content.Bindings),
		Disabled: r.disabled(name, content.Disabled),
		binding:  trigger.Name,
	}
	for _, b := range content.Bindings {
		if strings.EqualFold(b.Type, "http") && strings.EqualFold(b.Direction, "out") {
			f.output = b.Name
		}
	}
	if isHTTP(f.Trigger) {
		r.route(f, file, *trigger)
	}
	return f
}

func isHTTP(trigger string) bool { return strings.EqualFold(trigger, "httpTrigger") }

// trigger finds the one binding that starts the function.
func (r *reader) trigger(file string, bindings []binding) *binding {
	var found []*binding
	for i, b := range bindings {
		if b.Type == "" || b.Name == "" {
			r.fault(file, "bindings[%d]: type or name is empty: every binding needs both", i)
		}
		switch strings.ToLower(b.Direction) {
		case "", "in", "out", "inout":
		default:
			r.fault(file, "bindings[%d]: got direction %q, want in, out or inout", i, b.Direction)
		}
		if strings.HasSuffix(strings.ToLower(b.Type), "trigger") {
			found = append(found, &bindings[i])
		}
	}
	if len(found) != 1 {
		r.fault(file, "got %d trigger bindings, want exactly one (such as httpTrigger or timerTrigger)", len(found))
		return nil
	}
	return found[0]
}

// mode applies functions-host.md §2.0: only an httpTrigger in and an http out,
// and nothing else, is handed over as a request. One more binding silently
// switches to JSON.
func (r *reader) mode(bindings []binding) Mode {
	var in, out []string
	for _, b := range bindings {
		direction := strings.ToLower(b.Direction)
		if direction != "out" {
			in = append(in, strings.ToLower(b.Type))
		}
		if direction == "out" || direction == "inout" {
			out = append(out, strings.ToLower(b.Type))
		}
	}
	simple := slices.Equal(in, []string{"httptrigger"}) && slices.Equal(out, []string{"http"})
	switch {
	case simple && r.config.proxying: // wins over forwarding
		return Proxy
	case simple && (r.config.forwarding || r.config.legacy):
		return Forward
	}
	return JSON
}

// disabled reads function.json's flag (true, or the name of an app setting) and
// the app setting AzureWebJobs.<Name>.Disabled.
func (r *reader) disabled(name string, flag any) bool {
	switch flag := flag.(type) {
	case bool:
		if flag {
			return true
		}
	case string:
		if r.env.flag(flag) || strings.EqualFold(flag, "true") {
			return true
		}
	}
	return r.env.flag("AzureWebJobs."+name+".Disabled") || r.env.flag("AzureWebJobs_"+name+"_Disabled")
}

func (r *reader) route(f *Function, file string, b binding) {
	// functions-host.md §3: the route defaults to the function's name, the level to function.
	route := f.Name
	if b.Route != nil && *b.Route != "" {
		route = *b.Route
	}
	f.AuthLevel = strings.ToLower(b.AuthLevel)
	switch f.AuthLevel {
	case "":
		f.AuthLevel = "function"
	case "anonymous", "function", "admin":
	default:
		r.fault(file, "got authLevel %q, want anonymous, function or admin", b.AuthLevel)
	}
	for _, method := range b.Methods {
		f.Methods = append(f.Methods, strings.ToUpper(method))
	}
	route = strings.Trim(route, "/")
	if reserved(route) {
		r.fault(file, "route %q starts with admin or runtime, which the host keeps for itself: choose another route", route)
	}
	f.Route = strings.Trim(r.config.prefix+"/"+route, "/")
	var err error
	if f.template, err = parseTemplate(f.Route, r.variants.DoubleStar); err != nil {
		r.fault(file, "route %q: %w", route, err)
	}
}

// reserved is a test on the text's beginning: "administrators" is refused too
// (functions-host.md §3).
func reserved(route string) bool {
	lower := strings.ToLower(route)
	return strings.HasPrefix(lower, "admin") || strings.HasPrefix(lower, "runtime")
}
