// Package contract holds the promises as data: what each API asks of a caller
// and hands to its backend, in YAML files that a security reviewer reads
// without a manual.
//
// Load reads them strictly, and reports every fault at once with file, line
// and column. Estate.Plan binds them to one environment. The field and doc
// tags below are the one description of the language: the decoder obeys them
// and contracts/schema.json is generated from them.
package contract

import "time"

// The kinds of a document. Gateway, API and Client state rules; Environment holds values only.
const (
	KindGateway     = "Gateway"
	KindAPI         = "API"
	KindClient      = "Client"
	KindEnvironment = "Environment"
)

// Text is a string in which ${…} stands for a value of the environment.
type Text string

// Duration is a span of time such as "30s" or "1m30s", above zero.
type Duration time.Duration

// Size is a number of bytes such as "512KiB" or "10MiB", above zero.
type Size int64

// Gateway is what holds for all APIs.
type Gateway struct {
	Kind           string            `field:"kind,required" doc:"Always Gateway. Exactly one file has it." enum:"Gateway"`
	Name           string            `field:"name,required" doc:"The gateway's name: the realm in challenges." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Description    string            `field:"description" doc:"For readers."`
	ClaimsContract int               `field:"claimsContract,required" doc:"Version of the forwarded headers, from 1. Raise it when a header under forward changes." min:"1"`
	Identity       Identity          `field:"identity" doc:"Whose tokens are accepted, and how strictly."`
	Forward        map[string]Source `field:"forward" doc:"The claims contract: each header that backends receive, and the claim it comes from. A caller's own copy of such a header, however spelt, is removed." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	MaxBody        Size              `field:"maxBody" doc:"Largest request body, for APIs that set none. Larger ones are answered 413." default:"10MiB"`

	ClientAddress   ClientAddress     `field:"clientAddress" doc:"Where the caller's address is read from. Without it, it is unknown."`
	Addresses       Addresses         `field:"addresses" doc:"From where calls to any API may come. Needs clientAddress."`
	FloodGuard      FloodGuard        `field:"floodGuard" doc:"When an address that sends refused credentials is slowed down. It can't lock anyone out."`
	ResponseHeaders map[string]string `field:"responseHeaders" doc:"Headers on every answer, refusals too, instead of the backend's." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`

	Products               map[string]Product               `field:"products" doc:"Bundles of APIs that are subscribed to, by name." keys:"^[a-z][a-z0-9-]{0,62}$"`
	SubscriptionKeys       SubscriptionKeys                 `field:"subscriptionKeys" doc:"How subscription keys are sent, and how fresh what is known of them must be."`
	Revocation             *Revocation                      `field:"revocation" doc:"How fresh the list of revocations must be. With a store, revocations always hold; this needs one."`
	Audit                  Audit                            `field:"audit" doc:"What events hold, and what happens while none can be kept. Without it: everything, and calls are refused."`
	Health                 Health                           `field:"health" doc:"What GET /_gateway/health tells. Without it, the status alone."`
	AuthenticationContexts map[string]AuthenticationContext `field:"authenticationContexts" doc:"What the stepUp of operations means in Entra, by its id: c1 to c99. Without it, stepUp takes what the tenant has." keys:"^c[1-9][0-9]?$"`
	Errors                 string                           `field:"errors" doc:"How refusals are written, for APIs that don't say, and where there is no API. problem: RFC 9457. apim: Azure API Management's envelope, statuses and texts, for clients that know those." enum:"problem,apim" default:"problem"`
}

// Identity says whose tokens are accepted.
type Identity struct {
	TokenVersions []string `field:"tokenVersions" doc:"Versions of Entra access tokens that are accepted." enum:"v1,v2" default:"v2"`
	ClockSkew     Duration `field:"clockSkew" doc:"How far the issuer's clock may be from ours, for exp and nbf; at most 5m." default:"60s"`
	Algorithms    []string `field:"algorithms" doc:"Signature algorithms that are accepted." enum:"RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA" default:"RS256"`
	Keys          KeySets  `field:"keys" doc:"How long issuers' keys are used, and how rarely they are asked for."`
	MaxLifetime   Duration `field:"maxLifetime" doc:"Longest exp minus iat of a token; without it, any. Entra's are at most a day."`
	Issuers       []Issuer `field:"issuers" doc:"OpenID Connect issuers other than the environment's Entra tenant. An API accepts one only if it names it."`
}

