package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"tollgate/shared/audit"
)

// write tells it to a person. What is in an event was chosen by others in part, so
// everything passes plain.
func (a *reason) write(w io.Writer) error {
	var b strings.Builder
	e := &a.Event
	fmt.Fprintf(&b, "%s: %s", plain(e.Correlation), plain(e.Verdict))
	if e.Status != 0 {
		fmt.Fprintf(&b, ", %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Code != e.Verdict {
		fmt.Fprintf(&b, ", %s", plain(e.Code))
	}
	fmt.Fprintf(&b, "\n%s %s%s\nat %s\n\n", plain(e.Method), plain(e.Path), operationOf(e), when(e.Time))
	if a.Running {
		b.WriteString("Only that this stream began is known: it still runs, or its end left no event here.\n\n")
	}
	for _, l := range a.lines() {
		if l[1] != "" {
			fmt.Fprintf(&b, "%-12s%s\n", l[0], l[1])
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func operationOf(e *audit.Event) string {
	if e.API == "" {
		return ", which is no operation"
	}
	return fmt.Sprintf(", which is %s of %s", plain(e.Operation), plain(e.API))
}

func (a *reason) lines() [][2]string {
	e := &a.Event
	out := [][2]string{{"decided by", a.decided()}}
	if a.Source != "" {
		from, width := marked(a.Source, e.Rule)
		out = append(out, [2]string{"", fmt.Sprintf("%5s | %s", a.line, plain(a.Source))}, [2]string{"", fmt.Sprintf("%5s | %s%s", "", indent(a.Source, from), strings.Repeat("^", max(width, 1)))})
	}
	return append(out, [][2]string{
		{"contracts", a.versions()},
		{"cause", plain(e.Cause)},
		{"caller", a.caller()},
		{"key", keyOf(e)},
		{"stages", stageLine(a.Stages)},
		{"claims", claimsOf(e)},
		{"limits", limitsOf(e)},
		{"backend", backendOf(e)},
		{"time", timesOf(e)},
		{"bytes", fmt.Sprintf("%s in, %s out", sized(e.Received), sized(e.Sent))},
		{"marks", plain(strings.Join(e.Marks, ", "))},
		{"replay", replayOf(e)},
		{"trace", plain(e.Trace)},
		{"kept out", plain(strings.Join(e.Omitted, ", "))},
		{"pseudonyms", plain(strings.Join(e.Pseudonyms, ", "))},
		{"similar", a.similar()},
	}...)
}

func (a *reason) decided() string {
	e := &a.Event
	switch {
	case e.Rule == "" && e.Verdict == audit.Granted:
		return "no rule refused it"
	case e.Rule == "":
		return "no rule of a contract: the gateway always refuses this"
	case a.Place == "":
		return plain(e.Rule)
	}
	return fmt.Sprintf("%s (%s)", plain(e.Rule), a.Place)
}

func (a *reason) versions() string {
	switch a.Contracts {
	case sameContracts:
		return fmt.Sprintf("those in %s, digest %s", a.folder, plain(a.Event.Contract))
	case otherContracts:
		return fmt.Sprintf("OTHERS than those in %s decided (digest %s): lines and stages may differ", a.folder, plain(a.Event.Contract))
	}
	return fmt.Sprintf("digest %s; none are at hand (name them with --contracts and --environment)", plain(a.Event.Contract))
}

func (a *reason) caller() string {
	e := &a.Event
	var parts []string
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, plain(value)))
		}
	}
	switch e.Principal {
	case "user":
		add("user %s", e.User)
	case "application":
		add("application, object %s", e.User)
	default:
		add("%s", e.User)
	}
	if a.Client != "" {
		add("client %s", a.Client+" ("+e.App+")")
		add("owner %s", a.Owner)
	} else {
		add("client %s", e.App)
	}
	add("tenant %s", e.Tenant)
	add("issuer %s", e.Issuer)
	add("from %s", e.Client)
	if len(parts) > 0 {
		return strings.Join(parts, ", ")
	}
	if e.Verdict == audit.Granted {
		return "nobody is known: no token was asked for"
	}
	return "nobody is known: nothing that was sent had been verified"
}

func keyOf(e *audit.Event) string {
	if e.Subscription == "" {
		return ""
	}
	return fmt.Sprintf("of subscription %s, product %s", plain(e.Subscription), orNothing(plain(e.Product)))
}

func orNothing(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// claimsOf are those that rules read, and that the event therefore holds.
func claimsOf(e *audit.Event) string {
	var parts []string
	for _, c := range e.Claims {
		parts = append(parts, plain(c.Name)+" = "+plain(strings.Join(c.Values, ", ")))
	}
	return strings.Join(parts, "; ")
}

func limitsOf(e *audit.Event) string {
	var parts []string
	for _, l := range e.Limits {
		text := fmt.Sprintf("%s: %d left", plain(l.Name), l.Left)
		if l.Reset > 0 {
			text += ", more in " + l.Reset.String()
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func backendOf(e *audit.Event) string {
	switch {
	case e.Backend == "":
		return "not called"
	case e.BackendStatus == 0:
		return plain(e.Backend) + " gave no answer"
	}
	return fmt.Sprintf("%s answered %d, its answer began after %s", plain(e.Backend), e.BackendStatus, spent(e.Waited))
}

func timesOf(e *audit.Event) string {
	if e.Duration == 0 && e.Own == 0 {
		return ""
	}
	return fmt.Sprintf("%s in all, %s of it the gateway's own work", spent(max(e.Duration, e.Own)), spent(e.Own))
}

func replayOf(e *audit.Event) string {
	if !e.Replay {
		return ""
	}
	return "the Functions host sent the request again; its invocation is " + plain(e.Invocation)
}

func (a *reason) similar() string {
	if a.Similar == nil {
		return ""
	}
	text := fmt.Sprintf("%d other refusal(s) of this operation with %s within a day of it", *a.Similar, plain(a.Event.Code))
	if whose(&a.Event) != "" {
		text += fmt.Sprintf(", %d by the same caller", a.ByCaller)
	}
	return text
}
