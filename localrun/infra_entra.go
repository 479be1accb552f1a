package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate/infra"
	"tollgate/infra/graph"
	"tollgate/shared/contract"
)

// graphTime bounds one request to Graph.
const graphTime = 30 * time.Second

// entra is what an environment has in Entra beside Terraform's resources, at Graph.
type entra struct {
	client  *graph.Client
	want    *graph.Wanted
	change  *graph.Change // that was shown last
	lenient bool          // show everything that is asked for where Graph can't be asked
	say     io.Writer
}

// directory makes the driver's Directory for Graph, with the identity of whoever runs the command.
func (f *infraFlags) directory(say io.Writer) func(*contract.Estate, string, bool) (infra.Directory, error) {
	return func(estate *contract.Estate, environment string, gone bool) (infra.Directory, error) {
		r, faults := estate.Registrations(environment)
		if err := faults.Err(); err != nil {
			return nil, err
		}
		client, err := f.atGraph(r.Cloud)
		if err != nil {
			return nil, err
		}
		want := graph.Want(r, nil, graph.Options{})
		if gone {
			want = want.Nothing()
		}
		return &entra{client: client, want: want, lenient: f.lenient, say: say}, nil
	}
}

// atGraph is a client of the cloud's Graph, or of a stand-in for it.
func (f *infraFlags) atGraph(cloud string) (*graph.Client, error) {
	c := &graph.Client{Address: graph.Base(cloud), Transport: http.DefaultTransport, Wait: wait}
	if f.graph == "" {
		person := newSignIn()
		c.Token = func(ctx context.Context) (string, error) { return person.Token(ctx, "", c.Address+"/.default") }
		return c, nil
	}
	u, err := url.Parse(f.graph)
	if err != nil || u.Scheme != "http" || u.Path != "" || !loopback(u.Hostname()) {
		return nil, fmt.Errorf("--graph %q is not the address of a stand-in on this machine, such as http://127.0.0.1:8085", f.graph)
	}
	// A person's token never goes to a stand-in.
	c.Address, c.Token = f.graph, func(context.Context) (string, error) { return "stand-in", nil }
	return c, nil
}

// wait ends early with the context.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// Pending are the requests that Graph would get, compared with what it holds.
func (e *entra) Pending(ctx context.Context) ([]infra.Request, error) {
	reading, cancel := context.WithTimeout(ctx, graphTime)
	defer cancel()
	have, err := e.client.Read(reading, e.want)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && graph.Diff(e.want, &graph.State{}).Empty():
		// Whoever uses none of this needs no right to read it.
		fmt.Fprintf(e.say, "nothing is asked of Entra beside Terraform; whether something of earlier is left there wasn't looked at: %v\n", err)
		have = &graph.State{}
	case err != nil && !e.lenient:
		return nil, fmt.Errorf("compare with Entra: %w", err)
	case err != nil:
		fmt.Fprintf(e.say, "Entra wasn't asked what it holds, so every request that the contracts need is shown: %v\n", err)
		have = &graph.State{}
	}
	e.change = graph.Diff(e.want, have)
	for _, note := range e.change.Notes {
		fmt.Fprintf(e.say, "note: %s\n", note)
	}
	var out []infra.Request
	for _, r := range e.change.Requests {
		out = append(out, infra.Request{What: strings.TrimSuffix(r.Why, "."), Method: r.Method, URL: e.client.Address + r.Path, Body: string(r.Body), Loosens: r.Loosens})
	}
	return out, nil
}

// Apply makes the requests that Pending told, and reads back.
func (e *entra) Apply(ctx context.Context) error {
	outcome, err := e.client.Apply(ctx, e.want, e.change)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, outcome)
	}
	return nil
}
