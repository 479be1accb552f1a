package inspector

import (
	"html/template"
	"net/url"
	"slices"
	"strings"

	"tollgate/shared/audit"
)

// filter is what a person wants to see. "" keeps everything.
type filter struct{ Text, API, Verdict, Code, Client string }

func filterOf(q url.Values) filter {
	return filter{strings.TrimSpace(q.Get("q")), q.Get("api"), q.Get("verdict"), q.Get("code"), q.Get("client")}
}

// Any tells whether something is left out.
func (f filter) Any() bool { return f != filter{} }

// Query is the filter as an address has it.
func (f filter) Query() template.URL {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Text, "api": f.API, "verdict": f.Verdict, "code": f.Code, "client": f.Client} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return template.URL(q.Encode()) // escaped by Encode
}

func (f filter) keeps(one *entry) bool {
	e := &one.event
	return (f.API == "" || f.API == e.API) && (f.Verdict == "" || f.Verdict == e.Verdict) && (f.Code == "" || f.Code == e.Code) &&
		(f.Client == "" || f.Client == caller(e)) && (f.Text == "" || f.found(e))
}

// found looks for the text in what a row shows, and in the correlation id.
func (f filter) found(e *audit.Event) bool {
	for _, s := range []string{e.Method + " " + e.Path, e.API, e.Operation, e.Code, e.Rule, e.Correlation, caller(e), e.User} {
		if strings.Contains(strings.ToLower(s), strings.ToLower(f.Text)) {
			return true
		}
	}
	return false
}

// caller is who called, in the words that tell most: the client application, else
// the subscription, else nobody.
func caller(e *audit.Event) string {
	switch {
	case e.App != "":
		return e.App
	case e.Subscription != "":
		return e.Subscription
	}
	return ""
}

// choices are the values that the requests in the log have, for the lists of the form.
type choices struct{ APIs, Codes, Clients []string }

func choicesOf(all []*entry) choices {
	var c choices
	for _, one := range all {
		e := &one.event
		for list, value := range map[*[]string]string{&c.APIs: e.API, &c.Codes: e.Code, &c.Clients: caller(e)} {
			if value != "" && !slices.Contains(*list, value) && len(*list) < 100 {
				*list = append(*list, value)
			}
		}
	}
	for _, list := range []*[]string{&c.APIs, &c.Codes, &c.Clients} {
		slices.Sort(*list)
	}
	return c
}
