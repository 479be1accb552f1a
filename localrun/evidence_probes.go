package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tollgate/infra/verify"
	"tollgate/localrun/evidence"
)

// probes is a report of tollgate verify, and where it was read.
type probes struct {
	*verify.Report
	file string
}

// openProbes reads a report, or the newest one of the environment in a folder. None
// is named: there is nothing to show.
func openProbes(name, environment string) (*probes, error) {
	if name == "" {
		return nil, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("--verify: %w", err)
	}
	if info.IsDir() {
		if name, err = newestReport(name, environment); err != nil {
			return nil, err
		}
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("--verify: %w", err)
	}
	r, err := verify.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--verify %s: %w", name, err)
	}
	if r.Environment != environment {
		return nil, fmt.Errorf("--verify %s: the report is of the environment %s, and the evidence of %s", name, r.Environment, environment)
	}
	return &probes{r, name}, nil
}

// newestReport goes by the names that verify gives: they hold the time.
func newestReport(dir, environment string) (string, error) {
	all, err := fs.Glob(os.DirFS(dir), "verify-"+environment+"-*.json")
	if err != nil || len(all) == 0 {
		return "", errors.Join(err, fmt.Errorf("--verify: there is no report of the environment %s in %s", environment, dir))
	}
	return filepath.Join(dir, all[len(all)-1]), nil // fs.Glob sorts
}

// topicsOf are what a group of probes says something of.
func topicsOf(group string) []evidence.Topic {
	return map[string][]evidence.Topic{
		verify.Backends:  {evidence.Backends, evidence.Boundary},
		verify.Stores:    {evidence.Boundary, evidence.Backends},
		verify.Tokens:    {evidence.Identify},
		verify.Public:    {evidence.Authorise},
		verify.Identity:  {evidence.Identify, evidence.Backends},
		verify.Reserved:  {evidence.Boundary, evidence.Privileged},
		verify.Client:    {evidence.Boundary},
		verify.Transport: {evidence.Boundary},
		verify.Routes:    {evidence.Authorise},
		verify.Origins:   {evidence.Boundary},
	}[group]
}

// note says how far the probes reach, or that there are none.
func (p *probes) note(digest string) string {
	if p == nil {
		return "Probes from outside: " + evidence.NotShown + "; name a report of tollgate verify with --verify"
	}
	said := fmt.Sprintf("Probes from outside: %d passed, %d failed, %d not shown, made %s by tollgate verify at %s (%s)",
		p.Count(verify.Passed, ""), p.Count(verify.Failed, ""), p.Count(verify.NotShown, ""), day(p.Began), p.Address, p.file)
	if p.Contracts != digest {
		said += fmt.Sprintf(". They were made by other contracts (digest %s) than these", p.Contracts)
	}
	return said
}

// addTo puts the probes under what they are about, each with its date.
func (p *probes) addTo(figures map[evidence.Topic][]evidence.Figure) {
	if p == nil {
		return
	}
	add := func(group, query, says string) {
		for _, t := range topicsOf(group) {
			figures[t] = append(figures[t], evidence.Figure{Says: says, Query: query})
		}
	}
	for _, group := range verify.Groups() {
		passed, failed, open := p.Count(verify.Passed, group), p.Count(verify.Failed, group), p.Count(verify.NotShown, group)
		if passed+failed+open == 0 {
			continue
		}
		query := fmt.Sprintf("jq %s %s", quoted(fmt.Sprintf(".results | map(select(.group == %q).outcome) | group_by(.) | map({(.[0]): length}) | add", group)), quoted(p.file))
		add(group, query, fmt.Sprintf("probes of %s, %s: %d passed, %d failed, %d not shown", group, day(p.Began), passed, failed, open))
		for _, one := range p.Results {
			if one.Group == group && one.Outcome == verify.Failed {
				add(group, fmt.Sprintf("jq %s %s", quoted(fmt.Sprintf(".results[] | select(.id == %q)", one.ID)), quoted(p.file)),
					strings.Join([]string{"a probe FAILED", day(p.Began), one.Promise, one.Why}, ": "))
			}
		}
	}
}
