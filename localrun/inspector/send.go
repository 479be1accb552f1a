package inspector

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate/localrun/issuer"
	"tollgate/shared/audit"
)

// draft is the form's request. What is secret in it, a key, is never filled in.
type draft struct {
	Method, Path, Headers, Body       string
	Who                               string // "token" or "nobody"
	API, Roles, Scopes, Client, Until string
	Key                               string
}

type sendPage struct {
	Title, Here string
	Secret      string // of the form, see Inspector.secret
	Of          int
	Draft       draft
	APIs        []apiHint
	Fault       string
	Answer      *answer
}

// apiHint is what an API's tokens can hold.
type apiHint struct{ Name, Roles, Scopes string }

func (in *Inspector) sendPage(d draft, of int) sendPage {
	d.Key = ""
	p := sendPage{Title: "Send a request", Here: "send", Secret: in.secret, Draft: d, Of: of}
	if of > 0 {
		p.Title = "Send again, with changes"
	}
	for _, a := range in.options.Plan.APIs {
		p.APIs = append(p.APIs, apiHint{a.Name, strings.Join(a.Roles, " "), strings.Join(a.Scopes, " ")})
	}
	return p
}

// form is empty, or filled with a request of the list.
func (in *Inspector) form(w http.ResponseWriter, r *http.Request) {
	d := draft{Method: http.MethodGet, Path: "/", Who: "token"}
	n, _ := strconv.Atoi(r.URL.Query().Get("of"))
	one, _, _ := in.log.numbered(n)
	if one != nil {
		d = in.draftOf(one)
	}
	p := in.sendPage(d, 0)
	if one != nil {
		p = in.sendPage(d, n)
	}
	in.show(w, http.StatusOK, "send.html", p)
}

// draftOf is a recorded request without its secrets.
func (in *Inspector) draftOf(one *entry) draft {
	e := &one.event
	d := draft{Method: e.Method, Path: scrubbed(e.Path), Who: "nobody", API: e.API, Client: e.App}
	if e.Principal != "" {
		d.Who = "token"
	}
	for _, c := range e.Claims {
		switch c.Name {
		case "roles":
			d.Roles = strings.Join(c.Values, " ")
		case "scp":
			d.Scopes = strings.Join(c.Values, " ")
		}
	}
	a := one.front
	if a == nil {
		return d
	}
	if len(a.header["Authorization"]) > 0 {
		d.Who = "token"
	}
	d.Path = in.withoutSecrets(a.target)
	var lines []string
	for _, f := range in.fields(a.header) {
		if !f.Masked && f.Name != "Accept-Encoding" && !slices.Contains(transports(), f.Name) && visible(f.Value) == f.Value {
			lines = append(lines, f.Name+": "+f.Value)
		}
	}
	d.Headers = strings.Join(lines, "\n")
	if body, more := in.safeBody(a); !more {
		d.Body = body
	}
	return d
}

// withoutSecrets is a target without the parameters that are masked elsewhere.
func (in *Inspector) withoutSecrets(target string) string {
	path, query, has := strings.Cut(target, "?")
	path = in.safeTarget(path) // which makes it one that must be edited
	if !has {
		return path
	}
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool {
		return in.safeTarget("?"+p) != "?"+p
	})
	if len(kept) == 0 {
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}

// maxForm bounds what the form may send.
const maxForm = 2 << 20

// send makes the call and shows the answer.
func (in *Inspector) send(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form can't be read.", http.StatusBadRequest)
		return
	}
	if subtle.ConstantTimeCompare([]byte(r.PostForm.Get("page")), []byte(in.secret)) != 1 {
		http.Error(w, "This form is of another run, or of another page. Open it anew.", http.StatusForbidden)
		return
	}
	d := drafted(r)
	of, _ := strconv.Atoi(r.PostForm.Get("of"))
	p := in.sendPage(d, of)
	status := http.StatusOK
	a, err := in.call(r.Context(), d)
	if p.Answer = a; err != nil {
		p.Fault, status = visible(err.Error()), http.StatusBadRequest
	}
	in.show(w, status, "send.html", p)
}

func drafted(r *http.Request) draft {
	f := r.PostForm
	// A browser sends each line end of a text as CR LF.
	text := func(name string) string { return strings.ReplaceAll(f.Get(name), "\r\n", "\n") }
	return draft{
		Method: strings.ToUpper(strings.TrimSpace(f.Get("method"))), Path: strings.TrimSpace(f.Get("path")), Headers: text("headers"), Body: text("body"),
		Who: f.Get("who"), API: f.Get("api"), Roles: f.Get("roles"), Scopes: f.Get("scopes"), Client: strings.TrimSpace(f.Get("client")), Until: strings.TrimSpace(f.Get("until")),
		Key: strings.TrimSpace(f.Get("key")),
	}
}

// token is the one that the form describes.
func (d draft) token() (issuer.Token, error) {
	t := issuer.Token{API: d.API, Roles: list(d.Roles), Scopes: list(d.Scopes), Client: d.Client}
	if d.Until == "" {
		return t, nil
	}
	var err error
	t.Lifetime, err = time.ParseDuration(d.Until)
	return t, err
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })
}

// await gives the event a moment: it is written after the answer was sent.
func (in *Inspector) await(ctx context.Context, correlation string) *entry {
	news, leave := in.log.watch()
	defer leave()
	if e := in.log.correlated(correlation); e != nil || correlation == "" {
		return e
	}
	patience := time.NewTimer(time.Second)
	defer patience.Stop()
	for {
		select {
		case e, open := <-news:
			if !open || e.event.Correlation == correlation && e.event.Event != audit.Started {
				return e
			}
		case <-patience.C:
			return in.log.correlated(correlation)
		case <-ctx.Done():
			return nil
		}
	}
}
