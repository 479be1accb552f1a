package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/pipeline"
)

// fromJSON turns what encoding/json decoded with UseNumber into our values.
func fromJSON(v any) any {
	switch v := v.(type) {
	case json.Number:
		return pipeline.Number(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fromJSON(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name := range v {
			out[name] = fromJSON(v[name])
		}
		return out
	}
	return v
}

// survey reads one JSON text token by token: does any object hold a name twice, and how deep is it?
func survey(data []byte) (twice bool, depth int, err error) {
	type level struct {
		names  map[string]bool // nil in a list
		isName bool            // the next text is a name
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var open []level
	for {
		tok, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return twice, depth, nil
		}
		if err != nil {
			return twice, depth, err
		}
		if text, isText := tok.(string); isText && len(open) > 0 && open[len(open)-1].isName {
			top := &open[len(open)-1]
			twice = twice || top.names[text]
			top.names[text], top.isName = true, false
			continue
		}
		switch tok {
		case json.Delim('{'):
			open = append(open, level{map[string]bool{}, true})
			depth = max(depth, len(open))
			continue
		case json.Delim('['):
			open = append(open, level{})
			depth = max(depth, len(open))
			continue
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
		if len(open) > 0 && open[len(open)-1].names != nil {
			open[len(open)-1].isName = true
		}
	}
}

// FuzzParseObject compares the strict reader with encoding/json, both ways:
// what it accepts means the same there, and what it refuses is refused there
// too or is one of the four things it is stricter about.
func FuzzParseObject(f *testing.F) {
	f.Add([]byte(claimsText()))
	f.Add([]byte(rsaK1().header()))
	for _, text := range []string{
		``, ` `, `{}`, " \t\r\n{ } ", `{"a":1,"a":1}`, `{"a":1,"\u0061":1}`, `{"a":{"b":1,"b":2}}`, `{"":""}`, `{"a":1,}`, `{,}`, `{"a"}`, `{a:1}`, `{'a':1}`, `[]`, `null`, `"x"`, `1`,
		`{"a":[1,-0,0.0,1e5,1E+5,1e-5,-1.5e400,12345678901234567890]}`, `{"a":01}`, `{"a":+1}`, `{"a":.5}`, `{"a":1.}`, `{"a":1e}`, `{"a":-}`, `{"a":0x1}`, `{"a":NaN}`, `{"a":1_0}`,
		`{"a":"\"\\\/\b\f\n\r\t\u0000\uD83D\uDE00\ufffd"}`, `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, `{"a":"\ud83dx"}`, `{"a":"\ud83d\u0041"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u+123"}`, `{"a":"\U0041"}`,
		"{\"a\":\"\x80\"}", "{\"a\":\"\x1f\"}", "{\"a\":\"\n\"}", "{\"a\":\"\x7f\u2028\ufeff\"}", "\ufeff{}", "{}\x00", "{\x00}", "{}{}", `{} x`, "{\u00a0}", "{\f}",
		`{"a":true,"b":false,"c":null}`, `{"a":True}`, `{"a":truex}`, `{"a":tru`, `{"a":nul}`, `{"a":"`, `{"a":"\`, `{"a":"\u`, `{"a":`, `{"a"`, `{"`, `{`, `{"a":/* */1}`,
		strings.Repeat(`{"a":`, 15) + `1` + strings.Repeat(`}`, 15), strings.Repeat(`{"a":`, 16) + `1` + strings.Repeat(`}`, 16), strings.Repeat(`{"a":`, 17) + `1` + strings.Repeat(`}`, 17),
		`{"a":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`, `{"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := parseObject(data)
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var want any
		theirs := decoder.Decode(&want)
		if theirs == nil && !json.Valid(data) {
			theirs = errors.New("something follows")
		}
		_, isObject := want.(map[string]any)
		if err == nil {
			if theirs != nil || !isObject || !utf8.Valid(data) {
				t.Fatalf("accepted, but encoding/json says %v, object %t, UTF-8 %t", theirs, isObject, utf8.Valid(data))
			}
			if diff := cmp.Diff(fromJSON(want), any(map[string]any(got))); diff != "" {
				t.Fatalf("value (-encoding/json +parseObject):\n%s", diff)
			}
			if twice, depth, err := survey(data); twice || depth > maxDepth || err != nil {
				t.Fatalf("accepted with a name twice %t, depth %d, %v", twice, depth, err)
			}
			return
		}
		if strings.Contains(err.Error(), string(data)) && len(data) > 12 {
			t.Fatalf("the error repeats the text: %v", err)
		}
		if theirs != nil || !isObject || !utf8.Valid(data) {
			return
		}
		twice, depth, _ := survey(data)
		// An unpaired surrogate shows as U+FFFD in what encoding/json made of it.
		replaced := strings.ContainsRune(string(marshal(want)), utf8.RuneError) || bytes.Contains(marshal(want), []byte(`\ufffd`))
		if !twice && depth <= maxDepth && !replaced {
			t.Fatalf("refused for no reason that is known: %v", err)
		}
	})
}

// FuzzRead: a text that is read has one spelling, and reading never panics.
func FuzzRead(f *testing.F) {
	valid := rsaK1().token(f, rsaK1().header(), claimsText())
	parts := strings.Split(valid, ".")
	for _, text := range []string{
		valid, "", ".", "..", "...", "....", valid + ".", "." + valid, parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], valid + "=", valid + "\n", " " + valid,
		b64("{}") + "." + b64("{}") + ".", b64(`{"alg":"RS256","kid":"k"}`) + ".e30.AA", b64(`{"alg":"RS256","kid":"k"}`) + ".e30.AB", b64(`{"alg":"RS256","kid":"k"}`) + ".e31.AA",
		b64(`{"alg":"RS256","kid":"k","typ":null}`) + ".e30.", b64(`{"alg":"none"}`) + ".e30.", strings.Repeat("A", MaxLength+1), "\x00.\x00.\x00", "é.é.é",
	} {
		f.Add(text)
	}
	algorithms := map[string]bool{"RS256": true}
	f.Fuzz(func(t *testing.T, raw string) {
		tok, refused := read(raw, algorithms)
		if (tok == nil) == (refused == nil) {
			t.Fatalf("got %v and %v, want exactly one", tok, refused)
		}
		if refused != nil {
			if refused.Kind.Status() != 401 {
				t.Fatalf("got %s, want a 401", verdictOf(refused))
			}
			return
		}
		parts := strings.Split(raw, ".")
		for i, part := range parts {
			data, err := base64.RawURLEncoding.DecodeString(part)
			if err != nil {
				t.Fatalf("part %d isn't base64url: %v", i, err)
			}
			if again := base64.RawURLEncoding.EncodeToString(data); again != part {
				t.Fatalf("part %d: %q has another spelling, %q", i, part, again)
			}
		}
		if len(parts) != 3 || len(raw) > MaxLength || tok.raw != raw || tok.alg != "RS256" || tok.kid == "" || len(tok.kid) > maxKid || tok.claims == nil {
			t.Fatalf("got %d parts, %+v", len(parts), tok)
		}
	})
}

// TestEveryChangedByteIsRefused changes each byte of a valid token in turn.
func TestEveryChangedByteIsRefused(t *testing.T) {
	p := newIDP(rsaK1().jwk(), rsaK2().named("k2").jwk())
	stage, valid := p.stage(), rsaK1().valid(t)
	changes := []func(byte) byte{
		func(b byte) byte { return b ^ 1 }, func(b byte) byte { return b ^ 0x20 }, func(b byte) byte { return b ^ 0x80 },
		func(b byte) byte { return b + 1 }, func(byte) byte { return '.' }, func(byte) byte { return '=' }, func(byte) byte { return '-' }, func(byte) byte { return 'A' },
	}
	verdicts := map[string]int{}
	for at := range len(valid) {
		for _, change := range changes {
			text := []byte(valid)
			if text[at] = change(text[at]); text[at] == valid[at] {
				continue
			}
			_, refused := send(t.Context(), stage, "Bearer "+string(text))
			verdicts[verdictOf(refused)]++
			if refused == nil || refused.Kind.Status() != 401 {
				t.Fatalf("byte %d, %q → %q: got %s, want 401", at, valid[at], text[at], verdictOf(refused))
			}
		}
		cut := valid[:at] + valid[at+1:]
		if got := presentToken(t, stage, cut); !strings.HasPrefix(got, "401 ") {
			t.Fatalf("byte %d left out: got %s, want 401", at, got)
		}
		if got := presentToken(t, stage, valid[:at]+"A"+valid[at:]); !strings.HasPrefix(got, "401 ") {
			t.Fatalf("a byte put in at %d: got %s, want 401", at, got)
		}
	}
	assertVerdict(t, presentToken(t, stage, valid), "granted")
	if got := p.fetches("keys"); got > 2 {
		t.Errorf("got %d fetches of keys, want 2 at the most", got)
	}
	t.Logf("%d bytes: %v", len(valid), verdicts)
}
