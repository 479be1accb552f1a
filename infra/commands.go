package infra

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tollgate/infra/bindings"
	"tollgate/infra/summary"
	"tollgate/infra/terraform"
)

// Plan tells what Apply would do, and changes nothing.
func (d *Driver) Plan(ctx context.Context) error {
	j, err := d.judge(ctx)
	if err != nil {
		return err
	}
	if err := d.show(d.o.Result, j); err != nil {
		return err
	}
	if len(j.Refused) > 0 {
		return refusedBy(j)
	}
	if d.o.Detailed && (j.changes || len(j.Summary.Requests) > 0) {
		return ErrDiffers
	}
	return nil
}

// Apply makes the environment what the contracts and the configuration say, after asking.
func (d *Driver) Apply(ctx context.Context) error {
	if err := d.stateKept(); err != nil {
		return err
	}
	j, err := d.judge(ctx)
	if err != nil {
		return err
	}
	if err := d.show(d.o.Progress, j); err != nil {
		return err
	}
	if len(j.Refused) > 0 {
		return refusedBy(j)
	}
	if j.changes || len(j.Summary.Requests) > 0 {
		if err := d.o.Confirm(fmt.Sprintf("Apply this to %s?", d.o.Environment)); err != nil {
			return err
		}
	}
	if j.changes {
		if err := d.work.Apply(ctx); err != nil {
			return d.halfway(err)
		}
	}
	// What was created is written down, also if somebody interrupts just now.
	changed, err := d.bind(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if err := d.inDirectory(ctx, j.requests, false); err != nil {
		return err
	}
	return d.applied(j, changed)
}

// stateKept: a state that only this machine has would be lost with it.
func (d *Driver) stateKept() error {
	if d.o.Environment != Prod || !d.work.Local() || d.o.LocalState {
		return nil
	}
	return &Refused{"local-state", "the state of prod would be kept on this machine only, for nobody else to work with, and lost with it. " +
		"Write infra/environments/prod/state.tfbackend (the storage account of the state), or say --local-state"}
}

// halfway adds what was done before it failed.
func (d *Driver) halfway(err error) error {
	f, ok := errors.AsType[*terraform.Failure](err)
	if !ok {
		return err
	}
	if len(f.Done) == 0 {
		return fmt.Errorf("%w\nNothing was changed", err)
	}
	return fmt.Errorf("%w\n%d changes were made and are in the state; mend the cause and apply again for the rest", err, len(f.Done))
}

// bind writes what was created into the contracts.
func (d *Driver) bind(ctx context.Context) ([]bindings.Changed, error) {
	out, err := d.work.Outputs(ctx)
	if err != nil {
		return nil, err
	}
	d.app.read(out)
	o, ok := out["bindings"]
	if !ok {
		d.say("%s has no output bindings: nothing is written into the contracts", d.o.Environment)
		return nil, nil
	}
	b, err := bindings.Parse(o.Value)
	if err != nil {
		return nil, err
	}
	changed, err := d.file.Write(b)
	if errors.Is(err, bindings.ErrMoved) {
		return nil, fmt.Errorf("all is applied, but the contracts aren't bound: %w\nApply again; it writes them", err)
	}
	return changed, err
}

// app is where the package goes, by the output gateway.
type app struct {
	Group string `json:"resource_group"`
	Name  string `json:"function_app"`
}

// read leaves words to fill in where the output doesn't say.
func (a *app) read(out map[string]terraform.Output) {
	_ = json.Unmarshal(out["gateway"].Value, a) // one that is missing or of another shape changes nothing
	a.Group, a.Name = cmp.Or(a.Group, "GROUP"), cmp.Or(a.Name, "APP")
}

// inDirectory makes the requests that were shown, by the client ids that there are now,
// and no others.
func (d *Driver) inDirectory(ctx context.Context, shown []Request, gone bool) error {
	if d.o.Directory == nil || len(shown) == 0 {
		return nil
	}
	if err := d.read(); err != nil {
		return err
	}
	dir, requests, err := d.pending(ctx, gone)
	if err != nil {
		return fmt.Errorf("Terraform's part is done; of Entra: %w", err)
	}
	if !slices.Equal(requests, shown) {
		return errors.New("Terraform's part is done. What Entra is to be asked has changed since it was shown, so nothing was asked; run the same command again")
	}
	if err := dir.Apply(ctx); err != nil {
		return fmt.Errorf("Terraform's part is done; of the requests to Entra: %w\nRun the same command again for the rest", err)
	}
	for _, r := range requests {
		d.say("%s", r.What)
	}
	return nil
}

// Applied is what Apply says at its end.
type Applied struct {
	Environment string             `json:"environment"`
	Changed     bool               `json:"changed"`
	Bindings    []bindings.Changed `json:"bindings"`
	Accepted    []string           `json:"accepted,omitempty"`
	Next        []string           `json:"next"`
}

func (d *Driver) applied(j *judged, changed []bindings.Changed) error {
	a := Applied{
		Environment: d.o.Environment, Changed: j.changes, Bindings: append([]bindings.Changed{}, changed...), Accepted: j.Summary.Accepted,
		Next: []string{
			"make package", // stages the contracts that are bound now
			fmt.Sprintf("az functionapp deployment source config-zip --src dist/azure.zip --resource-group %s --name %s   (from an address under function.inbound.deployers)", d.app.Group, d.app.Name),
			"tollgate verify --environment " + d.o.Environment,
		},
	}
	if d.o.JSON {
		return writeJSON(d.o.Result, a)
	}
	w := d.o.Result
	if len(changed) > 0 {
		fmt.Fprintf(w, "\nWritten into %s/environments/%s.yaml (review and commit):\n", d.o.Contracts, d.o.Environment)
		for _, c := range changed {
			fmt.Fprintf(w, "  %s\n", c)
		}
	}
	fmt.Fprintf(w, "\n%s is as the contracts say. Next:\n", d.o.Environment)
	for _, n := range a.Next {
		fmt.Fprintf(w, "  %s\n", n)
	}
	return nil
}

// Destroy takes everything away, after its name was typed.
func (d *Driver) Destroy(ctx context.Context) error {
	id := "destroy:" + d.o.Environment
	if d.o.Environment == Prod && !slices.Contains(d.o.Accept, id) {
		return &Refused{"destroy", "prod is not destroyed by a slip; if it is meant: --accept " + id}
	}
	d.say("%s: reading what is there", d.o.Environment)
	plan, changes, err := d.work.Plan(ctx, terraform.Destroy)
	if err != nil {
		return err
	}
	d.name = summary.Names(plan)
	s := summary.Of(plan, summary.Facts{Environment: d.o.Environment, Uses: d.uses()})
	_, requests, err := d.pending(ctx, true)
	if err != nil {
		return err
	}
	for _, r := range requests {
		s.Requests = append(s.Requests, r.String())
	}
	if !changes && len(requests) == 0 {
		d.say("%s: there is nothing to destroy", d.o.Environment)
		return nil
	}
	s.Write(d.o.Progress)
	d.say("\nCallers of these APIs get no tokens any more, and what is kept in tables and logs is lost. The contracts stay, with ids that lead nowhere.")
	if err := d.o.Name(fmt.Sprintf("Type %s to destroy it: ", d.o.Environment), d.o.Environment); err != nil {
		return err
	}
	if changes {
		if err := d.work.Apply(ctx); err != nil {
			return d.halfway(err)
		}
	}
	if err := d.inDirectory(ctx, requests, true); err != nil {
		return err
	}
	if d.o.JSON {
		return writeJSON(d.o.Result, s)
	}
	fmt.Fprintf(d.o.Result, "%s is destroyed. A new apply gives new client ids; a vault with purge protection keeps its name until it is purged\n", d.o.Environment)
	return nil
}
