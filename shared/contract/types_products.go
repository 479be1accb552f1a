package contract

// Product bundles APIs for those who subscribe to it.
type Product struct {
	Description string   `field:"description" doc:"For readers."`
	APIs        []string `field:"apis,required" doc:"The APIs it opens, by name."`
	Key         string   `field:"key" doc:"required: its APIs are called with a subscription key. optional: also without one; then the product's limits hold for calls without a key too. At most one product with an optional key may hold an API." enum:"required,optional" default:"required"`
	Approval    *bool    `field:"approval" doc:"true: a subscription that is requested is active only once it was approved."`
	Bind        []string `field:"bind" doc:"What of the token must be what the subscription names: its client, its tenant, or both. A subscription that names none opens nothing." enum:"client,tenant"`
	Limits      []Limit  `field:"limits" doc:"Limits on calls with this product's keys, besides those of the APIs."`
}

// SubscriptionKeys says how keys are sent and how long what is known of one is used.
type SubscriptionKeys struct {
	Header   string   `field:"header" doc:"The header that carries the key. It never reaches a backend." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$" default:"Ocp-Apim-Subscription-Key"`
	Query    string   `field:"query" doc:"A query parameter that may carry it too. Without it, none may: addresses end up in logs." pattern:"^[A-Za-z0-9._-]{1,64}$"`
	Refresh  Duration `field:"refresh" doc:"How long what the store said of a key is used: after it, a suspended or rotated key is refused." default:"30s"`
	MaxStale Duration `field:"maxStale" doc:"How long it is used while the store can't be asked; 503 after it." default:"5m"`
}

// KeyPlace says how an API's keys are sent.
type KeyPlace struct {
	Header string `field:"header" doc:"The header that carries the key, instead of the gateway's." pattern:"^[A-Za-z][A-Za-z0-9-]{0,63}$"`
	Query  string `field:"query" doc:"A query parameter that may carry it too." pattern:"^[A-Za-z0-9._-]{1,64}$"`
}

// Revocation says how fresh the list of revocations must be.
type Revocation struct {
	MaxStale Duration `field:"maxStale" doc:"How long the list is used while the store can't be asked; 503 after it. While it can, a revocation holds within 5 seconds." default:"5m"`
}

// Store is where counters, subscriptions and revocations are kept.
type Store struct {
	Tables    string     `field:"tables,required" doc:"Address of the storage account's tables, such as https://NAME.table.core.windows.net. The gateway's identity needs Storage Table Data Contributor. Plain http only for loopback."`
	Try       Duration   `field:"try" doc:"How long one request to the store may take, up to 5s. A call waits for two at the most." default:"250ms"`
	KeyDigest *KeyDigest `field:"keyDigest" doc:"The secret by which subscription keys are told without being kept. Needed where keys are used."`
}

// KeyDigest names the secret under which keys' digests are made.
type KeyDigest struct {
	Vault    string `field:"vault,required" doc:"A name under vaults." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Current  string `field:"current,required" doc:"The name of the secret that new digests are made with: 32 random bytes or more, as text." pattern:"^[0-9a-zA-Z-]{1,127}$"`
	Previous string `field:"previous" doc:"The one before, while keys are still kept under it; each is moved to current when it is used." pattern:"^[0-9a-zA-Z-]{1,127}$"`
}
