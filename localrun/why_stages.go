package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate/shared/audit"
	"tollgate/shared/pipeline"
)

// stageSaid is a stage and what it said: granted, refused, or nothing, as it was
// not reached. An event names the rule and not the stage; which one refused
// follows from the code.
type stageSaid struct {
	Stage string `json:"stage"`
	Said  string `json:"said"`
}

const notReached = "not reached"

// stagesOf are the stages of the contracts at hand for such a call.
func stagesOf(b book, e *audit.Event) []stageSaid {
	u, err := url.ParseRequestURI(e.Path)
	if err != nil || e.Method == "" {
		return nil
	}
	s := &scene{plan: b.plan, dir: b.dir, source: b.source, unlimited: true}
	req := &http.Request{Method: e.Method, URL: u, RequestURI: e.Path, Header: http.Header{}, Host: "gateway"}
	names := s.gateway(time.Now).Stages(&pipeline.Call{Request: req, Path: e.Path})
	refusing := ""
	if e.Verdict == audit.Refused {
		refusing = stageOfCode(e.Code, e.Rule)
	}
	if refusing == "token" && !slices.Contains(names, "token") && slices.Contains(names, "key") {
		refusing = "key" // keys_unavailable is said of both
	}
	if refusing == "route" {
		return []stageSaid{{"route", audit.Refused}}
	}
	var out []stageSaid
	said := audit.Granted
	for _, name := range names {
		switch {
		case name == refusing:
			out, said = append(out, stageSaid{name, audit.Refused}), notReached
		default:
			out = append(out, stageSaid{name, said})
		}
	}
	if refusing != "" && said == audit.Granted && refusing != backendStage {
		return nil // the stage isn't among them: other contracts decided, or a later version of the gateway
	}
	if refusing == backendStage {
		out = append(out, stageSaid{backendStage, audit.Refused})
	}
	return out
}

// backendStage is the last step: the delivery.
const backendStage = "backend"

// stageOfCode is the stage that refuses with such a code.
func stageOfCode(code, rule string) string {
	if strings.Contains(rule, ".allow") {
		return "allow"
	}
	for _, s := range []struct{ stage, codes string }{
		{"route", "no_route method_not_allowed path_not_canonical malformed_request target_ambiguous target_too_long header_too_large header_repeated request_timeout expectation_unknown transfer_coding_unknown version_not_supported"},
		{"addresses", "address_not_allowed"},
		{"headers", "header_required header_not_accepted"},
		{"cors", "origin_not_allowed header_not_allowed"},
		{"key", "key_missing key_malformed key_unknown key_inactive key_expired key_not_for_api key_ambiguous"},
		{"revocation", "token_revoked key_revoked revocation_unavailable"},
		{"callers", "client_not_allowed client_auth_too_weak guest_not_allowed wrong_principal_type"},
		{"allow", "insufficient_scope insufficient_role groups_overage"},
		{"binding", "key_token_mismatch"},
		{"require", "claim_required"},
		{"stepUp", "step_up_required insufficient_claims"},
		{"forward", "claim_not_forwardable"},
		{"limits", "rate_exceeded quota_exceeded bandwidth_exceeded limit_key_missing limit_unavailable"},
		{backendStage, "backend_unreachable backend_timeout backend_busy backend_open backend_broke_off body_broken body_timeout body_too_large credential_unavailable assertion_unavailable assertion_not_possible audit_unavailable consent_required interaction_required token_not_exchangeable user_required upgrade_failed gateway_failed client_gone payload_too_large answer_too_large answer_broke_off invocation_timeout websocket_unsupported"},
	} {
		for known := range strings.FieldsSeq(s.codes) {
			if known == code {
				return s.stage
			}
		}
	}
	return "token" // whatever else can be wrong is wrong with a token
}

// stageLine is the stages in a sentence.
func stageLine(all []stageSaid) string {
	var groups []string
	for i := 0; i < len(all); {
		j := i
		var names []string
		for ; j < len(all) && all[j].Said == all[i].Said; j++ {
			names = append(names, all[j].Stage)
		}
		groups = append(groups, strings.Join(names, ", ")+": "+all[i].Said)
		i = j
	}
	return strings.Join(groups, "; ")
}
