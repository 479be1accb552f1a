package host

import (
	"strings"
	"time"
)

// config is what this stand-in obeys of host.json. Other keys are ignored, as
// the real host ignores what it doesn't know.
type config struct {
	custom     bool // a customHandler or httpWorker section stands in host.json
	legacy     bool // only the old httpWorker section does
	proxying   bool
	forwarding bool
	worker     worker
	init       time.Duration // budget of the first probe
	port       int           // 0 = any free one
	routes     []hostRoute

	timeout        time.Duration // functionTimeout; 0 = unlimited
	prefix         string
	maxConcurrent  int // <= 0 = unbounded
	maxOutstanding int
	headers        map[string]string // extensions.http.customHeaders
	hsts           string            // Strict-Transport-Security value; "" = off
}

// worker is customHandler.description.
type worker struct {
	exe, path  string
	dir, cwd   string
	args, tail []string
}

// hostRoute is one of customHandler.http.routes.
type hostRoute struct{ route, level string }

func readConfig(s *settings) config {
	if v := s.text("version", ""); v != "2.0" {
		s.fault("version", `got %q, want "2.0": add "version": "2.0" at the top of the file`, v)
	}
	if profile := s.text("configurationProfile", ""); profile != "" {
		s.fault("configurationProfile", "%q is not emulated here: write out what it stands for (customHandler.enableProxyingHttpRequest, extensions.http.routePrefix and a route)", profile)
	}
	c := config{
		timeout:        s.span("functionTimeout", 30*time.Minute),
		prefix:         strings.Trim(s.text("extensions:http:routePrefix", "api"), "/"),
		maxConcurrent:  s.number("extensions:http:maxConcurrentRequests", -1),
		maxOutstanding: s.number("extensions:http:maxOutstandingRequests", -1),
		headers:        map[string]string{},
		hsts:           readHSTS(s),
	}
	c.timeout = functionTimeout(s, c.timeout)
	for _, name := range s.children("extensions:http:customHeaders") {
		c.headers[name] = s.text("extensions:http:customHeaders:"+name, "")
	}
	// functions-host.md §4: both sections present: customHandler wins.
	switch {
	case s.has("customHandler"):
		c.custom = true
		c.readWorker(s, "customHandler")
	case s.has("httpWorker"):
		c.custom, c.legacy = true, true
		c.readWorker(s, "httpWorker")
	default:
		s.fault("customHandler", "missing: only custom handlers run here; add a customHandler section with description.defaultExecutablePath")
	}
	return c
}

// functionTimeout applies functions-host.md §4: -1 is unlimited, the least is 1 s.
func functionTimeout(s *settings, d time.Duration) time.Duration {
	if s.text("functionTimeout", "") == "-1" {
		return 0
	}
	if d < time.Second {
		s.fault("functionTimeout", `%s is too short: want at least "00:00:01", or "-1" for none`, d)
	}
	return d
}

func (c *config) readWorker(s *settings, section string) {
	description := section + ":description:"
	c.worker = worker{
		exe:  s.text(description+"defaultExecutablePath", ""),
		path: s.text(description+"defaultWorkerPath", ""),
		dir:  s.text(description+"workerDirectory", ""),
		cwd:  s.text(description+"workingDirectory", ""),
		args: s.list(description + "arguments"),
		tail: s.list(description + "workerArguments"),
	}
	// functions-host.md §1.1: an empty path is a configuration error.
	if c.worker.exe == "" {
		s.fault(description+"defaultExecutablePath", "empty: name the handler's file, relative to the app root")
	}
	c.init = s.span(section+":initializationTimeout", 30*time.Second)
	c.port = s.number(section+":port", -1)
	if c.port == 0 || c.port > 65535 {
		s.fault(section+":port", "got %d, want a free port from 1 to 65535, or no port at all", c.port)
	}
	c.port = max(c.port, 0)
	c.proxying = s.flag(section + ":enableProxyingHttpRequest")
	c.forwarding = s.flag(section + ":enableForwardingHttpRequest")
	if c.legacy {
		c.proxying = false
	}
	c.readRoutes(s, section+":http")
}

func (c *config) readRoutes(s *settings, section string) {
	standard := s.text(section+":defaultAuthorizationLevel", "function")
	for _, index := range s.children(section + ":routes") {
		key := section + ":routes:" + index
		c.routes = append(c.routes, hostRoute{
			route: s.text(key+":route", ""),
			level: s.text(key+":authorizationLevel", standard),
		})
	}
}

func readHSTS(s *settings) string {
	const section = "extensions:http:hsts"
	if !s.flag(section + ":isEnabled") {
		return ""
	}
	value := "max-age=" + seconds(s.span(section+":maxAge", 30*24*time.Hour))
	if s.flag(section + ":includeSubDomains") {
		value += "; includeSubDomains"
	}
	if s.flag(section + ":preload") {
		value += "; preload"
	}
	return value
}
