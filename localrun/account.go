package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/pipeline"
)

// account is an explanation, as --json prints it. Its names are kept.
type account struct {
	Method      string         `json:"method"`
	Path        string         `json:"path"` // without the query, which may hold secrets
	At          string         `json:"at"`
	Contracts   string         `json:"contracts"` // the folder
	Version     string         `json:"version"`   // digest of the contracts, as in events
	Environment string         `json:"environment"`
	API         string         `json:"api,omitempty"`
	Operation   string         `json:"operation,omitempty"`
	Verdict     string         `json:"verdict"`          // granted or refused
	Status      int            `json:"status,omitempty"` // of a refusal; a granted call's is the backend's
	Code        string         `json:"code"`             // granted, or the refusal's
	Stages      []stageAccount `json:"stages"`           // up to the one that refused

	Forward        map[string]string `json:"forward,omitempty"` // what the backend would hear about the caller
	Claims         json.RawMessage   `json:"claims,omitempty"`  // only if asked for
	ClaimsVerified *bool             `json:"claimsVerified,omitempty"`

	offline bool
	own     bool // the gateway answers it itself
}

// stageAccount is what one stage said.
type stageAccount struct {
	Stage   string `json:"stage"`
	Verdict string `json:"verdict"`
	Status  int    `json:"status,omitempty"`
	Code    string `json:"code,omitempty"`
	Detail  string `json:"detail,omitempty"` // what the caller is told
	Cause   string `json:"cause,omitempty"`  // private
	Rule    string `json:"rule,omitempty"`
	File    string `json:"file,omitempty"` // of the rule
	Line    int    `json:"line,omitempty"`
	Note    string `json:"note,omitempty"` // what the verdict leaves out

	source string // that line
}

// account is what the stages said, and where their rules stand.
func (s *scene) account(call *pipeline.Call, api, operation string, steps []gateway.Step) *account {
	a := &account{
		Method: call.Request.Method, Path: call.Path, API: api, Operation: operation,
		Contracts: s.source, Version: s.plan.Version, Environment: s.plan.Environment,
		Verdict: audit.Granted, Code: audit.Granted, own: !s.forwards(api, operation),
	}
	for _, step := range steps {
		one := stageAccount{Stage: step.Stage, Verdict: audit.Granted}
		if r := step.Refused; r != nil {
			status, text := call.Style.Answer(r)
			one = stageAccount{Stage: step.Stage, Verdict: audit.Refused, Status: status, Code: r.Code, Detail: text, Cause: r.Cause(), Rule: r.Rule}
			s.place(&one, api)
			a.Verdict, a.Status, a.Code = one.Verdict, one.Status, one.Code
		}
		one.Note = unasked()[step.Stage]
		a.Stages = append(a.Stages, one)
	}
	if a.Verdict == audit.Granted && !a.own {
		a.Forward = map[string]string{}
		for name, values := range call.Forward {
			a.Forward[name] = strings.Join(values, ", ")
		}
	}
	return a
}

// unasked is said of stages that ask a store, which is not asked here: what is
// judged costs nobody anything, and what is kept there is not looked at.
func unasked() map[string]string {
	return map[string]string{
		"limits":     "nothing is debited here, and what is used already doesn't count; see tollgate usage",
		"revocation": "not looked at here; see tollgate revocations list",
	}
}

// forwards tells whether a contract sends the operation's calls on: the others,
// such as fixed answers and an API's metadata, are the gateway's own.
func (s *scene) forwards(api, operation string) bool {
	return slices.ContainsFunc(s.plan.APIs, func(a contract.PlannedAPI) bool {
		return a.Name == api && slices.ContainsFunc(a.Operations, func(o contract.PlannedOperation) bool { return o.ID == operation && o.Reply == nil })
	})
}

func (s *scene) place(one *stageAccount, api string) {
	if one.Rule == "" {
		return
	}
	file, line := s.plan.Place(api, one.Rule)
	one.File, one.Line = filepath.Join(s.source, file), line
	one.source = sourceLine(filepath.Join(s.dir, file), line)
}

