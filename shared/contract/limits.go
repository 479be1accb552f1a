package contract

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of limits.
const (
	maxLimits        = 16
	minRate, maxRate = time.Second, time.Hour
	minSmooth        = 10 * time.Second // a sliding window is counted in slots, and none is shorter than a second
	maxCallWeight    = 1_000_000
	maxAmount        = 999_999_999_999_999 // answers tell it as an integer of RFC 9651 §3.3.1
)

// DefaultLocalShare is the percentage of a limit that one instance lets through during an outage.
const DefaultLocalShare = 10

// setLimitDefaults fills in what limits leave out.
func setLimitDefaults(limits []Limit) {
	for i := range limits {
		l := &limits[i]
		orElseText(&l.Missing, "refuse")
		orElseText(&l.From, "calendar")
		orElseText(&l.WhenUnavailable, OutageRefuse)
	}
}

// limitCheck checks the limits of one place.
type limitCheck struct {
	*document
	gateway *Gateway
	product bool
	names   map[string]bool // taken, in the API with its operations or in the product
}

func (c limitCheck) run(at string, limits []Limit) {
	if len(limits) > maxLimits {
		c.fault(at, "holds %d limits, at most %d are kept apart", len(limits), maxLimits)
	}
	for i := range limits {
		where, l := fmt.Sprintf("%s.%d", at, i), &limits[i]
		if c.names[l.Name] {
			c.fault(where+".name", "the name %q is taken; answers name limits by it", l.Name)
		}
		c.names[l.Name] = true
		c.amount(where, l)
		c.by(where, l)
		c.words(where, l)
	}
}

func (c limitCheck) amount(at string, l *Limit) {
	text, word := l.Rate, "rate"
	if l.Quota != "" {
		text, word = l.Quota, "quota"
	}
	switch {
	case l.Rate == "" && l.Quota == "":
		c.fault(at, "%q limits nothing: write rate: 100/minute, or quota: 100000/month", l.Name)
		return
	case l.Rate != "" && l.Quota != "":
		c.fault(at+".quota", "a limit is a rate or a quota; make two of it")
		return
	}
	before, after, cut := strings.Cut(text, "/")
	if n, _, ok := amount(before); !cut || !ok || n > maxAmount {
		c.fault(at+"."+word, "%q is not an amount that can be counted in a time: write calls as 100/minute, bytes as 50MiB/minute", text)
		return
	}
	period, length := window(after)
	switch {
	case word == "rate" && length == 0:
		c.fault(at+".rate", "%q is no window of a rate: write second, minute, hour, or a time such as 10s or 5m; for days and months, quota:", after)
	case word == "rate" && (length < minRate || length > maxRate):
		c.fault(at+".rate", "%q is no window of a rate, which is from 1s to 1h; for longer ones write quota:", after)
	case word == "quota" && period == PeriodFixed && length != time.Hour:
		c.fault(at+".quota", "%q is no period of a quota: write hour, day, week, month or total; for shorter ones, rate:", after)
	}
}

// words checks those that go with some limits only.
func (c limitCheck) words(at string, l *Limit) {
	rate, _, _ := strings.Cut(l.Rate, "/")
	_, bytes, _ := amount(rate)
	if l.Smooth != nil {
		_, after, _ := strings.Cut(l.Rate, "/")
		_, length := window(after)
		switch {
		case !*l.Smooth:
			c.fault(at+".smooth", "false says nothing; remove the line")
		case l.Rate == "" || bytes:
			c.fault(at+".smooth", "smooth is for rates of calls")
		case length < minSmooth:
			c.fault(at+".smooth", "smooth needs a window of %s or more: it is counted in slots of a second or longer", minSmooth)
		}
	}
	if l.Shadow != nil && !*l.Shadow {
		c.fault(at+".shadow", "false says nothing; remove the line")
	}
	switch {
	case l.From != "calendar" && l.Quota == "":
		c.fault(at+".from", "is about the periods of a quota")
	case l.From != "calendar" && strings.HasSuffix(l.Quota, "/"+PeriodTotal):
		c.fault(at+".from", "total has one period, which never ends; remove the line")
	case l.From != "calendar" && !slices.Contains(l.By, PerSubscription):
		c.fault(at+".from", "needs subscription under by: each period begins with one")
	}
	switch {
	case l.LocalShare != 0 && l.WhenUnavailable != OutageLocal:
		c.fault(at+".localShare", "localShare goes with whenUnavailable: local")
	case l.LocalShare > 100:
		c.fault(at+".localShare", "is a percentage, from 1 to 100")
	}
}

func (c limitCheck) by(at string, l *Limit) {
	for i, part := range l.By {
		where := at + ".by"
		if len(l.By) > 1 {
			where = fmt.Sprintf("%s.%d", where, i)
		}
		counted, ok := countedBy(part)
		switch {
		case !ok:
			c.fault(where, "%q is not something to count by; write subscription, claim:NAME, token, address, header:NAME, operation or all", part)
		case counted.Kind == PerAll && len(l.By) > 1:
			c.fault(where, "all is everybody together; it stands alone")
		case counted.Kind == PerAddress && c.gateway.ClientAddress.Source == "":
			c.fault(where, "where a call comes from is not known without the gateway's clientAddress:")
		case counted.Kind == PerHeader && Removed(FoldHeader(counted.Names[0])) != "":
			c.fault(where, "%s can't be counted by: %s", counted.Names[0], Removed(FoldHeader(counted.Names[0])))
		case counted.Kind == PerHeader && len(l.By) == 1:
			c.warn(where, "callers choose a header themselves, and each value has the whole limit; combine it with what they can't choose, such as claim:tid")
		case counted.Kind == PerOperation && c.product && len(l.By) == 1:
			c.warn(where, "counts each operation for all subscriptions together; add subscription to keep them apart")
		}
	}
}

// headerName is the language's own pattern of a header's name.
func headerName(s string) bool {
	letter := func(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
	return s != "" && len(s) <= 64 && letter(s[0]) &&
		!slices.ContainsFunc([]byte(s), func(b byte) bool { return !letter(b) && (b < '0' || b > '9') && b != '-' })
}

// checkLimits checks the API's own limits and its operations'.
func (c *apiCheck) checkLimits() {
	check := limitCheck{document: c.document, gateway: c.gateway, names: map[string]bool{}}
	check.run("limits", c.api.Limits)
	for i, op := range c.api.Operations {
		check.run(operationAt(i)+".limits", op.Limits)
		if op.Weight > maxCallWeight {
			c.fault(operationAt(i)+".weight", "is over %d", maxCallWeight)
		}
	}
}

func (e *Estate) checkProductLimits() {
	for _, name := range sortedKeys(e.Gateway.Products) {
		check := limitCheck{document: e.gateway, gateway: &e.Gateway, product: true, names: map[string]bool{}}
		check.run("products."+name+".limits", e.Gateway.Products[name].Limits)
	}
}
