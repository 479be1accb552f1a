package guard

import (
	"slices"

	"tollgate/infra/planned"
)

// weakened: a policy of Conditional Access stays enabled, and asks less, or of fewer.
func (g *guard) weakened(c *planned.Change) {
	if c.Type != "azuread_conditional_access_policy" || c.Was("state") != "enabled" || c.Will("state") != "enabled" {
		return
	}
	find := func(at, why string) {
		g.find(RuleOff, c.Address, at, "Leave it as it is.", "The policy would stay, and %s.", why)
	}
	for _, at := range []string{"users.0.included_users", "users.0.included_groups", "users.0.included_roles", "applications.0.included_applications", "applications.0.included_user_actions", "client_app_types"} {
		at = "conditions.0." + at
		if now := planned.Texts(c.Will(at)); !holds(now, planned.Texts(c.Was(at))) && !slices.ContainsFunc(now, everybody) {
			find(at, "be about fewer")
		}
	}
	for _, at := range []string{"users.0.excluded_users", "users.0.excluded_groups", "users.0.excluded_roles", "applications.0.excluded_applications", "locations.0.excluded_locations"} {
		at = "conditions.0." + at
		if !holds(planned.Texts(c.Was(at)), planned.Texts(c.Will(at))) {
			find(at, "leave more out")
		}
	}
	for _, at := range []string{"conditions.0.locations", "conditions.0.platforms", "conditions.0.devices"} {
		if len(planned.List(c.Was(at))) == 0 && len(planned.List(c.Will(at))) > 0 {
			find(at, "hold only under a condition that it hasn't had")
		}
	}
	g.demands(c, find)
}

// demands: with OR one control is enough, so another is a way around; with AND each is needed.
func (g *guard) demands(c *planned.Change, find func(at, why string)) {
	const at = "grant_controls.0.built_in_controls"
	was, will := planned.Texts(c.Was(at)), planned.Texts(c.Will(at))
	switch and := c.Will("grant_controls.0.operator") == "AND"; {
	case len(was) > 0 && len(will) == 0, and && !holds(will, was), !and && !holds(was, will), !and && len(will) > 1 && c.Was("grant_controls.0.operator") == "AND":
		find(at, "demand less")
	}
	const strength = "grant_controls.0.authentication_strength_policy_id"
	if id := planned.Text(c.Was(strength)); id != "" && id != c.Will(strength) && !c.Undecided(strength) {
		find(strength, "demand another strength, or none")
	}
	const frequency = "session_controls.0.sign_in_frequency"
	if had := hours(c.Before); had > 0 && !c.Undecided(frequency) {
		if has := hours(c.After); has == 0 || has > had {
			find(frequency, "ask for a sign-in less often")
		}
	}
}

func hours(side map[string]any) float64 {
	n, _ := planned.Value(side, "session_controls.0.sign_in_frequency").(float64)
	if planned.Value(side, "session_controls.0.sign_in_frequency_period") == "days" {
		n *= 24
	}
	return n
}

func everybody(who string) bool { return who == "All" || who == "all" }

// holds tells whether all of some are among them.
func holds(them, some []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(them, s) })
}
