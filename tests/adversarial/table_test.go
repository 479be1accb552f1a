// Package adversarial sends what an attacker would, and holds the gateway to its
// answers: the right status, a code that stays, nothing for the backend, nothing
// of the token in the answer, one event. The numbers are those of the list of
// adversarial cases that the project keeps.
package adversarial

import (
	"slices"
	"testing"

	"tollgate/localrun/issuer"
	"tollgate/tests/lab"
)

// table is every attack of groups A and B; paths is group D, headers E. Those on
// framing (F) never reach the handler through the host: they are frames.
func table(b *bench) []row {
	return slices.Concat(
		unsignedAndConfused(b), otherShapes(b), oddJSON(b), otherPurposes(b),
		falseNames(b), falseSignatures(b), falseKeys(b), foreignKeys(b),
		audiences(b), issuers(b), times(b),
		scopesAndRoles(b), callers(b), demanded(b), stepUp(b), forwarded(b),
	)
}

// unspoken are the cases of A, B, D, E, F and H that the contract language has no word
// for. What can be sent all the same is, and must be refused; a word that is
// added later takes its case out of here.
//
//	 16  token in header and query, both allowed   no word allows a token in the query: one there is no credential
//	                                               (401 token_missing) and never reaches the backend; rows A16 hold that
//	 55  a CEL policy that fails                   there is no policy language
//	 77  a prefix that is stripped                 none is: the backend's own path is put before the whole one; rows D77 hold that
//	107  a wrong DPoP nonce                        none is ever demanded (RFC 9449 §9)
//	115  HTTP/2                                    this port speaks HTTP/1.1 alone; rows F113 and F115 refuse its preface
//	121  a cached route                            there is no cache
//	143  introspection                             there is none; a token that isn't a JWS is malformed (rows A10)
//	149  the audience check switched off           there is no such switch: the schema demands an audience of every API

// One build of the handler serves all that goes through the host.
func TestThroughTheHost(t *testing.T) {
	app := lab.StageApp(t)
	t.Run("every attack on a token is refused", func(t *testing.T) {
		b := hosted(t, app, nil)
		b.run(t, table(b))
		b.assertLines(t)
	})
	t.Run("every attack on a path or a method is refused", func(t *testing.T) {
		b := hosted(t, app, nil)
		b.run(t, paths(b))
		b.assertLines(t)
	})
	t.Run("no header speaks for the gateway", func(t *testing.T) {
		b := hosted(t, app, nil)
		b.run(t, headers(b))
		b.assertLines(t)
	})
	t.Run("the address that the host tells decides", func(t *testing.T) { behindHost(t, app) })
	t.Run("no altered or cut token passes", func(t *testing.T) { sweep(t, hosted(t, app, nil)) })
	t.Run("hostile tokens cause no more fetches than the window allows", func(t *testing.T) { flood(t, hosted(t, app, nil)) })
	t.Run("a token that was good under the contracts before is judged by these", func(t *testing.T) { stricter(t, hosted(t, app, nil), app) })
	t.Run("no key opens more than it should", func(t *testing.T) { keysBehindHost(t, app) })
	t.Run("G128 nobody has two counts", func(t *testing.T) { dodgingBehindHost(t, app) })
	t.Run("hostile text stays within its line", func(t *testing.T) { inject(t, hosted(t, app, nil)) })
}

// B35: which of Entra's versions count is the contract's to say.
func TestATokenVersionIsAcceptedWhereTheContractListsIt(t *testing.T) {
	for listed, want := range map[string][2]string{
		"[v1]":     {"200", "401 issuer_not_trusted"},
		"[v2]":     {"401 issuer_not_trusted", "200"},
		"[v1, v2]": {"200", "200"},
	} {
		t.Run(listed, func(t *testing.T) {
			b := inProcess(t, edit{"tokenVersions: [v2]", "tokenVersions: " + listed})
			var rows []row
			for at, version := range []string{"v1", "v2"} {
				token := b.mint(issuer.Token{API: "orders", Version: version, Scopes: []string{"orders.read"}})
				rows = append(rows, row{id: "B35", name: "a " + version + " token", request: read(token), want: want[at]})
			}
			b.run(t, rows)
		})
	}
}
