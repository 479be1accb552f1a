// Package arch holds what the code must stay like: which way dependencies
// point, who talks to which vendor, and how large the handler may grow.
package arch

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tollgate/shared/boot"
	"tollgate/shared/contract"
	"tollgate/tests/lab"
)

// maxHandler is the size of the stripped handler, in bytes: 15 MB.
const maxHandler = 15_000_000

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	Deps       []string
	GoFiles    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,Deps,GoFiles", "./...")
	cmd.Dir = lab.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, "tollgate/")
		all = append(all, p)
	}
	return all
}

// layers: a package may import only packages of layers before its own. The longest name that fits says which that is.
var layers = [][]string{
	{"shared/refusal", "shared/contract", "shared/wire", "shared/renewal", "shared/assertion/internal", "shared/sdk"},
	{"shared/credential", "shared/secret", "shared/tables"},
	{"shared/pipeline", "shared/audit", "shared/assertion/verify"},
	{"shared/audit/ingest"},
	{"shared/token", "shared/claims", "shared/subscription", "shared/forward", "shared/address", "shared/limit", "shared/cors", "shared/headers", "shared/backendauth", "shared/assertion", "shared/revocation"},
	{"shared/limit/memory", "shared/limit/tables"},
	{"shared/gateway"},
	{"shared/adapter", "shared/telemetry"},
	{"shared/boot"},
	{"functions", "localrun", "tests"},
}

// helper tells a package for tests, such as limittest: it stands where tests do.
func helper(path string) bool { return strings.HasSuffix(path, "test") }

func layer(path string) int {
	if helper(path) {
		return len(layers) - 1
	}
	found, longest := -1, 0
	for i, l := range layers {
		for _, p := range l {
			if len(p) > longest && (path == p || strings.HasPrefix(path, p+"/")) {
				found, longest = i, len(p)
			}
		}
	}
	return found
}

func TestDependenciesPointOneWay(t *testing.T) {
	last := len(layers) - 1
	for _, p := range packages(t) {
		own := layer(p.ImportPath)
		if own < 0 {
			t.Errorf("%s has no layer; give it one in this test", p.ImportPath)
		}
		for _, i := range p.Imports {
			of := layer(strings.TrimPrefix(i, "tollgate/"))
			if strings.HasPrefix(i, "tollgate/") && of >= own && own != last {
				t.Errorf("%s imports %s: dependencies point from later layers to earlier ones", p.ImportPath, i)
			}
		}
	}
}

// One vendor, one folder. localrun and tests may use what they need.
var homes = map[string]string{
	"github.com/coreos/go-oidc":                                         "shared/token",
	"github.com/go-jose/go-jose":                                        "shared/token",
	"go.yaml.in/yaml":                                                   "shared/contract",
	"github.com/sethvargo/go-limiter":                                   "shared/limit/guard",
	"github.com/sony/gobreaker":                                         "shared/forward",
	"github.com/aws/aws-lambda-go":                                      "shared/adapter/lambda",
	"go.opentelemetry.io":                                               "shared/telemetry",
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables":               "shared/tables",
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity":                  "shared/credential",
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets": "shared/secret",
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys":    "shared/secret",
}

func TestEachVendorHasOneHome(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, "shared/") && !strings.HasPrefix(p.ImportPath, "functions/") {
			continue
		}
		for _, i := range p.Imports {
			for vendor, home := range homes {
				if strings.HasPrefix(i, vendor) && p.ImportPath != home {
					t.Errorf("%s imports %s, whose only home is %s", p.ImportPath, i, home)
				}
			}
		}
	}
}

// A backend takes it in, so it takes in nothing but the standard library.
func TestTheMiddlewareForBackendsNeedsTheStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		for _, d := range p.Deps {
			first, _, _ := strings.Cut(d, "/")
			own := strings.HasPrefix(d, "tollgate/shared/assertion/internal/")
			// What the standard library vendors has no name of its own here.
			if p.ImportPath == "shared/assertion/verify" && !own && (first == "tollgate" || strings.Contains(first, ".")) {
				t.Errorf("%s links %s", p.ImportPath, d)
			}
		}
	}
}

func TestTheHandlerLinksNothingOfTheLocalRun(t *testing.T) {
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, "functions/") {
			continue
		}
		for _, d := range p.Deps {
			if strings.HasPrefix(d, "tollgate/localrun") || strings.HasPrefix(d, "tollgate/tests") || strings.HasPrefix(d, "tollgate/") && helper(d) || d == "testing" {
				t.Errorf("%s links %s", p.ImportPath, d)
			}
		}
	}
}

// The environment, the clock and the exit code belong to boot and to main.
func TestOnlyBootTouchesTheWorld(t *testing.T) {
	world := regexp.MustCompile(`\bos\.(Getenv|LookupEnv|Environ|Exit)\(|\btime\.(Now|Since|Sleep)\(`)
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, "shared/") || helper(p.ImportPath) || p.ImportPath == "shared/boot" {
			continue
		}
		for _, name := range p.GoFiles {
			eachLine(t, filepath.Join(p.Dir, name), func(n int, line string) {
				if code, _, _ := strings.Cut(line, "//"); world.MatchString(code) {
					t.Errorf("%s/%s:%d: %s: take it as a value", p.ImportPath, name, n, strings.TrimSpace(line))
				}
			})
		}
	}
}

