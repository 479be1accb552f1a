package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// App is an app root that has been read and found sound.
type App struct {
	Root      string
	Functions []*Function // in the order in which their routes are tried

	config config
}

// Load reads host.json and every <Function>/function.json below root. All faults
// come back in one error, each with its file and what to do; no process starts.
func Load(root string) (*App, error) {
	return load(root, newEnvironment(os.Environ(), nil), Variants{})
}

func load(root string, env environment, variants Variants) (*App, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("find the app root: %w", err)
	}
	document, err := os.ReadFile(filepath.Join(root, "host.json"))
	if err != nil {
		return nil, fmt.Errorf("read host.json: %w: the app root must be the folder that is deployed, with host.json directly in it", err)
	}
	s, err := parseSettings(document, env)
	if err != nil {
		return nil, fmt.Errorf("host.json: %w", err)
	}
	app := &App{Root: root, config: readConfig(s)}
	r := &reader{root: root, config: app.config, env: env, variants: variants}
	app.Functions = r.functions()
	r.conflicts(app.Functions)
	if err := errors.Join(append(s.faults, r.faults...)...); err != nil {
		return nil, fmt.Errorf("load the app at %s:\n%w", root, err)
	}
	return app, nil
}

// functions-host.md §3: routes are tried in the order of the functions' names,
// compared without case; nothing ranks a specific route before a catch-all.
func (r *reader) functions() []*Function {
	functions := append(r.folders(), r.synthesised()...)
	slices.SortStableFunc(functions, func(a, b *Function) int {
		return strings.Compare(strings.ToUpper(a.Name), strings.ToUpper(b.Name))
	})
	return functions
}

// synthesised are the functions that customHandler.http.routes stand for
// (functions-host.md §4): http-handler1..n, all seven methods.
func (r *reader) synthesised() []*Function {
	if len(r.config.routes) == 0 {
		return nil
	}
	const key = "host.json: customHandler.http.routes"
	if files, _ := filepath.Glob(filepath.Join(r.root, "*", "function.json")); len(files) > 0 {
		r.fault(key, "it can't stand beside function.json files, and there are %d: keep one of the two", len(files))
	}
	if runtime, ok := r.env.values["FUNCTIONS_WORKER_RUNTIME"]; ok && !strings.EqualFold(runtime, "custom") {
		r.fault(key, `it needs the app setting FUNCTIONS_WORKER_RUNTIME "custom", got %q`, runtime)
	}
	simple := []binding{{Type: "httpTrigger", Direction: "in"}, {Type: "http", Direction: "out"}}
	methods := []string{"get", "post", "put", "delete", "patch", "head", "options"}
	var functions []*Function
	for i, route := range r.config.routes {
		if err := checkHostRoute(route.route); err != nil {
			r.fault(key, "[%d]: %w", i, err)
			continue
		}
		f := &Function{Name: "http-handler" + strconv.Itoa(i+1), Mode: r.mode(simple), Trigger: "httpTrigger", binding: "req", output: "res"}
		r.route(f, key, binding{Route: &route.route, Methods: methods, AuthLevel: route.level})
		functions = append(functions, f)
	}
	return functions
}

func checkHostRoute(route string) error {
	depth := 0
	for _, c := range route {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth < 0 || depth > 1 {
			return fmt.Errorf("route %q has unbalanced braces", route)
		}
	}
	if route == "" || depth != 0 || strings.Contains(route, " ") || strings.Contains(route, "//") || strings.Contains(route, "{}") {
		return fmt.Errorf("route %q: it may not be empty nor hold a space, //, {} or unbalanced braces", route)
	}
	return nil
}

// conflicts applies functions-host.md §3: the same route text with overlapping
// methods is an error of the second function.
func (r *reader) conflicts(functions []*Function) {
	for i, second := range functions {
		if i > 0 && strings.EqualFold(functions[i-1].Name, second.Name) {
			r.fault(second.Name+"/function.json", "the function %s exists too, and names don't differ by case: rename one folder", functions[i-1].Name)
		}
		for _, first := range functions[:i] {
			if second.template != nil && first.template != nil && strings.EqualFold(first.Route, second.Route) && overlap(first.Methods, second.Methods) {
				r.fault(second.Name+"/function.json", "its route %q with the same methods belongs to %s already: change the route or the methods", second.Route, first.Name)
			}
		}
	}
}

func overlap(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 { // none listed = all
		return true
	}
	return slices.ContainsFunc(a, func(method string) bool { return slices.Contains(b, method) })
}