// KeySets says how long issuers' published keys are used.
type KeySets struct {
	Refresh  Duration `field:"refresh" doc:"Age at which the next request renews a key set; a key that was removed is refused after it at the latest." default:"1h"`
	Refetch  Duration `field:"refetch" doc:"Refused tokens (unknown key, bad signature) cause at most one fetch per issuer in this time." default:"60s"`
	MaxStale Duration `field:"maxStale" doc:"How long a key set is used while it can't be renewed; 503 after it." default:"24h"`
}

// Issuer is an OpenID Connect issuer that is not the environment's Entra tenant.
type Issuer struct {
	Name      string `field:"name,required" doc:"What APIs call it. entra is taken: the environment's tenant." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Issuer    Text   `field:"issuer,required" doc:"The exact iss of its tokens, an https URL. Plain http only for loopback."`
	Discovery Text   `field:"discovery" doc:"Where its discovery document is, without /.well-known/openid-configuration, if not below the issuer."`
	Profile   string `field:"profile" doc:"How its tokens are read. oauth: scope, sub and client_id. rfc9068: the same, strictly by RFC 9068 (typ at+jwt). entra: scp, roles, idtyp and azp, as External ID and B2C issue them." enum:"oauth,rfc9068,entra" default:"oauth"`
}

// Source is where a forwarded header's value comes from.
type Source struct {
	Claim Names `field:"claim,required" doc:"The claim, or several of which the first one present is taken. A list is joined with commas. Without any, the header is not sent."`
}

// Names is one name, or a list of them.
type Names []string

// API is what one API promises.
type API struct {
	Kind          string      `field:"kind,required" doc:"Always API. One file for each API." enum:"API"`
	Name          string      `field:"name,required" doc:"The API's name, unique in the estate." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Description   string      `field:"description" doc:"For readers."`
	Owner         string      `field:"owner,required" doc:"Who answers for it: a mail address or a team's name."`
	Path          string      `field:"path,required" doc:"Where the API lives. Every operation is below it, and no other API."`
	Backend       Backend     `field:"backend" doc:"Where granted calls go. An API needs one unless every operation of it has answer."`
	Audience      Text        `field:"audience,required" doc:"The registration's Application ID URI: aud of a v1 token, and of tokens of other issuers. A v2 token carries the client id instead, bound in the environment."`
	Issuers       []string    `field:"issuers" doc:"Whose tokens are accepted: entra, or names under the gateway's identity.issuers." default:"entra"`
	Tenants       []string    `field:"tenants" doc:"Whose Entra tokens are accepted: home, or names under the environment's tenants." default:"home"`
	SigningKeys   string      `field:"signingKeys" doc:"tenant: Entra signs with the tenant's keys. application: with keys of this registration alone, as claims mapping asks for." enum:"tenant,application" default:"tenant"`
	Principals    string      `field:"principals" doc:"Who may call at all; each operation's allow still decides." enum:"users,applications,both" default:"both"`
	Clients       []string    `field:"clients" doc:"Which client applications may call, by the names of their contracts. Without it, any that holds what an operation asks for."`
	ClientAuth    string      `field:"clientAuth" doc:"certificate: the client must have proved itself to Entra by a certificate or a federated credential (azpacr 2), not by a secret." enum:"any,certificate" default:"any"`
	Guests        *bool       `field:"guests" doc:"false: users must be members of their tenant (acct 0, an optional claim of the registration)."`
	Scopes        []Scope     `field:"scopes" doc:"Delegated permissions the API offers: what an app may do for a signed-in user."`
	Roles         []Role      `field:"roles" doc:"App roles the API offers, to applications and to users."`
	Assignment    string      `field:"assignment" doc:"required: Entra issues tokens for this API only to users, groups and applications that are assigned to it. open: to all of the tenant; allow still decides." enum:"required,open" default:"required"`
	Groups        []string    `field:"groups" doc:"Groups whose members may get tokens without a role, by the names under the environment's groups." pattern:"^[a-z][a-zA-Z0-9-]{0,62}$"`
	TokenLifetime Duration    `field:"tokenLifetime" doc:"How long Entra's tokens for this API are good, from 10m to 24h. Without it, 60 to 90 minutes. Needs Entra ID P1."`
	Proof         Proof       `field:"proof" doc:"How a caller proves that a token bound to a key is its own. Without it, a bound token is refused."`
	Require       []Required  `field:"require" doc:"Claims that every protected operation demands, all of them, besides its own rule."`
	MaxBody       Size        `field:"maxBody" doc:"Largest request body. Larger ones are answered 413."`
	Operations    []Operation `field:"operations,required" doc:"What can be called. Anything else is refused."`

	Addresses       Addresses           `field:"addresses" doc:"From where calls to this API may come, besides what the gateway says. Needs the gateway's clientAddress."`
	Query           Query               `field:"query" doc:"Which query parameters the backend gets."`
	CORS            *CORS               `field:"cors" doc:"Which pages' scripts may read the answers (Fetch, CORS protocol). It lets nobody call who couldn't without it."`
	Headers         map[string][]string `field:"headers" doc:"Headers that every request must carry, each exactly once and with one of these values." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	ResponseHeaders map[string]string   `field:"responseHeaders" doc:"Headers on every answer, refusals too, instead of the backend's and of the gateway's of that name." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`

	SubscriptionKeys KeyPlace `field:"subscriptionKeys" doc:"How subscription keys are sent to this API, where it differs from the gateway."`
	Limits           []Limit  `field:"limits" doc:"How much may be used of the API as a whole, besides what products and operations say."`
	Errors           string   `field:"errors" doc:"How refusals are written, if not as the gateway says. problem: RFC 9457. apim: Azure API Management's envelope, statuses and texts." enum:"problem,apim"`
}

// Proof is how a caller proves that a bound token is its own.
type Proof struct {
	DPoP              string `field:"dpop" doc:"RFC 9449. accepted: tokens bound by cnf.jkt need a proof, others are taken as bearer tokens. required: only bound tokens are taken." enum:"accepted,required"`
	CertificateHeader string `field:"certificateHeader" doc:"RFC 8705. The header in which the front end passes the client's certificate, such as X-ARR-ClientCert. Name it only where callers can't set it themselves." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
}

