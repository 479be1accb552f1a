package claims

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/shared/contract"
	"tollgate/shared/pipeline"
)

const notForwardable = "403 claim_not_forwardable by forward.X-Value"

func TestB53AClaimIsSaidInAHeaderSafelyAndWhole(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"a plain text":                     {"alice@contoso.example", "alice@contoso.example"},
		"a number as it was written":       {pipeline.Number("1.50"), "1.50"},
		"a large number isn't rounded":     {pipeline.Number("12345678901234567890"), "12345678901234567890"},
		"a truth value":                    {true, "true"},
		"a list":                           {texts("Reader", "Writer"), "Reader,Writer"},
		"a list of one":                    {texts("Reader"), "Reader"},
		"a list of numbers":                {[]any{pipeline.Number("1"), pipeline.Number("2")}, "1,2"},
		"inner spaces stay":                {"Alice  B. Smith", "Alice  B. Smith"},
		"B53 CR LF and a header":           {"a\r\nX-Role: Admin", "a%0D%0AX-Role: Admin"},
		"B53 a lone CR":                    {"a\rb", "a%0Db"},
		"B53 a lone LF":                    {"a\nb", "a%0Ab"},
		"B53 NUL":                          {"a\x00b", "a%00b"},
		"B53 a tab":                        {"\ta\t", "%09a%09"},
		"B53 DEL":                          {"a\x7f", "a%7F"},
		"B53 ESC (a terminal's colours)":   {"\x1b[31m", "%1B[31m"},
		"B53 an umlaut":                    {"Jörg", "J%C3%B6rg"},
		"B53 an umlaut in two code points": {"Jo\u0308rg", "Jo%CC%88rg"},
		"B53 NEL and line separator":       {"\u0085\u2028", "%C2%85%E2%80%A8"},
		"B53 a character beyond the BMP":   {"😀", "%F0%9F%98%80"},
		"B53 a percent sign":               {"100%", "100%25"},
		"B53 something encoded already":    {"%0D%0A", "%250D%250A"},
		"B53 a comma":                      {"Smith, Alice", "Smith%2C Alice"},
		"B53 a space in front":             {" a", "%20a"},
		"B53 a space behind":               {"a ", "a%20"},
		"B53 spaces at both ends":          {"  a  ", "%20 a %20"},
		"B53 one space":                    {" ", "%20"},
		"B53 two spaces":                   {"  ", "%20%20"},
		"B53 three spaces":                 {"   ", "%20 %20"},
		"B53 list items with spaces":       {texts(" a", "b "), "%20a,b%20"},
		"B53 a plus and a semicolon stay":  {"a+b;c=\"d\"", `a+b;c="d"`},
		"B53 list items with commas":       {texts("a,b", "c"), "a%2Cb,c"},
		"B53 an empty item in a list":      {texts("a", "", "b"), "a,,b"},
		"B53 bytes that are no UTF-8":      {"\xff\xfe", "%FF%FE"},
		"8 KiB, the most":                  {strings.Repeat("x", maxHeaderValue), strings.Repeat("x", maxHeaderValue)},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, v := heard(t, c.value)
			assertVerdict(t, v, "granted")
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			assertSayable(t, got)
		})
	}
}

func TestB53WhatCanNotBeSaidInAHeaderRefusesTheCall(t *testing.T) {
	groups := make([]any, 250)
	for i := range groups {
		groups[i] = "44444444-0000-4000-8000-000000000001"
	}
	for name, value := range map[string]any{
		"16 KB":                             strings.Repeat("x", 16<<10),
		"a byte over 8 KiB":                 strings.Repeat("x", maxHeaderValue+1),
		"8 KiB only once encoded":           strings.Repeat("é", maxHeaderValue/6+1),
		"a list of 250 groups":              groups,
		"an object":                         map[string]any{"a": "b"},
		"an empty object":                   map[string]any{},
		"a list with an object":             []any{"a", map[string]any{}},
		"a list with null":                  []any{"a", nil},
		"a list with a list":                []any{[]any{"a"}},
		"a float64, which no claim ever is": 1.5,
	} {
		t.Run("B53 "+name+": 403 claim_not_forwardable", func(t *testing.T) {
			got, _, v := heard(t, value)
			assertVerdict(t, v, notForwardable)
			if got != "" {
				t.Errorf("got %d bytes in the header, want none: never a part of the value", len(got))
			}
		})
	}
}

func TestTheCauseOfARefusedClaimHoldsNoValue(t *testing.T) {
	stage := Pass([]contract.Header{{Name: "X-Value", Claims: []string{"v"}}})
	for _, value := range []any{strings.Repeat("secret", 4000), map[string]any{"secret": "secret"}, []any{"secret", nil}} {
		_, refused := ask(t, stage, &pipeline.Identity{Claims: pipeline.Claims{"v": value}})
		if text := refused.Detail + refused.Cause(); strings.Contains(text, "secret") || len(text) > 300 {
			t.Errorf("got %q, want nothing of the value", text)
		}
	}
}

func TestWhereThereIsNothingToSayNoHeaderIsSent(t *testing.T) {
	for name, value := range map[string]any{"null": nil, "an empty text": "", "an empty list": []any{}, "a list of one empty text": texts("")} {
		if got, sent, v := heard(t, value); sent || v != "granted" {
			t.Errorf("%s: got %q, sent %t, %s; want no header", name, got, sent, v)
		}
	}
}

