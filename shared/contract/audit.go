package contract

import (
	"net/url"
	"slices"
	"strings"
)

// Audit says what events hold, and what happens while none can be kept.
type Audit struct {
	Unavailable  string   `field:"unavailable" doc:"What happens to a call while there is no place for its event. refuse: 503 before the backend is called. allow: it passes, and what is lost is counted and reported." enum:"refuse,allow" default:"refuse"`
	Omit         []string `field:"omit" doc:"What events don't hold, though it was there: user, client (the application), tenant, session (the token's id), address, subscription, path, or claim:NAME." pattern:"^(user|client|tenant|session|address|subscription|path|claim:.{1,200})$"`
	Pseudonymise []string `field:"pseudonymise" doc:"What events hold as a pseudonym (HMAC-SHA256) only: the same names, but path. Needs audit.pseudonymKey in the environment." pattern:"^(user|client|tenant|session|address|subscription|claim:.{1,200})$"`
}

// Audited is where one environment's events go besides standard output.
type Audited struct {
	PseudonymKey *PseudonymKey `field:"pseudonymKey" doc:"The secret behind pseudonyms."`
	Logs         *LogsSink     `field:"logs" doc:"A custom table in Log Analytics, by the Logs Ingestion API. The gateway's identity needs Monitoring Metrics Publisher on the rule."`
	EventHub     *EventHub     `field:"eventHub" doc:"An event hub, for a SIEM. The gateway's identity needs Azure Event Hubs Data Sender."`
}

// PseudonymKey names the secret under which pseudonyms are made.
type PseudonymKey struct {
	Vault string `field:"vault,required" doc:"A name under vaults." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Name  string `field:"name,required" doc:"The secret's name: 32 random bytes or more, as text. A new value makes new pseudonyms; events name which one they were made with." pattern:"^[0-9a-zA-Z-]{1,127}$"`
}

// LogsSink is a stream of a data collection rule.
type LogsSink struct {
	Endpoint string `field:"endpoint,required" doc:"Of the rule, or of the data collection endpoint, such as https://NAME.REGION-1.ingest.monitor.azure.com. Plain http only for loopback."`
	Rule     string `field:"rule,required" doc:"The rule's immutable id." pattern:"^dcr-[0-9a-f]{32}$"`
	Stream   string `field:"stream,required" doc:"The stream, such as Custom-Tollgate." pattern:"^Custom-[0-9A-Za-z_]{1,100}$"`
}

// EventHub is one event hub.
type EventHub struct {
	Namespace string `field:"namespace,required" doc:"Address of the namespace, such as https://NAME.servicebus.windows.net. Plain http only for loopback."`
	Name      string `field:"name,required" doc:"The event hub's." pattern:"^[0-9A-Za-z][0-9A-Za-z._-]{0,254}$"`
}

// PlannedAudit is Audit and Audited, bound.
type PlannedAudit struct {
	Allow              bool // calls pass without a place for their event
	Omit, Pseudonymise []string
	Secret             SecretRef // behind pseudonyms; zero where there are none
	Identity           string    // client id of the managed identity that sends; "" for the system-assigned
	Logs               *LogsSink // nil: not there
	EventHub           *EventHub
}

// checkAudit reports what needs no environment.
func (e *Estate) checkAudit() {
	d, a := e.gateway, &e.Gateway.Audit
	for i, name := range a.Pseudonymise {
		if slices.Contains(a.Omit, name) {
			d.fault("audit.pseudonymise."+itoa(i), "%q is under omit too; it is one or the other", name)
		}
	}
}

// audit binds where events go and what is in them, once each API's claims are known.
func (b *binder) audit(p *Plan, faults *Faults) {
	said, g := b.estate.Gateway.Audit, b.view(b.estate.gateway, faults)
	p.Audit = PlannedAudit{Allow: said.Unavailable == OutageAllow, Omit: said.Omit, Pseudonymise: said.Pseudonymise, Identity: b.env.Identities[GatewayIdentity]}
	for list, names := range map[string][]string{"omit": said.Omit, "pseudonymise": said.Pseudonymise} {
		for i, name := range names {
			claim, is := strings.CutPrefix(name, "claim:")
			if is && !slices.ContainsFunc(p.APIs, func(api PlannedAPI) bool { return slices.Contains(api.Reads, claim) }) {
				g.warn("audit."+list+"."+itoa(i), "no rule reads the claim %q, so no event holds it", claim)
			}
		}
	}
	env := b.env.Audit
	if env == nil {
		env = &Audited{}
	}
	b.pseudonymKey(p, env.PseudonymKey, g)
	if l := env.Logs; l != nil {
		checkURL(b.envDoc, "audit.logs.endpoint", l.Endpoint, plainLoopback)
		b.origin("audit.logs.endpoint", l.Endpoint)
		p.Audit.Logs = &LogsSink{Endpoint: strings.TrimSuffix(l.Endpoint, "/"), Rule: l.Rule, Stream: l.Stream}
	}
	if h := env.EventHub; h != nil {
		checkURL(b.envDoc, "audit.eventHub.namespace", h.Namespace, plainLoopback)
		b.origin("audit.eventHub.namespace", h.Namespace)
		p.Audit.EventHub = &EventHub{Namespace: strings.TrimSuffix(h.Namespace, "/"), Name: h.Name}
	}
}

func (b *binder) origin(at, address string) {
	if u, err := url.Parse(address); err == nil && (strings.Trim(u.Path, "/") != "" || u.RawQuery != "") {
		b.envDoc.fault(at, "%q has a path; it is the origin alone", address)
	}
}

func (b *binder) pseudonymKey(p *Plan, said *PseudonymKey, g *document) {
	used := len(p.Audit.Pseudonymise) > 0
	switch {
	case said == nil && used:
		g.fault("audit.pseudonymise", "pseudonyms are made with a secret, and %s names none; add audit: { pseudonymKey: … } there", b.env.doc.file)
	case said == nil:
	case !used:
		b.envDoc.warn("audit.pseudonymKey", "nothing is pseudonymised")
		b.used["vaults."+said.Vault] = true
	default:
		address := b.env.Vaults[said.Vault]
		b.used["vaults."+said.Vault] = true
		if address == "" {
			b.envDoc.fault("audit.pseudonymKey.vault", "there is no vault %q under vaults:%s", said.Vault, suggest(said.Vault, sortedKeys(b.env.Vaults)))
		}
		p.Audit.Secret = SecretRef{Vault: strings.TrimSuffix(address, "/"), Name: said.Name, Identity: b.env.Identities[GatewayIdentity]}
	}
}
