package token

import (
	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
	"tollgate/shared/refusal"
)

// prove demands what a bound token is worth nothing without: a proof of each key
// that cnf names (RFC 7800). A binding that the contract doesn't ask for, or that
// nobody here can check, refuses the token: taken as a bearer token, a stolen one
// would work.
func (t *Trust) prove(e *entry, proof contract.Proof, c *pipeline.Call, raw string, underDPoP bool) *refusal.Refusal {
	jkt, byKey := e.binding["jkt"].(string)
	x5t, byCertificate := e.binding["x5t#S256"].(string)
	known := 0
	for _, there := range []bool{byKey, byCertificate} {
		if there {
			known++
		}
	}
	switch {
	case len(e.binding) != known,
		byKey && (proof.DPoP == "" || !underDPoP),
		byCertificate && proof.CertificateHeader == "":
		return unbound("The token is bound to a key and can't be sent as a bearer token.", proof)
	case !byKey && (underDPoP || proof.DPoP == "required"):
		return unbound("The token must be bound to a key (cnf.jkt) to be sent this way.", proof)
	}
	if byCertificate {
		if refused := checkCertificate(c.Request.Header, proof.CertificateHeader, x5t); refused != nil {
			return refused
		}
	}
	if byKey { // last: a proof is spent by being looked at
		return t.proofs.check(c.Request, c.Path, raw, jkt)
	}
	return nil
}

func unbound(detail string, proof contract.Proof) *refusal.Refusal {
	return inScheme(unauthenticated("binding_required", detail), proof)
}

// inScheme challenges in the scheme that the API wants tokens in (RFC 9449 §7.1).
func inScheme(r *refusal.Refusal, proof contract.Proof) *refusal.Refusal {
	if proof.DPoP == "required" || proof.DPoP == "accepted" && r.Code == "binding_required" {
		r.Challenge.Scheme, r.Challenge.Algs = "DPoP", proofAlgorithms()
	}
	return r
}
