package terraform

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Kind is what went wrong.
type Kind string

// The kinds of an error.
const (
	NotInstalled  Kind = "not-installed" // no Terraform, or one too old
	Locked        Kind = "locked"        // somebody else has the state
	LockLost      Kind = "lock-lost"     // the lock was taken or left behind
	StateUnsaved  Kind = "state-unsaved" // what was made isn't in the state
	Stale         Kind = "stale"         // the state moved on after the plan
	Credentials   Kind = "credentials"   // nobody is signed in, or no longer
	Forbidden     Kind = "forbidden"     // signed in, and not allowed to
	Registry      Kind = "registry"      // providers or modules can't be had
	Unreachable   Kind = "unreachable"   // the network, or a service
	Configuration Kind = "configuration" // the sources are wrong
	Provider      Kind = "provider"      // a cloud refused a resource
)

// Error is one thing that went wrong.
type Error struct {
	Kind    Kind
	Address string // of the resource, or file and line; "" for neither
	What    string
	Detail  string
	Hint    string // what to do
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Address != "" {
		b.WriteString(e.Address + ": ")
	}
	b.WriteString(e.What)
	if d := strings.TrimSpace(e.Detail); d != "" && d != e.What {
		b.WriteString("\n  " + strings.ReplaceAll(d, "\n", "\n  "))
	}
	if e.Hint != "" {
		b.WriteString("\n  → " + e.Hint)
	}
	return Printable(b.String())
}

// Failure is all that went wrong in one command, and what was done before.
type Failure struct {
	Errors      []error // *Error each
	Done, Begun []Step
}

