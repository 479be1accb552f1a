package contract

// Limit is how much may be used, by whom, in which time.
type Limit struct {
	Name            string   `field:"name,required" doc:"Its name, unique among the limits of an API with its operations, or of a product. Answers carry it." pattern:"^[a-z][a-z0-9-]{0,62}$"`
	Rate            string   `field:"rate" doc:"Calls, or bytes, in a window of 1s to 1h: 100/minute, 20/10s, 50MiB/minute. This or quota." shape:"^[1-9][0-9]{0,14}(KiB|MiB|GiB)?/(second|minute|hour|[1-9][0-9]{0,4}[sm])$"`
	Quota           string   `field:"quota" doc:"Calls, or bytes, in a period: 100000/month, 10GiB/day. total never begins anew." shape:"^[1-9][0-9]{0,14}(KiB|MiB|GiB)?/(hour|day|week|month|total)$"`
	By              Names    `field:"by,required" doc:"What is counted apart: subscription, claim:NAME, token, address, header:NAME, operation, or all for everybody together. Of several, each combination. claim:NAME|NAME is the first one present."`
	Missing         string   `field:"missing" doc:"What happens where by has no value. refuse: the call is refused. shared: all such calls share one count." enum:"refuse,shared" default:"refuse"`
	From            string   `field:"from" doc:"When a quota's periods begin. calendar: in UTC, weeks on Monday. subscription: with the key's subscription." enum:"calendar,subscription" default:"calendar"`
	Uncounted       []string `field:"uncounted" doc:"Calls that are given back: refused (by the gateway itself after the limit, with 5xx: a call whose body breaks off or is too large still counts), or answers of these classes." enum:"refused,2xx,3xx,4xx,5xx"`
	Smooth          *bool    `field:"smooth" doc:"true: a sliding window instead of a fixed one; at most 5 % over the rate in any window. Needs a rate of calls and a window of 10s or more."`
	Shadow          *bool    `field:"shadow" doc:"true: counts, and notes in the event what it would have refused, but refuses nothing."`
	WhenUnavailable string   `field:"whenUnavailable" doc:"What happens while the store can't be asked. refuse: 503. allow: calls pass, uncounted, and their events say so. local: each instance lets localShare of the limit through." enum:"refuse,allow,local" default:"refuse"`
	LocalShare      int      `field:"localShare" doc:"Percent of the limit that each instance lets through in each window while the store can't be asked, 1 to 100; 10 if it isn't given. Only with whenUnavailable: local." min:"1"`
}