// Backend is where granted calls go.
type Backend struct {
	URL     Text     `field:"url" doc:"The backend's address; the request's whole path is appended. No part of a request can change the host. This or targets."`
	Timeout Duration `field:"timeout" doc:"Longest wait for the backend to take the request, and then to begin its answer; 504 after it. A running stream isn't cut." default:"30s"`

	Targets       []Target      `field:"targets" doc:"Several addresses that do the same, taken in turn by weight. This or url."`
	Breaker       *Breaker      `field:"breaker" doc:"When an address that fails is left alone for a while. Without it, never."`
	Retries       int           `field:"retries" doc:"1 to 5: how often a call is tried again that never reached a target, on the next one if there are several. Only GET, HEAD, OPTIONS, PUT and DELETE. Without it, never." min:"1"`
	MaxConcurrent int           `field:"maxConcurrent" doc:"Calls under way to this API's backend in one instance; beyond them 503 at once. A stream counts until its end. Without it, any number." min:"1"`
	CA            string        `field:"ca" doc:"A name under the environment's ca: only certificates of that authority are trusted, and not the system's. Without it, the system's." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	HTTP          string        `field:"http" doc:"2: HTTP/2 only, with prior knowledge where the address is plain http." enum:"1.1,2" default:"1.1"`
	Authenticate  *Authenticate `field:"authenticate" doc:"How the gateway proves itself to the backend; exactly one of these. Without it, not at all."`
	Assertion     *Assertion    `field:"assertion" doc:"A signed statement of the gateway that goes with each call: who calls, what, and for whom it is meant. A backend that verifies it can't be reached around the gateway."`
}

// Scope is a delegated permission.
type Scope struct {
	Name        string `field:"name,required" doc:"As in the token's scp." pattern:"^[A-Za-z0-9._:/-]{1,120}$"`
	Consent     string `field:"consent,required" doc:"Who may consent to it." enum:"user,admin"`
	Description string `field:"description" doc:"For readers."`
}

// Role is an app role.
type Role struct {
	Name        string   `field:"name,required" doc:"As in the token's roles." pattern:"^[A-Za-z0-9._:/-]{1,120}$"`
	Description string   `field:"description" doc:"For readers."`
	Groups      []string `field:"groups" doc:"Groups whose members hold the role, by the names under the environment's groups." pattern:"^[a-z][a-zA-Z0-9-]{0,62}$"`
}

// Required is one claim that must be there.
type Required struct {
	Claim     string `field:"claim,required" doc:"The claim's name, taken literally."`
	Match     string `field:"match,required" doc:"any: one of the values is enough. all: every value must be there." enum:"any,all"`
	Values    []Text `field:"values,required" doc:"The values, compared exactly."`
	Separator string `field:"separator" doc:"Splits a text claim into several values, such as one space." enum:" ,;"`
}

// Operation is one thing that can be called.
type Operation struct {
	ID          string `field:"id,required" doc:"Its name, unique in the API." pattern:"^[a-z][a-zA-Z0-9-]{0,62}$"`
	Description string `field:"description" doc:"For readers."`
	Match       string `field:"match,required" doc:"Method and path below the API's: \"GET /{id}\". {name} stands for one segment, {name...} for one or more at the end. A literal segment wins over a parameter."`
	Allow       *Allow `field:"allow" doc:"Who may call it. This or public, never both."`
	StepUp      string `field:"stepUp" doc:"Authentication context that a user must have met, such as c1. A client that can will ask Entra for it and come back." pattern:"^c[1-9][0-9]?$"`
	Public      *bool  `field:"public" doc:"true: anyone, without a token. This or allow, never both."`

	Upgrade string  `field:"upgrade" doc:"websocket: a GET that asks for it may become a WebSocket, if the backend agrees. Everywhere else Upgrade is removed." enum:"websocket"`
	Rewrite string  `field:"rewrite" doc:"The path that the backend gets, appended to its address in place of the request's: \"/v2/items/{id}\", with parameters of match."`
	Query   Query   `field:"query" doc:"Which query parameters the backend gets, besides the API's rules."`
	Reply   *Answer `field:"answer" doc:"What the gateway answers itself, after the same decisions; the backend isn't called."`

	EncodedSlash string              `field:"encodedSlash" doc:"allow: a parameter may hold %2F, or %252F, which is what a Functions host makes of it. Anywhere else such a path is refused." enum:"allow"`
	Headers      map[string][]string `field:"headers" doc:"Headers that a request must carry, besides the API's, each exactly once and with one of these values." keys:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`

	Limits []Limit `field:"limits" doc:"How much may be used of this operation, besides the API's limits."`
	Weight int     `field:"weight" doc:"How many calls one call of it counts for, at most 1000000; 1 if it isn't given." min:"1"`
}

// Allow says who may call. Users and applications are judged apart.
type Allow struct {
	Scopes    []string `field:"scopes" doc:"A user's token is let in with any one of these scopes."`
	Roles     []string `field:"roles" doc:"An application's token is let in with any one of these roles. Roles in a user's token don't count here."`
	UserRoles []string `field:"userRoles" doc:"A user's token must also hold any one of these roles; without scopes, it is let in by them alone."`
	Key       string   `field:"key" doc:"and: a subscription key as well as a token. alone: a key instead of a token; the backend hears of no identity." enum:"and,alone"`
}

// Client is a caller: an application that uses APIs.
type Client struct {
	Kind        string     `field:"kind,required" doc:"Always Client. One file for each client application." enum:"Client"`
	Name        string     `field:"name,required" doc:"The client's name, unique in the estate." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Description string     `field:"description" doc:"For readers."`
	Owner       string     `field:"owner,required" doc:"Who answers for it: a mail address or a team's name."`
	Uses        []Use      `field:"uses,required" doc:"What it uses."`
	Credential  Credential `field:"credential,required" doc:"How it proves itself to Entra. Where an API lists the client, a token got by a weaker proof is refused."`
}

