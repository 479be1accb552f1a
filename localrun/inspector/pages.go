package inspector

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"tollgate/shared/audit"
)

//go:embed web
var web embed.FS

// asset serves one embedded file.
func asset(name, kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		http.ServeFileFS(w, r, web, "web/"+name)
	}
}

// words are what templates say things with. They escape by themselves; visible is
// for what can't be seen.
func words() template.FuncMap {
	return template.FuncMap{
		"visible": visible, "lines": visibleLines, "took": took,
		"percent": func(share float64) string { return fmt.Sprintf("%.0f", 100*min(max(share, 0), 1)) },
		"clock":   func(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05.000 MST") },
	}
}

// show renders a page whole before any of it is sent.
func (in *Inspector) show(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := in.pages.ExecuteTemplate(&page, name, data); err != nil {
		http.Error(w, "The page can't be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // whoever left needs nothing
}

// shownRows is how many requests the list has, unless all are asked for.
const shownRows = 200

type indexPage struct {
	Title, Here string
	Filter      filter
	Choices     choices
	Rows        []row
	All         int // that the filter keeps
	Newest      int
	Most        int
	Limits      limitsView
}

func (in *Inspector) index(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	all := in.log.newest(filter{})
	p := indexPage{Title: "Requests", Here: "requests", Filter: filterOf(q), Choices: choicesOf(all), Most: shownRows, Limits: in.limitsNow(r.Context(), fewLimits)}
	if q.Get("all") != "" {
		p.Most = Kept
	}
	if len(all) > 0 {
		p.Newest = all[0].number
	}
	for _, e := range all {
		if !p.Filter.keeps(e) {
			continue
		}
		if p.All++; p.All <= p.Most {
			p.Rows = append(p.Rows, rowOf(e))
		}
	}
	in.show(w, http.StatusOK, "index.html", p)
}

// limitsView is how far limits have filled up.
type limitsView struct {
	Known bool // counts are kept at all
	Fault string
	Uses  []Use
	More  int
}

const (
	fewLimits  = 8
	manyLimits = 500
)

func (in *Inspector) limitsNow(ctx context.Context, most int) limitsView {
	if in.options.Uses == nil {
		return limitsView{}
	}
	ctx, stop := context.WithTimeout(ctx, 2*time.Second)
	defer stop()
	uses, err := in.options.Uses(ctx)
	if err != nil {
		return limitsView{Known: true, Fault: "The counts can't be read: " + visible(err.Error())}
	}
	v := limitsView{Known: true, Uses: uses[:min(len(uses), most)]}
	v.More = len(uses) - len(v.Uses)
	return v
}

func (in *Inspector) limits(w http.ResponseWriter, r *http.Request) {
	most := manyLimits
	if r.URL.Query().Get("few") != "" {
		most = fewLimits
	}
	in.show(w, http.StatusOK, "limits.html", struct {
		Title, Here string
		Limits      limitsView
	}{"Limits", "limits", in.limitsNow(r.Context(), most)})
}

type requestPage struct {
	Title, Here  string
	Row          row
	Event        audit.Event
	Older, Newer int
	Decided      *excerpt
	Stages       []stageBar
	StagesNote   string
	Spans        []span
	Sent         *sentView
	Unseen       string
	Seen         []field
	SeenTarget   string
	Echoed       bool
}

// sentView is what the caller sent, as it may be shown.
type sentView struct {
	Target, Host, Proto string
	Fields              []field
	Cut, More           bool
	Body                string
}

func (in *Inspector) request(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.PathValue("number"))
	one, older, newer := in.log.numbered(n)
	if one == nil {
		in.show(w, http.StatusNotFound, "gone.html", struct {
			Title, Here string
			Kept        int
		}{"Gone", "requests", Kept})
		return
	}
	e := one.event
	p := requestPage{Title: visible(e.Method + " " + scrubbed(e.Path)), Here: "requests", Row: rowOf(one), Event: e, Older: older, Newer: newer, Decided: in.decided(&e), Spans: spansOf(&e)}
	var stages []Stage
	stages, p.StagesNote = in.judged(r.Context(), one)
	p.Stages = barsOf(stages)
	in.both(&p, one)
	in.show(w, http.StatusOK, "request.html", p)
}

// both fills in the request before the gateway and behind it.
func (in *Inspector) both(p *requestPage, one *entry) {
	var sent, seen http.Header
	if one.front != nil {
		sent = one.front.header
	}
	if one.back != nil {
		seen = one.back.header
		p.Echoed, p.SeenTarget = true, one.back.method+" "+in.safeTarget(one.back.target)
	}
	before, after := in.compared(sent, seen)
	if one.front == nil {
		p.Unseen = in.unseen()
	}
	if one.front == nil || one.back == nil {
		for _, list := range [][]field{before, after} {
			for i := range list {
				list[i].Mark = "" // there is nothing to compare with
			}
		}
	}
	p.Seen = after
	if a := one.front; a != nil {
		body, more := in.safeBody(a)
		p.Sent = &sentView{in.safeTarget(a.target), a.host, a.proto, before, a.cut, more, body}
	}
}
