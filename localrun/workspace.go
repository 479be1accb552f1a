package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"tollgate/localrun/events"
	"tollgate/shared/audit"
)

const (
	workspaceTime = 5 * time.Minute     // of one query: the service's own bound is ten
	longestAgo    = 90 * 24 * time.Hour // where nobody said since when
	// late is how long after a call arrived its event may be written: it is written at
	// its end, and takes minutes to be found.
	late = 24 * time.Hour
)

// workspaceFlags name a workspace of Log Analytics.
type workspaceFlags struct{ workspace, table, endpoint string }

func (f *workspaceFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.workspace, "workspace", "", "ask this workspace of Log Analytics (its id), signed in to Entra as az or azd is")
	fl.StringVar(&f.table, "workspace-table", events.DefaultTable, "the workspace's table that holds the events")
	fl.StringVar(&f.endpoint, "workspace-endpoint", events.DefaultWorkspaces, "where workspaces are asked, for other clouds")
}

// tableName is a table's name: it stands in a query.
var tableName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,99}$`)

func (f *workspaceFlags) open() (*events.Workspace, error) {
	if !guidText.MatchString(f.workspace) {
		return nil, fmt.Errorf("--workspace %q is not a workspace's id (a GUID)", f.workspace)
	}
	if !tableName.MatchString(f.table) {
		return nil, fmt.Errorf("--workspace-table %q is not a table's name", f.table)
	}
	u, err := url.Parse(f.endpoint)
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, fmt.Errorf("--workspace-endpoint %q is not an https address without a path", f.endpoint)
	}
	in := newSignIn()
	token := sync.OnceValues(func() (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), signInTime)
		defer cancel()
		return in.Token(ctx, "", f.endpoint+"/.default")
	})
	return &events.Workspace{
		Endpoint: f.endpoint, ID: f.workspace, Table: f.table, Client: &http.Client{Timeout: workspaceTime},
		Token: func(context.Context) (string, error) { return token() },
	}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// readWorkspace is read, of a workspace. holding keeps only events with that text.
func (f *eventFlags) readWorkspace(cmd *cobra.Command, r *events.Reader, s span, holding string, calls bool, yield func(audit.Event)) error {
	if len(f.files) > 0 {
		return errors.New("--events and --workspace contradict each other")
	}
	w, err := f.workspaceFlags.open()
	if err != nil {
		return err
	}
	now := time.Now()
	from, to := s.from, now
	if from.IsZero() {
		from = now.Add(-longestAgo)
	}
	if !s.to.IsZero() && s.to.Add(late).Before(now) {
		to = s.to.Add(late)
	}
	return r.Workspace(cmd.Context(), w, from, to, holding, calls, yield)
}
