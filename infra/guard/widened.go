package guard

import (
	"math"
	"slices"
	"strings"

	"tollgate/infra/planned"
)

// widened: the rule stays, and lets nearly everybody in who was kept out.
func (g *guard) widened(c *planned.Change) {
	for _, at := range []string{"ip_rules", "network_rules.0.ip_rules", "network_acls.0.ip_rules"} {
		g.letsIn(c, at, planned.Texts(c.Was(at)), planned.Texts(c.Will(at)))
	}
	for _, at := range []string{"network_rulesets.0.ip_rule", "network_rule_set.0.ip_rule"} {
		g.letsIn(c, at, members(c.Was(at), "ip_mask"), members(c.Will(at), "ip_mask"))
	}
	for _, at := range []string{"site_config.0.ip_restriction", "site_config.0.scm_ip_restriction"} {
		if c.WillText(at+"_default_action") == "Deny" {
			g.letsIn(c, at, admitted(c.Was(at)), admitted(c.Will(at)))
		}
	}
}

func (g *guard) letsIn(c *planned.Change, at string, was, will []string) {
	for _, s := range will {
		if (internet(s) || s == anyFrontDoor) && !slices.Contains(was, s) {
			g.find(RuleOff, c.Address, at, "Name who calls.", "It would let %s in, which it kept out.", s)
		}
	}
}

func members(list any, name string) []string {
	var out []string
	for _, e := range planned.List(list) {
		out = append(out, planned.Text(planned.Value(e, name)))
	}
	return out
}

// anyFrontDoor: the tag is every tenant's Front Door; only the header says whose.
const anyFrontDoor = "anybody's Front Door"

// admitted are the sources of restrictions that allow.
func admitted(list any) []string {
	var out []string
	for _, r := range planned.List(list) {
		if planned.Value(r, "action") == "Deny" {
			continue
		}
		out = append(out, planned.Text(planned.Value(r, "ip_address")))
		tag := planned.Text(planned.Value(r, "service_tag"))
		// A header that only apply knows has no value yet, but stands there.
		if headers := planned.List(planned.Value(r, "headers")); strings.HasPrefix(tag, "AzureFrontDoor") && len(headers) == 0 {
			tag = anyFrontDoor
		}
		out = append(out, tag)
	}
	return out
}

// never is the priority of a rule that isn't there.
const never = math.MaxFloat64

// first is the priority of the first rule of that kind for the whole Internet.
func first(rules []any, direction, access string) float64 {
	at := never
	for _, r := range rules {
		if planned.Value(r, "direction") == direction && planned.Value(r, "access") == access && slices.ContainsFunc(others(r), internet) {
			at = min(at, priority(r))
		}
	}
	return at
}

func priority(rule any) float64 {
	n, ok := planned.Value(rule, "priority").(float64)
	if !ok {
		return 0 // not known: it may be the first
	}
	return n
}

// others are whom a rule is about, at the far end.
func others(rule any) []string {
	end := "source"
	if planned.Value(rule, "direction") == "Outbound" {
		end = "destination"
	}
	return append(planned.Texts(planned.Value(rule, end+"_address_prefixes")), planned.Text(planned.Value(rule, end+"_address_prefix")))
}

// overruled: a deny that stays, behind a new rule that allows what it denied.
func (g *guard) overruled(c *planned.Change) {
	if c.Type != "azurerm_network_security_group" {
		return
	}
	was, will := planned.List(c.Was("security_rule")), planned.List(c.Will("security_rule"))
	for _, direction := range []string{"Inbound", "Outbound"} {
		denied := first(was, direction, "Deny")
		for _, r := range will {
			allows := planned.Value(r, "direction") == direction && planned.Value(r, "access") == "Allow" && priority(r) < denied
			if denied == never || !allows || !slices.ContainsFunc(others(r), wide) {
				continue
			}
			if name := planned.Value(r, "name"); !slices.ContainsFunc(was, func(o any) bool {
				return planned.Value(o, "name") == name && planned.Value(o, "access") == "Allow" && planned.Value(o, "direction") == direction && priority(o) < denied && slices.ContainsFunc(others(o), wide)
			}) {
				g.find(RuleOff, c.Address, planned.Text(name), "Name who calls, or what is called.", "The rule %q would allow nearly everything before the deny is asked.", planned.Text(name))
			}
		}
	}
}

// wide is the Internet, or all of a network and those it is peered with.
func wide(source string) bool {
	return internet(source) || strings.EqualFold(source, "VirtualNetwork") || source == "10.0.0.0/8"
}