// Use is what a client uses of one API.
type Use struct {
	API    string   `field:"api,required" doc:"The API's name."`
	Scopes []string `field:"scopes" doc:"Scopes it asks for, for its users."`
	Roles  []string `field:"roles" doc:"App roles it holds itself."`

	Preauthorized *bool `field:"preauthorized" doc:"true: nobody is asked to consent to these scopes. For clients of the same owner as the API."`
}

// Credential is how a client proves itself.
type Credential struct {
	Kind    string `field:"kind,required" doc:"certificate, federated (another platform's identity), none (a public client), or secret." enum:"certificate,federated,secret,none"`
	Expires string `field:"expires" doc:"A secret's last day, such as 2027-06-30. Required for a secret." pattern:"^20[0-9]{2}-[01][0-9]-[0-3][0-9]$"`
	Reason  string `field:"reason" doc:"Why it must be a secret. Required for a secret."`
}

// Environment holds values for one place the gateway runs in. It can't hold or change a rule.
type Environment struct {
	Kind        string            `field:"kind,required" doc:"Always Environment. The file's name is the environment's." enum:"Environment"`
	Description string            `field:"description" doc:"For readers."`
	Tenant      string            `field:"tenant,required" doc:"The Entra tenant's id, ${tenant} in contracts." pattern:"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"`
	Tenants     map[string]string `field:"tenants" doc:"Other Entra tenants, by the names that contracts call them." keys:"^[a-z][a-z0-9-]{0,62}$"`
	Cloud       string            `field:"cloud" doc:"Which Entra: its sign-in address and issuers follow from it." enum:"global,usgov,china" default:"global"`
	Authority   string            `field:"authority" doc:"Sign-in address instead of the cloud's, for a stand-in on a laptop. Plain http only for loopback."`
	PublicURL   string            `field:"publicURL" doc:"Where callers reach the gateway, ${publicURL} in contracts."`
	Backend     map[string]string `field:"backend" doc:"Backend addresses, ${backend.NAME} in contracts." keys:"^[a-z][a-zA-Z0-9-]{0,62}$"`
	ClientID    map[string]string `field:"clientId" doc:"The registration's client id of each API, by its name: what a v2 token carries in aud." keys:"^[a-z][a-z0-9-]{0,62}$"`
	Client      map[string]string `field:"client" doc:"The app id of each client, by its name: what azp or appid names." keys:"^[a-z][a-z0-9-]{0,62}$"`
	Issuer      map[string]string `field:"issuer" doc:"Issuer addresses, ${issuer.NAME} in contracts." keys:"^[a-z][a-z0-9-]{0,62}$"`
	CA          map[string]PEM    `field:"ca" doc:"Certificate authorities of private networks, by the names that backend.ca calls them: one or more certificates as PEM text." keys:"^[a-z][a-z0-9-]{0,62}$"`

	AssertionKey *AssertionKey     `field:"assertionKey" doc:"The key behind the assertions that APIs ask for."`
	Vaults       map[string]string `field:"vaults" doc:"Key Vaults, by the names that ${secret:NAME/…} in contracts calls them." keys:"^[a-z][a-z0-9-]{0,62}$"`
	Identities   map[string]string `field:"identities" doc:"Client ids that the gateway itself uses, ${identities.NAME} in contracts. gateway is its user-assigned managed identity: for Key Vault, and wherever a contract names none; without it, the system-assigned one." keys:"^[a-z][a-zA-Z0-9-]{0,62}$"`

	Groups       map[string]string      `field:"groups" doc:"Object ids of Entra groups, by the names that contracts call them. breakGlass is taken: the group that conditional access never shuts out." keys:"^[a-z][a-zA-Z0-9-]{0,62}$"`
	Owners       map[string]string      `field:"owners" doc:"Object ids of the users or service principals that own registrations in Entra, by the text under owner: in contracts." keys:"^[^ ](.{0,254}[^ ])?$"`
	Credentials  map[string]Credentials `field:"credentials" doc:"What clients prove themselves by here, by the client's name." keys:"^[a-z][a-z0-9-]{0,62}$"`
	RedirectURIs map[string][]string    `field:"redirectURIs" doc:"Where Entra may send users back to after they signed in to a client, by the client's name." keys:"^[a-z][a-z0-9-]{0,62}$"`

	Store *Store `field:"store" doc:"Where counters, subscriptions and revocations are kept. Needed where contracts have limits, products or revocation."`

	Audit *Audited `field:"audit" doc:"Where events go besides standard output, and the secret behind pseudonyms."`

	FrontDoorID string `field:"frontDoorId" doc:"The id of the Front Door profile before the gateway: what X-Azure-FDID must be." pattern:"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"`
}
