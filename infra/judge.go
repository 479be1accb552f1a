package infra

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"tollgate/infra/guard"
	"tollgate/infra/planned"
	"tollgate/infra/summary"
	"tollgate/infra/terraform"
)

func (d *Driver) uses() []planned.Use {
	var out []planned.Use
	for _, c := range d.estate.Clients {
		for _, u := range c.Uses {
			out = append(out, planned.Use{Client: c.Name, API: u.API, Scopes: u.Scopes, Roles: u.Roles})
		}
	}
	return out
}

// private: prod always is, another by an output of that name.
func (d *Driver) private(plan *tfjson.Plan) bool {
	if d.o.Environment == Prod {
		return true
	}
	if plan.PlannedValues == nil {
		return false
	}
	o := plan.PlannedValues.Outputs["private"]
	return o != nil && o.Value == true
}

// pending are the requests beside Terraform, none where there is no directory.
func (d *Driver) pending(ctx context.Context, gone bool) (Directory, []Request, error) {
	if d.o.Directory == nil {
		return nil, nil, nil
	}
	dir, err := d.o.Directory(d.estate, d.o.Environment, gone)
	if err != nil {
		return nil, nil, err
	}
	all, err := dir.Pending(ctx)
	return dir, all, err
}

// loosening are findings of requests that take a protection away.
func loosening(requests []Request) []guard.Finding {
	var out []guard.Finding
	for _, r := range requests {
		if r.Loosens {
			out = append(out, guard.Finding{
				Rule: guard.RuleOff, Address: r.Method + " " + r.URL, Why: r.What + ".", How: "Leave it as it is.", Acceptable: true,
			})
		}
	}
	return out
}

// judged is a plan with all that is known of it.
type judged struct {
	Summary  *summary.Summary `json:"summary"`
	Refused  []guard.Finding  `json:"refused"`
	Accepted []guard.Finding  `json:"accepted"`

	changes  bool
	requests []Request
}

// judge plans, and holds the plan against the rules.
func (d *Driver) judge(ctx context.Context) (*judged, error) {
	d.say("%s: reading what is there", d.o.Environment)
	plan, changes, err := d.work.Plan(ctx, terraform.Create)
	if err != nil {
		return nil, err
	}
	d.name = summary.Names(plan)
	j := &judged{Summary: summary.Of(plan, summary.Facts{Environment: d.o.Environment, Uses: d.uses()}), changes: changes}
	if _, j.requests, err = d.pending(ctx, false); err != nil {
		return nil, err
	}
	for _, r := range j.requests {
		j.Summary.Requests = append(j.Summary.Requests, r.String())
	}
	found := append(guard.Check(plan, guard.Facts{Private: d.private(plan), Uses: d.uses()}), loosening(j.requests)...)
	if j.Refused, j.Accepted, err = guard.Accept(found, d.o.Accept); err != nil {
		return nil, err
	}
	j.Refused, j.Accepted = append([]guard.Finding{}, j.Refused...), append([]guard.Finding{}, j.Accepted...) // [] in JSON, not null
	for _, f := range j.Accepted {
		j.Summary.Accepted = append(j.Summary.Accepted, fmt.Sprintf("%s: %s", f.ID(), f.Why))
	}
	return j, nil
}

// show prints a judged plan to w.
func (d *Driver) show(w io.Writer, j *judged) error {
	if d.o.JSON && w == d.o.Result {
		return writeJSON(w, j)
	}
	j.Summary.Write(w)
	if len(j.Refused) > 0 {
		fmt.Fprintf(w, "\nREFUSED:\n")
		for _, f := range j.Refused {
			fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(f.String(), "\n", "\n  "))
		}
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