func (f *Failure) Error() string {
	lines := make([]string, len(f.Errors))
	for i, e := range f.Errors {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

func (f *Failure) Unwrap() []error { return f.Errors }

// Interrupted is Ctrl-C, or another request to end.
type Interrupted struct {
	Applying    bool
	Killed      bool // by a second one, before Terraform had ended
	Done, Begun []Step
	Also        []error
	Root        string
}

func (i *Interrupted) Error() string {
	var b strings.Builder
	switch {
	case !i.Applying:
		b.WriteString("interrupted; nothing was changed")
	case i.Killed:
		fmt.Fprintf(&b, "killed in the middle: %d done, %d under way, whose outcome is not known. "+
			"What was done last may be missing from the state, and the state's lock may be left: plan again; it says who holds it", len(i.Done), len(i.Begun))
	case len(i.Also) > 0:
		fmt.Fprintf(&b, "interrupted: %d done, %d stopped on the way", len(i.Done), len(i.Begun))
	default:
		fmt.Fprintf(&b, "interrupted: %d done, %d stopped on the way; the state has what is there, and its lock is given back. "+
			"Plan again to see what is left", len(i.Done), len(i.Begun))
	}
	for _, e := range i.Also {
		b.WriteString("\n" + e.Error())
	}
	return b.String()
}

// explanations are told by Terraform's, the providers' and the clouds' own words: none of them has codes for all.
// The first that fits is taken.
var explanations = []struct {
	words *regexp.Regexp
	kind  Kind
	what  string // "" keeps the summary
	hint  string
}{
	{regexp.MustCompile(`(?i)saved plan is stale`), Stale, "the state has moved on since this plan was made: somebody else applied meanwhile. Nothing was changed",
		"plan again, and look at what it says now"},
	{regexp.MustCompile(`(?i)error acquiring the state lock|state blob is already locked`), Locked, "", ""},
	{regexp.MustCompile(`(?i)error releasing the state lock|LeaseLost|LeaseNotPresent|LeaseIdMismatch|lease id (is )?(missing|specified)`), LockLost,
		"the lock of the state was lost while Terraform worked", "look who else works on it; then plan again. If the lock is left behind: terraform force-unlock ID in the work folder"},
	{regexp.MustCompile(`(?i)failed to (persist|save) state|error saving state|errored\.tfstate`), StateUnsaved, "the state couldn't be saved", ""},
	{regexp.MustCompile(`(?i)az login|AzureCLI|azure cli|AADSTS(70043|700082|50173|50078|50076|700084|65001)|(expired|invalid)authenticationtoken|token (has|is) expired|ExpiredToken|could not configure .*authorizer|unable to build authori[sz]er|no valid credential|DefaultAzureCredential|subscription ID could not be determined`),
		Credentials, "", "sign in again: az login (and az account set --subscription ID); in a pipeline, look at the federated credential"},
	{regexp.MustCompile(`(?i)AuthorizationPermissionMismatch`), Forbidden, "",
		"the one who deploys needs Storage Blob Data Contributor on the container of the state"},
	{regexp.MustCompile(`(?i)AuthorizationFailed|does not have authorization|Authorization_RequestDenied|Insufficient privileges|ForbiddenByRbac|ForbiddenByPolicy|\b403\b|AccessDenied`), Forbidden, "", ""},
	{regexp.MustCompile(`(?i)failed to query available provider|could not retrieve the list of available versions|failed to install provider|could not connect to registry|registry service is unreachable|Failed to (request|resolve) (discovery|provider)`),
		Registry, "", "the providers' registry can't be reached. Offline, name a mirror of providers in the file that $TF_CLI_CONFIG_FILE names (terraform providers mirror DIR fills one)"},
	{regexp.MustCompile(`(?i)no such host|connection refused|network is unreachable|i/o timeout|TLS handshake timeout|context deadline exceeded`),
		Unreachable, "", "a service can't be reached; a private state or vault wants the network it is in"},
}

func (w *Work) explain(d Diagnostic) *Error {
	// What Terraform advises here is told better by the hint.
	d.Detail, _, _ = strings.Cut(d.Detail, "\n\nTo see which modules")
	text := d.Summary + "\n" + d.Detail
	for _, x := range explanations {
		if !x.words.MatchString(text) {
			continue
		}
		e := &Error{Kind: x.kind, Address: d.Address, What: x.what, Detail: d.Detail, Hint: x.hint}
		if e.What == "" {
			e.What = d.Summary
		}
		switch x.kind {
		case Stale:
			e.Detail = ""
		case Locked:
			return w.held(text)
		case Forbidden:
			if e.Hint == "" {
				e.Hint = "the one who deploys needs " + role(d.Address, text)
			}
		}
		return e
	}
	if d.Address == "" && d.Range != nil {
		return &Error{Kind: Configuration, Address: fmt.Sprintf("%s:%d", d.Range.Filename, d.Range.Start.Line), What: d.Summary, Detail: d.Detail}
	}
	return &Error{Kind: Provider, Address: d.Address, What: d.Summary, Detail: d.Detail, Hint: hint(text)}
}

// hint is for refusals that first deployments often meet.
func hint(text string) string {
	for words, h := range map[string]string{
		"MissingSubscriptionRegistration": "register the resource provider that it names: az provider register --namespace NAME",
		"QuotaExceeded":                   "ask for more quota, or take another region or a smaller size",
		"VaultAlreadyExists":              "a deleted vault keeps its name: recover it (az keyvault recover), or take another name",
		"SoftDeletedVault":                "a deleted vault keeps its name: recover it (az keyvault recover), or take another name",
		"already exists":                  "it is there, but not in the state: import it (terraform import), or remove it",
	} {
		if strings.Contains(text, words) {
			return h
		}
	}
	return ""
}

var lockInfo = regexp.MustCompile(`(?m)^\s*(ID|Who|Created|Operation):\s*(\S.*?)\s*$`)

// held says who has the state, since when, and how to take the lock away.
func (w *Work) held(text string) *Error {
	e := &Error{Kind: Locked, What: "somebody else is working on this environment's state", Hint: "wait until they have ended, then try again"}
	info := map[string]string{}
	for _, m := range lockInfo.FindAllStringSubmatch(text, -1) {
		info[m[1]] = m[2]
	}
	if info["Who"] != "" {
		e.What = fmt.Sprintf("%s has locked this environment's state (%s), since %s", info["Who"], info["Operation"], created(info["Created"]))
	}
	if info["ID"] != "" {
		e.Hint += fmt.Sprintf("; if nobody does any more: cd %s && terraform force-unlock %s", w.root, info["ID"])
	}
	return e
}

func created(text string) string {
	t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", text)
	if err != nil {
		return text
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// roles say what is needed for what was refused.
var roles = []struct{ words, role string }{
	{"Microsoft.Authorization/roleAssignments", "Role Based Access Control Administrator (or Owner) on the resource group"},
	{"Microsoft.Authorization/locks", "Owner (or User Access Administrator) on the resource group"},
	{"azuread_conditional_access", "Conditional Access Administrator in Entra"},
	{"azuread_named_location", "Conditional Access Administrator in Entra"},
	{"azuread_app_role_assignment", "Privileged Role Administrator in Entra (it consents for the whole tenant)"},
	{"azuread_service_principal_delegated_permission_grant", "Privileged Role Administrator in Entra (it consents for the whole tenant)"},
	{"azuread_claims_mapping_policy", "Application Administrator in Entra (Policy.ReadWrite.ApplicationConfiguration for a pipeline)"},
	{"azuread_", "Application Administrator in Entra (Application.ReadWrite.All for a pipeline)"},
	{"Authorization_RequestDenied", "Application Administrator in Entra (Application.ReadWrite.All for a pipeline)"},
	{"azurerm_key_vault_", "Key Vault Administrator on the vault"},
	{"ForbiddenByRbac", "Key Vault Administrator on the vault"},
	{"azurerm_storage_container", "Storage Blob Data Owner on the storage account"},
	{"azurerm_storage_table", "Storage Table Data Contributor on the storage account"},
	{"aws_", "a policy that allows the action it names"},
}

func role(address, text string) string {
	for _, r := range roles {
		if strings.Contains(address, r.words) || strings.Contains(text, r.words) {
			return r.role
		}
	}
	return "Contributor on the resource group"
}

func firstLine(text string) string {
	for line := range strings.Lines(text) {
		// Terraform frames its errors on a terminal.
		if line = strings.Trim(line, "│╷╵ \t\n"); line != "" {
			return strings.TrimPrefix(line, "Error: ")
		}
	}
	return text
}

// trimExit removes "exit status 1", which says nothing.
func trimExit(text string) string {
	first, rest, found := strings.Cut(text, "\n")
	if found && strings.HasPrefix(first, "exit status") {
		return strings.TrimSpace(rest)
	}
	return text
}
