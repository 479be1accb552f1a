package contract

import (
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// limits binds all limits of the plan. Its operations and products are there already.
func (b *binder) limits(p *Plan, faults *Faults) {
	for i := range p.APIs {
		api, said := &p.APIs[i], &b.estate.APIs[i]
		d := b.view(b.estate.apis[i], faults)
		all := plannedLimits("api/"+api.Name, "limits", said.Limits)
		concerned := make([]bool, len(all))
		for j := range api.Operations {
			op := &api.Operations[j]
			op.Weight = int64(max(said.Operations[j].Weight, 1))
			for k, l := range all {
				if op.counts(l) {
					op.Limits, concerned[k] = append(op.Limits, l), true
				}
			}
			for k, l := range plannedLimits("operation/"+api.Name+"/"+op.ID, "operations."+op.ID+".limits", said.Operations[j].Limits) {
				if !op.counts(l) {
					d.fault(fmt.Sprintf("%s.limits.%d.by", operationAt(j), k), "%q asks for no token, or no key, that %q could be counted by", op.ID, l.Name)
				}
				op.Limits = append(op.Limits, l)
			}
		}
		for k, l := range all {
			if !concerned[k] {
				d.fault(fmt.Sprintf("limits.%d.by", k), "no operation asks for the token, or the key, that %q is counted by", l.Name)
			}
		}
	}
	for i := range p.Products {
		name := p.Products[i].Name
		p.Products[i].Limits = plannedLimits("product/"+name, "gateway.products."+name+".limits", b.estate.Gateway.Products[name].Limits)
	}
	b.productLimits(p, faults)
	b.weights(p, faults)
}

// productLimits reports those that would refuse every call of an operation.
func (b *binder) productLimits(p *Plan, faults *Faults) {
	g := b.view(b.estate.gateway, faults)
	for _, product := range p.Products {
		for k, l := range product.Limits {
			at := fmt.Sprintf("products.%s.limits.%d.by", product.Name, k)
			for op, api := range p.under(product) {
				keyless := product.Optional && (op.Key == KeyUnused || op.Key == KeyOptional)
				switch {
				case l.Shared:
				case l.by(PerClaim, PerToken) && (op.Allow == nil || op.Key == KeyAlone):
					g.fault(at, "%q of %q asks for no token that %q could be counted by, so its calls would all be refused; add missing: shared", op.ID, api, l.Name)
				case l.by(PerSubscription) && keyless:
					g.fault(at, "%q of %q may be called without a key, and %q is counted by one, so such calls would all be refused; add missing: shared, or make the key required", op.ID, api, l.Name)
				}
			}
		}
	}
}

// weights reports operations of which one call is more than a limit ever has.
func (b *binder) weights(p *Plan, faults *Faults) {
	for i := range p.APIs {
		api := &p.APIs[i]
		d := b.view(b.estate.apis[i], faults)
		for j := range api.Operations {
			op := &api.Operations[j]
			limits := slices.Clone(op.Limits)
			for _, product := range p.Products {
				for other := range p.under(product) {
					if other == op {
						limits = append(limits, product.Limits...)
					}
				}
			}
			for _, l := range limits {
				if !l.Bytes && !l.Shadow && op.Weight > l.Amount {
					d.fault(operationAt(j)+".weight", "%d is more than the %d of %q (%s), which would refuse every call", op.Weight, l.Amount, l.Name, l.Rule)
				}
			}
		}
	}
}

// under are the operations whose calls a product's limits hold for, and their APIs' names.
func (p *Plan) under(product PlannedProduct) iter.Seq2[*PlannedOperation, string] {
	return func(yield func(*PlannedOperation, string) bool) {
		for i := range p.APIs {
			api := &p.APIs[i]
			for j := range api.Operations {
				op := &api.Operations[j]
				if slices.Contains(product.APIs, api.Name) && (op.Key != KeyUnused || product.Optional) && !yield(op, api.Name) {
					return
				}
			}
		}
	}
}

// by tells whether one of these kinds is part of what the limit is counted by.
func (l *PlannedLimit) by(kinds ...string) bool {
	return slices.ContainsFunc(l.By, func(c CountedBy) bool { return slices.Contains(kinds, c.Kind) })
}

// counts tells whether a call of the operation can have what the limit is
// counted by. An API's limit by a claim says nothing of its public operations:
// those have no caller.
func (op *PlannedOperation) counts(l PlannedLimit) bool {
	for _, part := range l.By {
		switch part.Kind {
		case PerClaim, PerToken:
			if op.Allow == nil || op.Key == KeyAlone {
				return false
			}
		case PerSubscription:
			if op.Key == KeyUnused {
				return false
			}
		}
	}
	return true
}

// plannedLimits compiles what check found right.
func plannedLimits(scope, rule string, limits []Limit) []PlannedLimit {
	var out []PlannedLimit
	for i := range limits {
		out = append(out, limits[i].planned(scope, fmt.Sprintf("%s.%d", rule, i)))
	}
	return out
}

func (l *Limit) planned(scope, rule string) PlannedLimit {
	text := l.Rate + l.Quota
	before, after, _ := strings.Cut(text, "/")
	out := PlannedLimit{
		Name: l.Name, Scope: scope, Rule: rule, Quota: l.Quota != "", Shared: l.Missing == "shared",
		FromSubscription: l.From == "subscription", Smooth: l.Smooth != nil, Shadow: l.Shadow != nil,
		Outage: l.WhenUnavailable, LocalShare: l.LocalShare,
	}
	out.Amount, out.Bytes, _ = amount(before)
	out.Period, out.Window = window(after)
	if out.LocalShare == 0 {
		out.LocalShare = DefaultLocalShare
	}
	for _, part := range l.By {
		counted, _ := countedBy(part)
		out.By = append(out.By, counted)
	}
	for _, class := range l.Uncounted {
		if class == "refused" {
			out.UncountedRefused = true
		} else {
			out.Uncounted[class[0]-'0'] = true
		}
	}
	return out
}

// amount reads the part before the slash: calls, or bytes.
func amount(text string) (n int64, bytes, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil {
		return n, false, n > 0
	}
	n, bytes = parseSize(text)
	return n, bytes, bytes
}

// window reads the part after the slash, of a rate or of a quota; no length and
// no period if it is neither.
func window(text string) (period string, length time.Duration) {
	switch text {
	case "second":
		return PeriodFixed, time.Second
	case "minute":
		return PeriodFixed, time.Minute
	case "hour":
		return PeriodFixed, time.Hour
	case PeriodDay, PeriodWeek, PeriodMonth, PeriodTotal:
		return text, 0
	}
	n, err := strconv.Atoi(strings.TrimRight(text, "sm"))
	switch {
	case err != nil || n < 1 || n > 99_999 || text[0] == '+':
		return PeriodFixed, 0
	case text == strconv.Itoa(n)+"s":
		return PeriodFixed, time.Duration(n) * time.Second
	case text == strconv.Itoa(n)+"m":
		return PeriodFixed, time.Duration(n) * time.Minute
	}
	return PeriodFixed, 0
}

// countedBy reads one part of by.
func countedBy(text string) (CountedBy, bool) {
	kind, name, named := strings.Cut(text, ":")
	switch kind {
	case PerSubscription, PerToken, PerAddress, PerOperation, PerAll:
		return CountedBy{Kind: kind}, !named
	case PerHeader:
		return CountedBy{Kind: kind, Names: []string{http.CanonicalHeaderKey(name)}}, headerName(name)
	case PerClaim:
		names := strings.Split(name, "|")
		return CountedBy{Kind: kind, Names: names}, named && !slices.ContainsFunc(names, func(n string) bool {
			return n == "" || len(n) > 200 || strings.ContainsAny(n, " ,\t\r\n") || n[0] == '$'
		})
	}
	return CountedBy{}, false
}
