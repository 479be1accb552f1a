package graph

import (
	"regexp"
	"slices"
	"strconv"
	"time"
)

// loosens tells that a policy, made what is wanted, would ask less than it does now, or of fewer.
// One that isn't enabled asks nothing.
func loosens(want, have object) bool {
	if text(have["state"]) != "enabled" {
		return false
	}
	if text(want["state"]) != "enabled" || !asks(want, have) {
		return true
	}
	past := func(o object) []string { return texts(under(o, "conditions", "users")["excludeGroups"]) }
	for _, group := range past(want) {
		if !slices.Contains(past(have), group) {
			return true
		}
	}
	had, has := between(have), between(want)
	return had > 0 && (has == 0 || has > had)
}

// asks tells that what is demanded now is still demanded, or a second factor that resists phishing instead of any.
func asks(want, have object) bool {
	controls := func(o object) []string { return texts(under(o, "grantControls")["builtInControls"]) }
	strength := func(o object) string { return text(under(o, "grantControls", "authenticationStrength")["id"]) }
	if s := strength(have); s != "" && s != strength(want) {
		return false
	}
	now, then := controls(have), controls(want)
	if strength(want) == phishingResistant && len(then) == 0 {
		return len(now) == 0 || len(now) == 1 && now[0] == "mfa"
	}
	// With OR, a control that comes is a way around those that are there.
	return len(now) == 0 || len(then) > 0 && !slices.ContainsFunc(then, func(c string) bool { return !slices.Contains(now, c) })
}

// between is how long a sign-in is good for; 0 where nothing says it.
func between(policy object) time.Duration {
	f := under(policy, "sessionControls", "signInFrequency")
	n, _ := f["value"].(float64)
	unit := time.Hour
	if text(f["type"]) == "days" {
		unit = 24 * time.Hour
	}
	return time.Duration(n) * unit
}

// under is an object in an object; nil, which is empty, if there is none.
func under(o object, names ...string) object {
	for _, name := range names {
		o, _ = o[name].(object)
	}
	return o
}

func texts(v any) (out []string) {
	all, _ := v.([]any)
	for _, e := range all {
		out = append(out, text(e))
	}
	return out
}

var lives = regexp.MustCompile(`"AccessTokenLifetime":"(?:(\d+)\.)?(\d+):(\d+):(\d+)"`)

// life is the lifetime in a definition; 0 where none can be read.
func life(policy object) (total time.Duration) {
	for _, d := range texts(policy["definition"]) {
		if m := lives.FindStringSubmatch(d); m != nil {
			for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
				n, _ := strconv.Atoi(m[i+1]) // digits, or nothing
				total += time.Duration(n) * unit
			}
		}
	}
	return total
}
