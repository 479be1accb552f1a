package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"tollgate/localrun/credentials"
	"tollgate/localrun/estate"
	"tollgate/localrun/lambda"
	"tollgate/shared/boot"
)

// invocationTime is how long one call may take, as infra/modules/gateway-lambda has it.
const invocationTime = 30 * time.Second

// openLambda starts the bootstrap of the app's folder behind the front that --lambda names.
func (s *stage) openLambda(ctx context.Context, app string, port int) error {
	kind := lambda.Kind(s.flags.lambda)
	settings := credentials.OnLambda(s.sts)
	maps.Copy(settings, s.tablesSetting())
	settings[boot.Contracts], settings[boot.Environment] = s.local.Dir, estate.Name
	if kind == lambda.URLStream {
		settings[boot.Stream] = "true"
	}
	f, err := lambda.Start(lambda.Options{
		Bootstrap: filepath.Join(app, "bootstrap"), Kind: kind, Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Settings: settings,
		Log:      func(l lambda.Line) { s.onLine(l.Text) },
		Events:   s.onLambda,
		Arrivals: s.seen.Arrived,
		Budgets:  lambda.Budgets{Function: invocationTime},
	})
	if err != nil {
		return fmt.Errorf("start the function: %w", err)
	}
	s.front = f
	s.onClose(f.Close)
	return f.Ready(ctx)
}

func (s *stage) onLambda(e lambda.Event) {
	if s.flags.verbose {
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(s.info, "lambda: %s %s (process %d) %s\n", e.Time.Format("15:04:05.000"), e.Kind, e.PID, e.Detail)
	}
}