func eachLine(t *testing.T, file string, visit func(n int, line string)) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
		visit(n, s.Text())
	}
}

// STYLE.md rule 12: one place writes a refusal's status.
func TestOnlyRefusalAndForwardWriteAStatus(t *testing.T) {
	allowed := []string{"shared/refusal", "shared/forward", "shared/gateway", "shared/adapter", "shared/wire", "shared/assertion/verify"} // a refusal's, the backend's, the metadata's, the probe's; what a handler left out; a backend's own
	for _, p := range packages(t) {
		if !strings.HasPrefix(p.ImportPath, "shared/") || helper(p.ImportPath) || slices.ContainsFunc(allowed, func(a string) bool { return p.ImportPath == a || strings.HasPrefix(p.ImportPath, a+"/") }) {
			continue
		}
		for _, name := range p.GoFiles {
			eachLine(t, filepath.Join(p.Dir, name), func(n int, line string) {
				if strings.Contains(line, ".WriteHeader(") || strings.Contains(line, "http.Error(") {
					t.Errorf("%s/%s:%d writes a status", p.ImportPath, name, n)
				}
			})
		}
	}
}

func TestTheHandlerStaysSmall(t *testing.T) {
	for _, file := range []string{filepath.Join(lab.StageApp(t), "azure-handler"), filepath.Join(lab.StageLambda(t), "bootstrap")} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("stripped %s: %d bytes", filepath.Base(file), info.Size())
		if info.Size() > maxHandler {
			t.Errorf("the stripped %s has %d bytes, the most is %d", filepath.Base(file), info.Size(), maxHandler)
		}
	}
}

// The host posts timers to /<function>, so contracts must not use those paths.
func TestFunctionNamesAreReserved(t *testing.T) {
	folders, err := filepath.Glob(filepath.Join(lab.Root(t), "functions/azure/*/function.json"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range folders {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	want := contract.FunctionNames()
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("functions/azure has %v, contract.FunctionNames says %v", names, want)
	}
}

// The README's table of settings is boot's.
func TestTheReadmeNamesEverySetting(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range boot.Settings() {
		if !strings.Contains(string(text), "`"+s.Name+"`") {
			t.Errorf("README.md doesn't name %s", s.Name)
		}
	}
}

// Events arrive in Application Insights as traces; a sampled trace is a lost event.
func TestEventsAreKeptOutOfSampling(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "host.json"))
	if err != nil {
		t.Fatal(err)
	}
	var host struct {
		TelemetryMode string
		Logging       struct {
			ApplicationInsights struct {
				SamplingSettings struct{ ExcludedTypes string }
			}
		}
	}
	if err := json.Unmarshal(text, &host); err != nil {
		t.Fatal(err)
	}
	// In OpenTelemetry mode the host ignores logging.applicationInsights.
	if host.TelemetryMode != "" {
		t.Errorf("got telemetryMode %q, want the default", host.TelemetryMode)
	}
	if excluded := strings.Split(host.Logging.ApplicationInsights.SamplingSettings.ExcludedTypes, ";"); !slices.Contains(excluded, "Trace") {
		t.Errorf("got excludedTypes %v, want Trace among them", excluded)
	}
}

// H149: no setting and no word of the contracts turns a check off.
func TestH149NothingTurnsACheckOff(t *testing.T) {
	off := regexp.MustCompile(`(?i)skip|insecure|disable|unsafe|noverify|ignore|bypass|debug`)
	for _, s := range boot.Settings() {
		if off.MatchString(s.Name) {
			t.Errorf("the setting %s sounds like a switch for a check", s.Name)
		}
	}
	var schema struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}
	if err := json.Unmarshal(contract.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	property := regexp.MustCompile(`"([A-Za-z]+)": \{`)
	for kind, text := range schema.Defs {
		for _, m := range property.FindAllStringSubmatch(string(text), -1) {
			if off.MatchString(m[1]) {
				t.Errorf("%s has the word %q, which sounds like a switch for a check", kind, m[1])
			}
		}
	}
}

// The host sends it, since some hosts drop the handler's (functions-host.md §2c);
// check refuses it in responseHeaders and points here.
func TestTheHostTellsBrowsersToStayWithHTTPS(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(lab.Root(t), "host.json"))
	if err != nil {
		t.Fatal(err)
	}
	type hsts struct {
		IsEnabled         bool
		MaxAge            string
		IncludeSubDomains bool
	}
	var host struct {
		Extensions struct{ HTTP struct{ HSTS hsts } }
	}
	if err := json.Unmarshal(text, &host); err != nil {
		t.Fatal(err)
	}
	if got, want := host.Extensions.HTTP.HSTS, (hsts{true, "365.00:00:00", false}); got != want {
		t.Errorf("got hsts %+v in host.json, want %+v", got, want)
	}
}