func TestTheFirstClaimThatIsThereIsTaken(t *testing.T) {
	stage := Pass([]contract.Header{{Name: "x-user-id", Claims: []string{"oid", "sub"}}, {Name: "X-Roles", Claims: []string{"roles"}}})
	for name, c := range map[string]struct {
		claims pipeline.Claims
		want   http.Header
	}{
		"both":              {pipeline.Claims{"oid": "o", "sub": "s"}, http.Header{"X-User-Id": {"o"}}},
		"the second":        {pipeline.Claims{"sub": "s", "roles": texts("A", "B")}, http.Header{"X-User-Id": {"s"}, "X-Roles": {"A,B"}}},
		"the first is null": {pipeline.Claims{"oid": nil, "sub": "s"}, http.Header{"X-User-Id": {"s"}}},
		"another spelling":  {pipeline.Claims{"OID": "o", "Sub": "s", "ROLES": texts("A")}, http.Header{}},
		"none":              {nil, http.Header{}},
	} {
		call, refused := ask(t, stage, &pipeline.Identity{Claims: c.claims})
		assertVerdict(t, verdict(refused), "granted")
		if diff := cmp.Diff(c.want, call.Forward); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", name, diff)
		}
	}
	_, refused := ask(t, stage, &pipeline.Identity{Claims: pipeline.Claims{"oid": map[string]any{}, "sub": "s"}})
	assertVerdict(t, verdict(refused), "403 claim_not_forwardable by forward.x-user-id") // a claim that is there is never passed over
}

func TestACallStartsWithNoForwardedHeader(t *testing.T) {
	call := &pipeline.Call{Identity: &pipeline.Identity{}, Forward: http.Header{"X-Value": {"from before"}}}
	refused := Pass([]contract.Header{{Name: "X-Value", Claims: []string{"v"}}})(t.Context(), call)
	if refused != nil || len(call.Forward) != 0 {
		t.Errorf("got %v, %v; want none", refused, call.Forward)
	}
}

// decoded is how the claims contract tells a backend to read a list: split at commas, then decode each.
func decoded(t testing.TB, header string) []string {
	t.Helper()
	items := strings.Split(header, ",")
	for i, item := range items {
		text, err := url.PathUnescape(item)
		if err != nil {
			t.Fatalf("item %d, %q: %v", i, item, err)
		}
		items[i] = text
	}
	return items
}

// Lists that look alike when they are joined carelessly are told apart. Only a
// list of one empty text can't be told from an empty one; neither names anything.
func TestDifferentListsAreNeverSaidAlike(t *testing.T) {
	lists := [][]string{
		{"a"}, {"a", ""}, {"", "a"}, {"a", "b"}, {"a,b"}, {"a%2Cb"}, {"a", "", "b"}, {"a,", "b"}, {"a", ",b"}, {",a"}, {"a,"}, {"a, b"}, {"a", " b"}, {"a ", "b"}, {"a", "b "},
		{"", ""}, {"", "", ""}, {","}, {",", ""}, {" "}, {"  "}, {" ", ""}, {"%20"}, {"%"}, {"%25"}, {"a\nb"}, {"a%0Ab"}, {"a\r\nb"}, {"A"}, {"é"}, {"e\u0301"}, {"%C3%A9"}, {"a\x00"}, {"a" + "\u200b"},
	}
	seen := map[string][]string{}
	for _, items := range lists {
		value, sent, v := heard(t, texts(items...))
		assertVerdict(t, v, "granted")
		if !sent {
			t.Errorf("%q: not sent", items)
		}
		if first, twice := seen[value]; twice {
			t.Errorf("%q and %q are both said %q", first, items, value)
		}
		seen[value] = items
		if diff := cmp.Diff(items, decoded(t, value)); diff != "" {
			t.Errorf("decoded (-want +got):\n%s", diff)
		}
	}
}

// FuzzEncode: what is encoded can be said in a header, and decodes to the value.
func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", " ", "  ", "a", " a ", "a,b", "%", "%2C", "%zz", "\r\nX: y", "\x00", "\x7f", "é", "\xff", "😀", "+", "a b", "\t", "~}{|\\^`\"<>", strings.Repeat(" ", 9)} {
		f.Add(s, "x")
		f.Add("x", s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := encode(a), encode(b)
		for value, encoded := range map[string]string{a: x, b: y} {
			assertSayable(t, encoded)
			if strings.Contains(encoded, ",") {
				t.Fatalf("got %q, want no comma", encoded)
			}
			if back, err := url.PathUnescape(encoded); err != nil || back != value {
				t.Fatalf("got %q, %v back; want %q", back, err, value)
			}
			if encode(encoded) != encoded && !strings.Contains(encoded, "%") {
				t.Fatalf("%q is encoded again", encoded)
			}
		}
		if (a == b) != (x == y) {
			t.Fatalf("%q and %q are said %q and %q", a, b, x, y)
		}
		if joined := x + "," + y; len(joined) <= maxHeaderValue {
			value, sent, v := heard(t, texts(a, b))
			if v != "granted" || !sent || value != joined {
				t.Fatalf("got %q, sent %t, %s; want %q", value, sent, v, joined)
			}
			if diff := cmp.Diff([]string{a, b}, decoded(t, value)); diff != "" {
				t.Fatalf("decoded (-want +got):\n%s", diff)
			}
		}
	})
}