// addClaims takes the payload as it was sent: of a refused token it is a claim and no more.
func (a *account) addClaims(req *http.Request, verified bool) {
	_, raw, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	parts := strings.Split(raw, ".")
	if len(parts) < 2 {
		return
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil && json.Valid(payload) {
		a.Claims, a.ClaimsVerified = payload, &verified
	}
}

// show prints the account. A refusal ends the command with exit code 1.
func (a *account) show(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(a); err != nil {
			return err
		}
	} else {
		a.write(w)
	}
	if a.Verdict == audit.Refused {
		return errSaid
	}
	return nil
}

func (a *account) write(w io.Writer) {
	fmt.Fprintf(w, "%s %s", a.Method, plain(a.Path))
	if a.API != "" {
		fmt.Fprintf(w, ", which is %s of %s", a.Operation, a.API)
	}
	fmt.Fprintf(w, "\nby %s, environment %s, at %s\n\n", a.Contracts, a.Environment, a.At)
	width := len("require") // so that most explanations line up alike
	for _, s := range a.Stages {
		width = max(width, len(s.Stage))
	}
	for _, s := range a.Stages {
		s.write(w, width)
	}
	fmt.Fprintln(w)
	if a.Verdict == audit.Refused {
		fmt.Fprintf(w, "refused: %d %s, %s\n", a.Status, http.StatusText(a.Status), a.Code)
		if hint := a.hint(); hint != "" {
			fmt.Fprintln(w, hint)
		}
	} else {
		a.writeForward(w)
	}
	if a.Claims != nil {
		a.writeClaims(w)
	}
}

// write prints one line, and for a refusal its cause and the line of the contract.
func (s stageAccount) write(w io.Writer, width int) {
	if s.Verdict == audit.Granted {
		note := ""
		if s.Note != "" {
			note = " (" + s.Note + ")"
		}
		fmt.Fprintf(w, "%-*s  granted%s\n", width, s.Stage, note)
		return
	}
	by := ""
	if s.Rule != "" {
		by = fmt.Sprintf(" by %s (%s:%d)", s.Rule, s.File, s.Line)
	}
	fmt.Fprintf(w, "%-*s  refused: %s%s: %s\n", width, s.Stage, s.Code, by, plain(s.Detail))
	if s.Cause != "" {
		fmt.Fprintf(w, "%-*s  cause (private): %s\n", width, "", plain(s.Cause))
	}
	if s.source != "" {
		from, width := marked(s.source, s.Rule)
		fmt.Fprintf(w, "%5d | %s\n      | %s%s\n", s.Line, s.source, indent(s.source, from), strings.Repeat("^", max(width, 1)))
	}
}

func (a *account) writeForward(w io.Writer) {
	if a.own {
		fmt.Fprintln(w, "granted: the gateway answers this itself")
		return
	}
	fmt.Fprint(w, "granted: the call would go to the backend, which decides the status\n")
	if len(a.Forward) == 0 {
		fmt.Fprintln(w, "the backend would hear nothing about the caller")
		return
	}
	fmt.Fprintln(w, "the backend would hear:")
	for _, name := range slices.Sorted(maps.Keys(a.Forward)) {
		fmt.Fprintf(w, "  %s: %s\n", name, plain(a.Forward[name]))
	}
}

func (a *account) writeClaims(w io.Writer) {
	says := "the token's claims:"
	if !*a.ClaimsVerified {
		says = "the token's claims, which nobody verified:"
	}
	fmt.Fprintln(w, "\n"+says)
	var pretty strings.Builder
	enc := json.NewEncoder(&pretty)
	enc.SetIndent("  ", "  ")
	enc.SetEscapeHTML(false)
	if enc.Encode(a.Claims) == nil { // it was valid when it was taken
		for line := range strings.Lines("  " + pretty.String()) {
			fmt.Fprintln(w, plain(strings.TrimRight(line, "\n")))
		}
	}
}

// hint is what to try next, where that isn't plain from the refusal.
func (a *account) hint() string {
	switch {
	case a.Code == "token_missing":
		return "describe a token with --role or --scope, or bring one with --token"
	case a.Code == "token_expired":
		return "to judge it as it was then, give the time with --at"
	case a.Code == "keys_unavailable" && !a.offline:
		return "to judge it without the network, give the issuer's key set with --jwks FILE"
	}
	return ""
}
