package host

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// call is one request on its way through the host.
type call struct {
	w *response
	r *http.Request

	target target
	scheme string
	host   string // as the host believes it to be
	remote string // the peer's address without port, as the host sees it

	id     string // invocation id
	fn     *Function
	params map[string]string
}

func (h *Host) serve(w http.ResponseWriter, r *http.Request) {
	if !h.calls.enter() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer h.calls.leave()
	if h.options.FrontEnd != nil {
		h.options.FrontEnd.serve(w, r, h.answer)
		return
	}
	h.answer(w, r)
}

// answer is the pipeline of functions-host.md §3: availability, throttle, the
// host's own paths, function routes, home page.
func (h *Host) answer(w http.ResponseWriter, r *http.Request) {
	target, err := readTarget(r.RequestURI)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c := &call{r: r, target: target, id: newID()}
	h.options.Arrivals(c.id, r)
	h.fixUp(c)
	c.w = newResponse(w, r, h.app.config.headers)
	if h.app.config.hsts != "" && c.scheme == "https" && !loopbackName(c.host) {
		c.w.Header().Set("Strict-Transport-Security", h.app.config.hsts)
	}
	admin := below(target.path, "admin")
	if !admin && !h.available(c) {
		return
	}
	leave, ok := h.throttle.enter(r.Context())
	if !ok {
		// functions-host.md §4: no body, no Retry-After.
		c.w.Header().Set("X-FUNCTION-SCALEOUT", "1")
		c.w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	defer leave()
	if (admin || below(target.path, "runtime")) && h.own(c) {
		return
	}
	h.dispatch(c)
}

// fixUp reads what the platform says about the request. functions-host.md §7: the
// host believes DISGUISED-HOST and X-Forwarded-Proto blindly; only a front end
// that overwrites them makes them true.
func (h *Host) fixUp(c *call) {
	c.scheme, c.host = "http", c.r.Host
	if disguised := c.r.Header.Get("DISGUISED-HOST"); disguised != "" {
		c.host = disguised
	}
	if proto := c.r.Header.Get("X-Forwarded-Proto"); proto != "" {
		c.scheme = strings.TrimSpace(proto)
	}
	c.remote = withoutPort(c.r.RemoteAddr)
	if chain := c.r.Header.Values("X-Forwarded-For"); h.options.Variants.ForwardedHeaders && len(chain) > 0 {
		joined := strings.Join(chain, ", ")
		last := joined[strings.LastIndexByte(joined, ',')+1:]
		c.remote = withoutPort(strings.TrimSpace(last))
	}
}

func withoutPort(address string) string {
	if name, _, err := net.SplitHostPort(address); err == nil {
		return name
	}
	return address
}

func loopbackName(host string) bool {
	name := withoutPort(host)
	return strings.EqualFold(name, "localhost") || name == "127.0.0.1" || name == "::1" || name == "[::1]"
}

var errHeld = errors.New("held too long")

// available holds a request until the handler has first answered a probe.
// functions-host.md §1.4: 30 s, then 503; app_offline.htm is 503 with that file.
func (h *Host) available(c *call) bool {
	if page, err := os.ReadFile(filepath.Join(h.app.Root, "app_offline.htm")); err == nil {
		c.w.Header().Set("Content-Type", "text/html")
		c.w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = c.w.Write(page) // a caller who left needs nothing
		return false
	}
	if h.handler == nil {
		return true
	}
	ctx, stop := context.WithTimeoutCause(c.r.Context(), h.options.Budgets.Hold, errHeld)
	defer stop()
	_, err := h.handler.until(ctx, func(s state) (bool, error) {
		return s.opened || s.stopped != nil, s.stopped
	})
	if err != nil {
		c.w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = c.w.Write([]byte("Function host is not running."))
	}
	return err == nil
}

// own answers what belongs to the host itself; false lets functions try.
func (h *Host) own(c *call) bool {
	path := strings.ToLower(strings.TrimSuffix(c.target.path, "/"))
	post := c.r.Method == http.MethodPost
	switch {
	case path == "/admin/host/ping" && (post || c.r.Method == http.MethodGet):
		// functions-host.md §3: the one path here that asks for no key.
		c.w.WriteHeader(http.StatusOK)
	case h.options.Variants.AdminFallThrough && !claimed(path):
		return false
	case !h.master(c):
		c.w.WriteHeader(http.StatusUnauthorized)
	case path == "/admin/host/status":
		c.w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = c.w.Write([]byte(`{"state":"Running","version":"` + h.options.HostVersion + `"}`))
	default:
		c.w.WriteHeader(http.StatusNotFound)
	}
	return true
}

// claimed lists the beginnings of the host's own controllers.
func claimed(path string) bool {
	for _, own := range []string{"admin/host", "admin/functions", "admin/instance", "admin/vfs", "admin/zip", "admin/extensions", "runtime/webhooks"} {
		if below(path, own) {
			return true
		}
	}
	return false
}

// below tells whether a path is /prefix or lies under it, without case.
func below(path, prefix string) bool {
	rest, ok := cutPrefixFold(strings.TrimPrefix(path, "/"), prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// dispatch finds the function and checks the key: functions-host.md §3.
func (h *Host) dispatch(c *call) {
	c.fn, c.params = h.app.route(c.r.Method, c.target.path, h.options.Variants)
	switch {
	case c.fn == nil && c.target.path == "/" && c.r.Method == http.MethodGet:
		h.homepage(c)
	case c.fn == nil, c.fn.Disabled && !h.master(c):
		c.w.WriteHeader(http.StatusNotFound)
	case !h.granted(c):
		c.w.WriteHeader(http.StatusUnauthorized)
	default:
		h.invoke(c)
	}
}

func (h *Host) homepage(c *call) {
	if h.env.flag("AzureWebJobsDisableHomepage") {
		c.w.WriteHeader(http.StatusNoContent)
		return
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = c.w.Write([]byte("<!DOCTYPE html>\n<title>Functions</title>\n<p>The function app is up and running (a local stand-in).</p>\n"))
}
