package jwk

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"
)

// The key of RFC 7515 A.3 (and RFC 7517 A.1); its thumbprint by RFC 7638 §3, computed with jose.
func TestAKeyOfTheStandards(t *testing.T) {
	const x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	key, err := Parse(x, y)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Append(nil, key)
	if want := `{"crv":"P-256","kty":"EC","x":"` + x + `","y":"` + y + `"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
	if got, err := Thumbprint(key); err != nil || got != "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U" {
		t.Errorf("got %s, %v, want RFC 7638's", got, err)
	}
	// RFC 7515 A.3.1.
	const signed = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	signature, err := base64url.DecodeString("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
	if err != nil || !Verify(key, sha256.Sum256([]byte(signed)), signature) || Verify(key, sha256.Sum256([]byte(signed+"x")), signature) {
		t.Error("the standard's signature isn't verified, or another text's is")
	}
}

func TestAKeyHasOneText(t *testing.T) {
	const x, y = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	for name, c := range map[string][2]string{
		"off the curve":     {x, x},
		"bits at the end":   {x[:42] + "V", y},
		"a byte fewer":      {x[:41], y},
		"a line break":      {x[:41] + "\n" + x[42:], y},
		"padding":           {x[:42] + "=", y},
		"nothing":           {"", ""},
		"the infinite":      {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"beyond the field":  {"_____________________________________________", y},
		"standard alphabet": {x, "x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0"},
	} {
		if key, err := Parse(c[0], c[1]); err == nil {
			t.Errorf("%s: got %v, want none", name, key)
		}
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Thumbprint(&other.PublicKey); err == nil {
		t.Error("got a thumbprint of a P-384 key, want none")
	}
}
