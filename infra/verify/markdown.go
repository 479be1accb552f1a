package verify

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Markdown writes the report for people.
func (r *Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Probes of %s, environment %s\n\n", text(r.Gateway), text(r.Environment))
	fmt.Fprintf(&b, "- Made: %s to %s, by tollgate verify, with %d requests\n", r.Began.Format(time.RFC3339), r.Ended.Format(time.RFC3339), r.Requests)
	fmt.Fprintf(&b, "- Gateway: %s\n- Contracts: digest %s\n", text(r.Address), text(r.Contracts))
	fmt.Fprintf(&b, "- %d passed, %d failed, %d not shown\n", r.Count(Passed, ""), r.Count(Failed, ""), r.Count(NotShown, ""))
	if !r.Reached {
		b.WriteString("- The gateway was not reached, so that silence shows nothing\n")
	}
	for _, group := range Groups() {
		r.group(&b, group)
	}
	b.WriteString("\n## Evidence\n")
	for _, one := range r.Results {
		if len(one.Evidence) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", text(one.ID))
		for _, e := range one.Evidence {
			fmt.Fprintf(&b, "- %s: %s. %s\n", e.At.Format(time.RFC3339), text(e.Request), e.came())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) group(b *strings.Builder, group string) {
	first := true
	for _, one := range r.Results {
		if one.Group != group {
			continue
		}
		if first {
			fmt.Fprintf(b, "\n## %s%s\n\n| outcome | promise | why |\n|---|---|---|\n", strings.ToUpper(group[:1]), group[1:])
			first = false
		}
		outcome := string(one.Outcome)
		if one.Outcome == Failed {
			outcome = "**failed**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", outcome, text(one.Promise), text(one.Why))
	}
}

// came is what came back, in one line.
func (e Exchange) came() string {
	var parts []string
	if e.Status != 0 {
		parts = append(parts, fmt.Sprint(e.Status))
	}
	for _, s := range []string{e.Code, e.Said} {
		if s != "" {
			parts = append(parts, text(s))
		}
	}
	parts = append(parts, fmt.Sprintf("%d ms", e.Millis))
	if e.Correlation != "" {
		parts = append(parts, "correlation "+text(e.Correlation))
	}
	return strings.Join(parts, ", ")
}

// text is a value in Markdown that stays text: servers choose some of these.
func text(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unicode.IsGraphic(r):
			fmt.Fprintf(&b, "\\\\u%04x", r)
		case strings.ContainsRune("<>&", r):
			fmt.Fprintf(&b, "&#%d;", r)
		case strings.ContainsRune("\\`*_{}[]#|~$", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
