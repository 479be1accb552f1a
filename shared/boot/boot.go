// Package boot turns the environment into a assembled gateway. It is the only
// place that reads environment variables, the clock and the random source.
package boot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tollgate/shared/adapter/azure"
	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/telemetry"
	"tollgate/shared/token"
)

// Azure runs the gateway as a custom handler until it is told to stop, and
// returns the exit code, which is never 0 (functions-host.md §1.3).
func Azure(stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, os.Getenv, stdout, stderr); err != nil {
		// The host logs each line of stderr as one error; a start that fails says so in one.
		newLog(stdout, stderr).Error("the gateway doesn't start: " + err.Error())
		return 1
	}
	return azure.ExitStopped
}

func serve(ctx context.Context, getenv func(string) string, stdout, stderr io.Writer) error {
	run, err := assemble(getenv, OnAzure, stdout, stderr)
	if err != nil {
		return err
	}
	l, err := azure.Listen(run.config.Port)
	if err != nil {
		return err
	}
	azure.Ready(stdout, l, run.plan.Version)
	timers := azure.Timers{"refresh": refresh(run.gateway, run.outlets, run.telling, newLog(stdout, stderr))}
	err = azure.Server{Gateway: run.gateway, Timers: timers, Now: run.parts.Now, Report: run.parts.Report}.Serve(ctx, l)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	run.outlets.close(within)
	_ = run.telling.Close(within) // nobody is left to be told
	return err
}

// assembled is a gateway with what is around it.
type assembled struct {
	config  Config
	plan    *contract.Plan
	parts   gateway.Parts
	gateway *gateway.Gateway
	outlets outlets
	telling *telemetry.Telemetry // nil: nobody is told
	pools   *pools               // on AWS Lambda
}

// assemble makes a gateway of the settings. It does no network.
func assemble(getenv func(string) string, on Platform, stdout, stderr io.Writer) (*assembled, error) {
	config, err := configure(getenv, on)
	if err != nil {
		return nil, err
	}
	plan, err := Plan(config.Contracts, config.Environment)
	if err != nil {
		return nil, err
	}
	if err := settle(plan, on); err != nil {
		return nil, err
	}
	if on == OnLambda {
		if err := provable(plan, getenv); err != nil {
			return nil, err
		}
	}
	if err := checkStore(getenv, plan); err != nil {
		return nil, fmt.Errorf("the store can't be used (%s, or store.tables of %s): %w", Tables, config.Environment, err)
	}
	outside := Outside{Getenv: getenv, probe: &probe{}}
	if on == OnLambda {
		outside.pools = &pools{}
		if outside.role, err = outside.newRole(plan); err != nil {
			return nil, err
		}
	}
	parts, lines := outside.Parts(stdout, stderr), audit.NewLines(stdout)
	parts.Events = lines
	more := outside.addOutlets(&parts, plan, lines)
	telling, follow := outside.watched(&parts, plan)
	outside.probe.store.Store(&telling)
	if info, err := os.Stat(config.Snapshot); err == nil && info.IsDir() {
		parts.Identity.Snapshot = os.DirFS(config.Snapshot)
	}
	for _, f := range plan.Outdated(parts.Now()) {
		parts.Identity.Warn(f.Message + " (" + f.File + ")")
	}
	gw := gateway.Compile(plan, parts)
	follow(gw)
	return &assembled{config, plan, parts, gw, more, telling, outside.pools}, nil
}

// lastWords is how long sending what waits may take at the end.
const lastWords = 5 * time.Second

// refresh is the timer's work, with its report in the log.
func refresh(gw *gateway.Gateway, more outlets, telling *telemetry.Telemetry, log *slog.Logger) azure.Timer {
	return func(ctx context.Context) error {
		report, err := gw.Refresh(ctx)
		err = errors.Join(err, more.flush(ctx))
		if failed := telling.Flush(ctx); failed != nil { // no failure of the timer's: alerts are about calls
			report = append(report, "telemetry: "+singleLine(failed.Error()))
		}
		said := []any{"report", report}
		if err != nil {
			said = append(said, "error", err.Error())
		}
		log.Info("refresh", said...)
		return err
	}
}

// Plan reads a folder of contracts and binds it to one environment.
func Plan(dir, environment string) (*contract.Plan, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder of contracts at %s; set %s", dir, Contracts)
	}
	estate, faults := contract.Load(os.DirFS(dir))
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("the contracts in %s can't be enforced: %w", dir, err)
	}
	plan, faults := estate.Plan(environment)
	if err := faults.Err(); err != nil {
		return nil, fmt.Errorf("the contracts in %s can't be bound to %s=%s: %w", dir, Environment, environment, err)
	}
	return plan, nil
}

// Parts are the real clock, random source and network; events go to stdout,
// what an operator should know to stderr.
func Parts(stdout, stderr io.Writer) gateway.Parts {
	return Outside{Getenv: os.Getenv}.Parts(stdout, stderr)
}

// Parts are the same with another process around them.
func (o Outside) Parts(stdout, stderr io.Writer) gateway.Parts {
	log := newLog(stdout, stderr)
	parts := gateway.Parts{
		Now:    time.Now,
		NewID:  newID,
		Keys:   o.transport(),
		Events: audit.NewLines(stdout),
		Build:  build(),
		Report: reporter(log),
		Identity: token.Options{
			Warn:   func(text string) { log.Warn(text) },
			Jitter: mathrand.Float64,
		},
	}
	if o.Now != nil {
		parts.Now = o.Now
	}
	newBackends(o).join(&parts)
	return parts
}

// newID is 128 random bits: nobody can guess another call's name.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: Go aborts the process instead
	return hex.EncodeToString(b[:])
}
