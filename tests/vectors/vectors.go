// Package vectors reads the JOSE test vectors of C2SP/wycheproof. They come as a
// Go module, so the module cache keeps them and a checksum pins them; nothing of
// them is part of this repository.
package vectors

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const (
	module = "github.com/C2SP/wycheproof@v0.0.0-20250901140545-b51abcfb8daf"
	sum    = "h1:5BKKVVVj676FUWirLcouEEL6GCYR9X0opkMlEUck8FY=" // of the module's zip, as go.sum has it
)

// Files are those about signatures, tokens and keys.
func Files() []string {
	return []string{"json_web_signature_test", "json_web_crypto_test", "json_web_key_test"}
}

// Encrypted are those about encryption, which the gateway never does.
func Encrypted() string { return "json_web_encryption_test" }

// Vector is one token, the keys that it is judged by, and what it must get.
type Vector struct {
	File, Group, Comment string
	ID                   int
	Keys                 []json.RawMessage // JWKs as they would be published
	Private              []json.RawMessage // their private halves
	Token                string            // compact, or JSON where the vector is
	Valid                bool
}

// Name is the same in each version of the module that holds the vector.
func (v Vector) Name() string { return fmt.Sprintf("%s %d", v.File, v.ID) }

type file struct {
	NumberOfTests int
	TestGroups    []struct {
		Comment         string
		Public, Private json.RawMessage
		Tests           []struct {
			TcID     int
			Comment  string
			JWS, JWE json.RawMessage
			Result   string
		}
	}
}

// Read returns the vectors of a file. It skips the test where the module can't
// be had: neither from the cache nor from the proxy.
func Read(t testing.TB, name string) []Vector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(t), "testvectors_v1", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out []Vector
	for _, g := range f.TestGroups {
		published := g.Public
		if published == nil { // symmetric keys have no other half
			published = g.Private
		}
		for _, c := range g.Tests {
			token := c.JWS
			if token == nil {
				token = c.JWE
			}
			out = append(out, Vector{
				File: name, Group: g.Comment, Comment: c.Comment, ID: c.TcID, Valid: c.Result == "valid",
				Keys: set(published), Private: set(g.Private), Token: plain(token),
			})
		}
	}
	if len(out) != f.NumberOfTests {
		t.Fatalf("%s: got %d vectors, want the %d that it says it holds", name, len(out), f.NumberOfTests)
	}
	return out
}

// folder is where the module lies. `go mod download` needs no network once the cache has it.
func folder(t testing.TB) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir() // not this module's: its go.mod stays as it is
	text, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if decodeErr := json.Unmarshal(text, &got); err != nil || decodeErr != nil || got.Error != "" {
		t.Skipf("needs %s, which can't be had: %v %s", module, err, got.Error)
	}
	if got.Sum != sum {
		t.Fatalf("%s has the checksum %s, want %s", module, got.Sum, sum)
	}
	return got.Dir
}

// set is one JWK, or those of a JWK set.
func set(jwk json.RawMessage) []json.RawMessage {
	var s struct{ Keys []json.RawMessage }
	if json.Unmarshal(jwk, &s) == nil && s.Keys != nil {
		return s.Keys
	}
	return []json.RawMessage{jwk}
}

// plain is a text without its quotes, or an object as it stands.
func plain(token json.RawMessage) string {
	var s string
	if json.Unmarshal(token, &s) == nil {
		return s
	}
	return string(token)
}
