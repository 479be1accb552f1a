package contract

import "time"

// PlannedStore is Store, bound.
type PlannedStore struct {
	Tables   string
	Identity string // client id of the managed identity; "" for the system-assigned
	Try      time.Duration
	Digest   SecretRef // of subscription keys; zero where no contract uses keys
	Previous SecretRef // zero where there is none
}

// KeyDemand is what an operation asks of the subscription key.
type KeyDemand int

// The demands. Whatever the demand, a key that is sent must be good.
const (
	KeyUnused   KeyDemand = iota // no product holds the API: what the header holds is removed, unread
	KeyOptional                  // a call without one is served under the product that allows it
	KeyAnd                       // a key and a token
	KeyAlone                     // a key instead of a token
)

// PlannedKeys is where keys are looked for, and for how long what is known of one is used.
type PlannedKeys struct {
	Header            string // canonical
	Query             string // "": nowhere
	Refresh, MaxStale time.Duration
}

// PlannedProduct is Product, bound.
type PlannedProduct struct {
	Name                   string
	APIs                   []string
	Optional               bool // calls without a key are served under it
	Approval               bool
	BindClient, BindTenant bool
	Limits                 []PlannedLimit
}

// PlannedRevocation is Revocation, bound.
type PlannedRevocation struct{ MaxStale time.Duration }

// The periods of a limit.
const (
	PeriodFixed = "" // Window says how long
	PeriodDay   = "day"
	PeriodWeek  = "week"
	PeriodMonth = "month"
	PeriodTotal = "total"
)

// What happens while the store can't be asked.
const (
	OutageRefuse = "refuse"
	OutageAllow  = "allow"
	OutageLocal  = "local"
)

// The kinds of a count's parts.
const (
	PerSubscription = "subscription"
	PerClaim        = "claim"
	PerToken        = "token"
	PerAddress      = "address"
	PerHeader       = "header"
	PerOperation    = "operation"
	PerAll          = "all"
)

// PlannedLimit is Limit, bound.
type PlannedLimit struct {
	Name   string
	Scope  string // whose counts these are: "api/NAME", "operation/API/ID" or "product/NAME"
	Rule   string // such as "limits.0" or "gateway.products.partner.limits.0"
	Quota  bool   // or else a rate
	Amount int64
	Bytes  bool // or else calls

	Period string        // one of the periods
	Window time.Duration // of PeriodFixed

	By     []CountedBy
	Shared bool // calls without a value share one count; or else they are refused

	FromSubscription bool // periods begin with the subscription
	Smooth, Shadow   bool
	UncountedRefused bool
	Uncounted        [6]bool // by the first digit of the status
	Outage           string  // one of the outage policies
	LocalShare       int     // percent
}

// CountedBy is one part of what a limit counts apart.
type CountedBy struct {
	Kind  string
	Names []string // claims, of which the first one present is taken; or the one header, canonical
}
