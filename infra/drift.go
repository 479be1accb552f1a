package infra

import (
	"context"
	"fmt"
	"strings"

	"tollgate/infra/summary"
	"tollgate/infra/terraform"
)

// Drifted is how an environment differs from what it should be.
type Drifted struct {
	Environment string         `json:"environment"`
	Differs     bool           `json:"differs"`
	Outside     []summary.Line `json:"outside"`   // changed by others since the last apply
	Destroyed   []summary.Line `json:"destroyed"` // an apply would remove
	Changes     []summary.Line `json:"changes"`   // an apply would make
	Small       int            `json:"small"`
	Requests    []Request      `json:"requests"` // of Entra, beside Terraform
}

// Drift tells whether the environment is what it should be; ErrDiffers if it isn't. It changes nothing.
func (d *Driver) Drift(ctx context.Context) error {
	d.say("%s: comparing what is there with the state", d.o.Environment)
	refresh, _, err := d.work.Plan(ctx, terraform.Refresh)
	if err != nil {
		return err
	}
	d.say("%s: comparing the state with the contracts", d.o.Environment)
	plan, changes, err := d.work.Plan(ctx, terraform.Create)
	if err != nil {
		return err
	}
	_, requests, err := d.pending(ctx, false)
	if err != nil {
		return err
	}
	facts := summary.Facts{Environment: d.o.Environment, Uses: d.uses()}
	s := summary.Of(plan, facts)
	r := Drifted{
		Environment: d.o.Environment, Outside: summary.Of(refresh, facts).Outside,
		Destroyed: s.Destroyed, Changes: s.Changes, Small: s.Small, Requests: append([]Request{}, requests...),
	}
	r.Differs = len(r.Outside) > 0 || changes || len(requests) > 0
	if err := d.drifted(r); err != nil {
		return err
	}
	if r.Differs {
		return ErrDiffers
	}
	return nil
}

func (d *Driver) drifted(r Drifted) error {
	if d.o.JSON {
		return writeJSON(d.o.Result, r)
	}
	w := d.o.Result
	if !r.Differs {
		fmt.Fprintf(w, "%s: no drift\n", r.Environment)
		return nil
	}
	section := func(title string, lines []summary.Line) {
		if len(lines) > 0 {
			fmt.Fprintf(w, "%s\n", title)
			for _, l := range lines {
				fmt.Fprintf(w, "  %s\n", l)
			}
		}
	}
	section("Changed by others since the last apply:", r.Outside)
	section("An apply would remove, or make anew:", r.Destroyed)
	section("An apply would change:", r.Changes)
	if r.Small > 0 {
		fmt.Fprintf(w, "  also %d small\n", r.Small)
	}
	for i, q := range r.Requests {
		if i == 0 {
			fmt.Fprintln(w, "Entra differs, beside Terraform:")
		}
		fmt.Fprintf(w, "  %s\n", strings.ReplaceAll(q.String(), "\n", "\n    "))
	}
	return nil
}
