package telemetry

// reasons is the closed set of what a decision may be counted under; a test holds
// it equal to what the source says. Any other is "other".
var reasons = [...]string{
	"address_not_allowed", "alg_not_allowed", "answer_broke_off", "answer_too_large", "assertion_not_possible",
	"assertion_unavailable", "audit_unavailable", "backend_broke_off", "backend_busy", "backend_open",
	"backend_timeout", "backend_unreachable", "bad_signature", "bandwidth_exceeded", "binding_required", "body_broken",
	"body_timeout", "body_too_large", "certificate_mismatch", "claim_not_forwardable", "claim_required",
	"client_auth_too_weak", "client_gone", "client_not_allowed", "consent_required", "credential_unavailable",
	"embedded_key", "exp_missing", "expectation_unknown", "gateway_failed", "granted", "graph_style_token",
	"groups_overage", "guest_not_allowed", "header_not_accepted", "header_not_allowed", "header_repeated",
	"header_required", "header_too_large", "insufficient_claims", "insufficient_role", "insufficient_scope",
	"interaction_required", "invalid_dpop_proof", "invocation_timeout", "issuer_not_trusted", "key_ambiguous",
	"key_expired", "key_inactive", "key_malformed", "key_missing", "key_not_for_api", "key_revoked",
	"key_token_mismatch", "key_unknown", "keys_unavailable", "lifetime_exceeded", "limit_key_missing",
	"limit_unavailable", "malformed", "malformed_request", "method_not_allowed", "multiple_credentials", "no_route",
	"not_jws", "origin_not_allowed", "path_not_canonical", "payload_too_large", "quota_exceeded", "rate_exceeded",
	"replay_store_full", "request_timeout", "revocation_unavailable", "step_up_required", "target_ambiguous",
	"target_too_long", "tenant_mismatch", "tenant_not_allowed", "token_expired", "token_missing",
	"token_not_exchangeable", "token_not_yet_valid", "token_revoked", "too_many_refused", "transfer_coding_unknown",
	"unknown_key", "upgrade_failed", "user_required", "version_not_supported", "websocket_unsupported",
	"wrong_audience", "wrong_principal_type", "wrong_token_type",
}
