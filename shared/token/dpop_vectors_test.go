package token

import (
	"net/http"
	"testing"
)

// The vectors were made with Python's cryptography package, and thumbprints by
// its json and hashlib: POST https://api.contoso.example/orders at noon(), with
// the access token "vector.access.token". The private keys are gone, but for
// Ed25519's, whose seed is SHA-256("tollgate vector").
func proofVectors() map[string]proofVector {
	return map[string]proofVector{
		"ES256": {"xpZnoezM8_KQJM-XJbFPSv9mQz1JD3Baw3f1KedTO3E",
			"eyJ0eXAiOiAiZHBvcCtqd3QiLCAiYWxnIjogIkVTMjU2IiwgImp3ayI6IHsia3R5IjogIkVDIiwgImNydiI6ICJQLTI1NiIsICJ4IjogIllhaW51bG1HNlhYeXNRV1E2RF9YaExSUUd3b0ZXV1dHc2M4OERkeHlVdmciLCAieSI6ICJvOFpyOThXTEZwd2xjeDd6MXl0TVRIeE1tcGVybnlhdzJaUEhrVW9LU2tZIn19" +
				".eyJqdGkiOiAidi1lczI1NiIsICJodG0iOiAiUE9TVCIsICJodHUiOiAiaHR0cHM6Ly9hcGkuY29udG9zby5leGFtcGxlL29yZGVycyIsICJpYXQiOiAxNzk1NDM1MjAwLCAiYXRoIjogImNSM1dZa2FmaTZMWEl0OFlZQS14N0VhV0FicjNULVUtc1R3UlNiWnNBbXMifQ" +
				".P0yN0AhbeBjW6k4TDfd53yIvF76oVIZnuSY9VOijMhMsmLPKmB2kuVWHCukmPkV9Y7EmKZlB-Mws0AzOWOtHhA"},
		"EdDSA": {"Zas874P1LuyVeXcnm3M4pDqsW2iiXGOhnTjwVFkQhTw",
			"eyJ0eXAiOiAiZHBvcCtqd3QiLCAiYWxnIjogIkVkRFNBIiwgImp3ayI6IHsia3R5IjogIk9LUCIsICJjcnYiOiAiRWQyNTUxOSIsICJ4IjogInhHbmo1Sm1HNlh1V1k4MTE0VkNHNkpQMF9wa0owbnpsZ29ZSmxEbkR5QWciLCAia2lkIjogImFueSIsICJ1c2UiOiAic2lnIiwgImFsZyI6ICJFZERTQSIsICJrZXlfb3BzIjogWyJ2ZXJpZnkiXX19" +
				".eyJqdGkiOiAidi1lZGRzYSIsICJodG0iOiAiUE9TVCIsICJodHUiOiAiaHR0cHM6Ly9hcGkuY29udG9zby5leGFtcGxlL29yZGVycyIsICJpYXQiOiAxNzk1NDM1MjAwLCAiYXRoIjogImNSM1dZa2FmaTZMWEl0OFlZQS14N0VhV0FicjNULVUtc1R3UlNiWnNBbXMifQ" +
				".-IabXQcb5ApgqS3coDtils0gZEhHWqCi8YgWVZxDsAJYrmcrwHEXpuga875a75-dI3zl97d_uSX_NxjVPSuZAQ"},
		"RS256": {"aPcLsL4Gvjlz-v6XB3DD-Aac0J8mrcLwmfx2xwBqMBQ",
			"eyJ0eXAiOiAiZHBvcCtqd3QiLCAiYWxnIjogIlJTMjU2IiwgImp3ayI6IHsia3R5IjogIlJTQSIsICJuIjogInd1UGR5N3FTNkRDRVc0bnlyTjg1dl9EOC12MDY2RDZuZ19Nc2JWa1Y1Xy1aZUh5TzNGWDY0SUt2SzkwNTV3NlVLMWI0WGZUcC15TzRKRThnVVVWanpVWGhPbjVZLUVwdnZOM1p2X1ZCenFueFdrelI2R2hEd3FleHJfV2pla0Y0OVczUU54RnZaY3N6eE5qMzRJTmJNOE5yOGRCX09NZ19VUXB5dDc4amU4WkQ0RlF1ZHRMdXhTVlJwRnBmYlluYmhjU3MzZTZNQWV5cmtESkExTDRYMkhTS3hOVGhzZVZyTl9ieWJQMlJCV01keGRVRlRQRXRaV0N6VEZHcE1nZlJxdnFhOXBST0NEZ0RBLWR3ZGhaOGg2Z0NSd2I1RnBCZ3R5eG5HN2JYckg2YVNCbnZDSGpCUDVETlA1eUtfMEZ0YWc2aXpsR1owTWo3XzNqblE0Tm1mdyIsICJlIjogIkFRQUIifX0" +
				".eyJqdGkiOiAidi1yczI1NiIsICJodG0iOiAiUE9TVCIsICJodHUiOiAiaHR0cHM6Ly9hcGkuY29udG9zby5leGFtcGxlL29yZGVycyIsICJpYXQiOiAxNzk1NDM1MjAwLCAiYXRoIjogImNSM1dZa2FmaTZMWEl0OFlZQS14N0VhV0FicjNULVUtc1R3UlNiWnNBbXMifQ" +
				".EqvqBVeStYAHPHa2-_5Txbs4w56NTtLRM5XhukIkCVMOOagqJWTqqDYHsvVO3SeHtKZG_-YUjZkQYT3s7_ciUq3Vn-XWJHYKFcU-yb9EIBoVEr0eIq8Mf-tpa29WIJoap3l_OqIYzwUu_bRFJMUfkI-6KnGISfD2b10pWWoMQPC9WqgHOHcQo95sbDcjgfafjXJDgxhTYGmgvOsdE79BL54B6IaOhOGilrm3ZcUjo2W8vkjEb3yMFaXgh4i18kt1WEbjIyq5Ikcwz7dwzxW9_C01Jhuv20uINgvpAbkZH9OhycOAUeRbe_zOYWD-mMuJaTX4kLc-zrrrwApBB_bRww"},
		"PS256": {"aPcLsL4Gvjlz-v6XB3DD-Aac0J8mrcLwmfx2xwBqMBQ",
			"eyJ0eXAiOiAiZHBvcCtqd3QiLCAiYWxnIjogIlBTMjU2IiwgImp3ayI6IHsia3R5IjogIlJTQSIsICJuIjogInd1UGR5N3FTNkRDRVc0bnlyTjg1dl9EOC12MDY2RDZuZ19Nc2JWa1Y1Xy1aZUh5TzNGWDY0SUt2SzkwNTV3NlVLMWI0WGZUcC15TzRKRThnVVVWanpVWGhPbjVZLUVwdnZOM1p2X1ZCenFueFdrelI2R2hEd3FleHJfV2pla0Y0OVczUU54RnZaY3N6eE5qMzRJTmJNOE5yOGRCX09NZ19VUXB5dDc4amU4WkQ0RlF1ZHRMdXhTVlJwRnBmYlluYmhjU3MzZTZNQWV5cmtESkExTDRYMkhTS3hOVGhzZVZyTl9ieWJQMlJCV01keGRVRlRQRXRaV0N6VEZHcE1nZlJxdnFhOXBST0NEZ0RBLWR3ZGhaOGg2Z0NSd2I1RnBCZ3R5eG5HN2JYckg2YVNCbnZDSGpCUDVETlA1eUtfMEZ0YWc2aXpsR1owTWo3XzNqblE0Tm1mdyIsICJlIjogIkFRQUIifX0" +
				".eyJqdGkiOiAidi1wczI1NiIsICJodG0iOiAiUE9TVCIsICJodHUiOiAiaHR0cHM6Ly9hcGkuY29udG9zby5leGFtcGxlL29yZGVycyIsICJpYXQiOiAxNzk1NDM1MjAwLCAiYXRoIjogImNSM1dZa2FmaTZMWEl0OFlZQS14N0VhV0FicjNULVUtc1R3UlNiWnNBbXMifQ" +
				".YPanhZhcFvsgHAZhyDsppqppSu4jAQydT7y6Z4shxldFfEBSFDl1bN_oF0IswzpTmBagzBSabrRmZ8c5qukM5Ig9Mu6w1TgyKVf3364v6_3r5yxs-xMKxRV7OZz1MJ8itRs9qSoREZt9CozVYuRT841dTgtRkY88yGfrQqoRSMWVfHItG-tsPSYFNJdGjFk5YWGDE1wQfvh1RgpAq3i3-onQPkZfs-nLPSiZL9_8cDtehCbkjHL0hLzRBaD3Bw2O-oQ1M-0If8GWMsOsMf8WmAJYoPcLqVAVhw_YKunje1r74S-NbyA7ZKkVC0U2qyhgDvPhhOhd_11uqhgTlZDGsw"},
	}
}

type proofVector struct{ jkt, text string }

func TestDPoPVectorsOfAnotherImplementationPass(t *testing.T) {
	for name, v := range proofVectors() {
		t.Run(name, func(t *testing.T) {
			p := atNoon()
			ask := func(jkt string) string {
				r := &http.Request{Method: "POST", Header: http.Header{"Dpop": {v.text}}}
				return verdictOf(p.check(r, "/orders", "vector.access.token", jkt))
			}
			assertVerdict(t, ask(v.jkt[:42]+"_"), badProofVerdict)
			assertVerdict(t, ask(v.jkt), "granted")
			assertVerdict(t, ask(v.jkt), badProofVerdict)
		})
	}
}

func TestThumbprintIsThatOfAnotherImplementation(t *testing.T) {
	for name, v := range proofVectors() {
		f, refused := readProof(v.text)
		if refused != nil {
			t.Errorf("%s: got %s", name, verdictOf(refused))
			continue
		}
		if f.thumbprint != v.jkt || jktOf(f.key) != v.jkt {
			t.Errorf("%s: got thumbprints %s and %s, want %s", name, f.thumbprint, jktOf(f.key), v.jkt)
		}
	}
}
