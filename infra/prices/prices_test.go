package prices

import (
	"math"
	"os"
	"strings"
	"testing"
)

const readme = "../README.md"

func book(t *testing.T) *Book {
	t.Helper()
	b, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TOLLGATE_GOLDEN=1 writes the tables anew.
func TestTheReadmeHasTheCostsThatFollowFromThePrices(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	want, err := book(t).Into(text)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("TOLLGATE_GOLDEN") != "" {
		if err := os.WriteFile(readme, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != string(want) {
		t.Error("infra/README.md is stale; run TOLLGATE_GOLDEN=1 go test ./infra/prices")
	}
}

func TestTheArithmeticIsRight(t *testing.T) {
	b := book(t)
	for _, c := range []struct {
		line Line
		want float64
	}{
		{Line{Price: "endpoint", Factors: []Factor{{6, "endpoints"}, {730, "h"}}}, 43.80},
		{Line{Price: "flex_ready", Factors: []Factor{{2, "instances"}, {0.5, "GB"}, {2628000, "s"}}}, 10.512},
		{Line{Price: "flex_gbs", Factors: []Factor{{1e6, "calls"}, {0.05, "s"}, {0.5, "GB"}, {0.0625, ""}}}, 0.040625},
		{Line{Price: "table_calls", Factors: []Factor{{1e6, "calls"}, {0.035, "operations"}}}, 0.00126},
		{Line{Price: "nowhere", Factors: []Factor{{1, "x"}}}, 0},
	} {
		if got := b.Cost(c.line); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", c.line.Price, got, c.want)
		}
	}
	for v, want := range map[float64]string{0: "0.00", 0.001: "< 0.01", 1234.5: "1,234.50", 0.006: "0.01"} {
		if got := money(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

func TestEveryEnvironmentHasItsCosts(t *testing.T) {
	b := book(t)
	var names []string
	for _, e := range b.Environments {
		names = append(names, e.Name)
		if b.Sum(e.Million) <= 0 {
			t.Errorf("%s: a million calls cost nothing", e.Name)
		}
	}
	if got := strings.Join(names, " "); got != "dev staging prod" {
		t.Errorf("got %s", got)
	}
	for i := 1; i < len(b.Environments); i++ {
		if b.Sum(b.Environments[i].Fixed) <= b.Sum(b.Environments[i-1].Fixed) {
			t.Errorf("%s costs no more than %s", b.Environments[i].Name, b.Environments[i-1].Name)
		}
	}
}

func TestABadBookSaysAllThatIsWrong(t *testing.T) {
	_, err := Read([]byte(`{"prices":[{"id":"a","usd":1,"per":1,"date":"today","confidence":"sure"}],"environments":[{"name":"dev","fixed":[{"price":"b"}]}]}`))
	for _, want := range []string{`no price "b"`, "doesn't say what for", "its date", "needs a source", "nothing uses it"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := Read([]byte(`{"price":[]}`)); err == nil {
		t.Error("an unknown word is taken")
	}
	if _, err := (&Book{}).Into([]byte("# no marks")); err == nil {
		t.Error("a document without marks is taken")
	}
}
