// Package deploy holds that what is deployed is what was tested: the zip itself
// is loaded, started and called.
package deploy

import (
	"archive/zip"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/localrun/bundle"
	"tollgate/localrun/host"
	"tollgate/tests/lab"
	"tollgate/tests/scenarios"
)

// makePackage runs `make package` into a folder of its own.
func makePackage(t *testing.T) (zipped string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("make", "package", "BIN="+filepath.Join(dir, "bin"), "DIST="+filepath.Join(dir, "dist"))
	cmd.Dir = lab.Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make package: %v\n%s", err, out)
	}
	return filepath.Join(dir, "dist/azure.zip")
}

func TestThePackageAnswersEveryScenario(t *testing.T) {
	app, done, err := bundle.Open(makePackage(t))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	l := lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), app)
	// DESIGN.md, "What is always true", 9: start-up does no network.
	if asked := l.Issuer.Fetches(); asked["discovery"]+asked["keys"] != 0 || l.Backend.Count() != 0 {
		t.Errorf("before the first request the gateway asked the issuer %v and the backend %d times", asked, l.Backend.Count())
	}
	scenarios.Run(t, l, "../scenarios")
}

// What the reference on the host leaves open is a switch of the stand-in; the
// gateway must be right under either position.
func TestEveryScenarioUnderEveryVariantOfTheHost(t *testing.T) {
	app := lab.StageApp(t)
	for name, set := range map[string]func(*host.Options){
		"forwarding headers passed through": func(o *host.Options) { o.Variants.PassForwarded = true },
		"Strict-Transport-Security dropped": func(o *host.Options) { o.Variants.DropHSTS = true },
		"no pre-buffering":                  func(o *host.Options) { o.Variants.NoPreBuffer = true },
		"no retries after an exit":          func(o *host.Options) { o.Variants.NoRetryAfterExit = true },
		"traceparent replaced":              func(o *host.Options) { o.Variants.ReplaceTraceparent = true },
		"empty segments fail":               func(o *host.Options) { o.Variants.EmptySegments = host.EmptySegmentsFail },
		"empty segments match":              func(o *host.Options) { o.Variants.EmptySegments = host.EmptySegmentsMatch },
		"trailing slash counts":             func(o *host.Options) { o.Variants.TrailingSlashCount = true },
		"admin falls through":               func(o *host.Options) { o.Variants.AdminFallThrough = true },
		"remote address from the chain":     func(o *host.Options) { o.Variants.ForwardedHeaders = true },
		"behind the front end":              func(o *host.Options) { o.FrontEnd = &host.FrontEnd{} },
		"behind it, its headers kept":       func(o *host.Options) { o.FrontEnd = &host.FrontEnd{KeepClientIP: true} },
	} {
		t.Run(name, func(t *testing.T) {
			scenarios.Run(t, lab.Hosted(t, filepath.Join(lab.Root(t), "contracts"), app, set), "../scenarios")
		})
	}
}

func TestTwoPackagesHaveTheSameBytes(t *testing.T) {
	one, two := filepath.Dir(makePackage(t)), filepath.Dir(makePackage(t))
	for _, name := range []string{"azure.zip", "lambda.zip", "lambda-x86_64.zip"} {
		first, err := os.ReadFile(filepath.Join(one, name))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(filepath.Join(two, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, second) {
			t.Errorf("two runs of make package differ in %s", name)
		}
		if err := bundle.Check(filepath.Join(one, name)); err != nil {
			t.Errorf("%s: got %v, want no fault", name, err)
		}
	}
}

// staged is a small app that Check has no fault with, for tests that break it.
func staged(t *testing.T) string {
	t.Helper()
	app := lab.StageApp(t)
	if err := os.CopyFS(filepath.Join(app, "contracts"), os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	return app
}

func edit(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte(old), []byte(new), 1)
	if bytes.Equal(text, changed) {
		t.Fatalf("%s doesn't hold %q", file, old)
	}
	if err := os.WriteFile(file, changed, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAPackageThatAHostWouldNotLoadIsRefused(t *testing.T) {
	good := staged(t)
	if err := bundle.Check(good); err != nil {
		t.Fatalf("the staged app: %v", err)
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, app string)
		want  string
	}{
		"buffering mode": {func(t *testing.T, app string) {
			edit(t, app+"/host.json", "enableProxyingHttpRequest", "enableForwardingHttpRequest")
		}, "gateway/function.json: the host would call it in forward mode"},
		"an extra binding": {func(t *testing.T, app string) {
			edit(t, app+"/gateway/function.json", `"bindings": [`, `"bindings": [ {"type": "queue", "direction": "out", "name": "q"},`)
		}, "gateway/function.json: the host would call it in json mode"},
		"a function two folders down": {func(t *testing.T, app string) {
			if err := os.MkdirAll(app+"/functions", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(app+"/gateway", app+"/functions/gateway"); err != nil {
				t.Fatal(err)
			}
		}, "functions/gateway/function.json: the host looks for function.json exactly one folder below"},
		"a route prefix": {func(t *testing.T, app string) {
			edit(t, app+"/host.json", `"routePrefix": ""`, `"routePrefix": "api"`)
		}, "no function takes every path"},
		"a key of the host": {func(t *testing.T, app string) {
			edit(t, app+"/gateway/function.json", `"authLevel": "anonymous"`, `"authLevel": "function"`)
		}, `gateway/function.json: authLevel is "function"`},
		"a missing method": {func(t *testing.T, app string) {
			edit(t, app+"/gateway/function.json", `, "options"`, ``)
		}, `gateway/function.json: methods lacks "options"`},
		"no executable bit": {func(t *testing.T, app string) {
			if err := os.Chmod(app+"/azure-handler", 0o644); err != nil {
				t.Fatal(err)
			}
		}, "azure-handler: has no executable bit"},
		"another spelling of the handler": {func(t *testing.T, app string) {
			edit(t, app+"/host.json", `"azure-handler"`, `"./azure-handler"`)
		}, `host.json: defaultExecutablePath is "./azure-handler"`},
		"something that isn't a program": {func(t *testing.T, app string) {
			edit(t, app+"/azure-handler", "\x7fELF", "#!/b")
		}, "azure-handler: isn't a Linux program"},
		"no contracts": {func(t *testing.T, app string) {
			if err := os.RemoveAll(app + "/contracts"); err != nil {
				t.Fatal(err)
			}
		}, "contracts: the package holds none"},
		"a broken contract": {func(t *testing.T, app string) {
			edit(t, app+"/contracts/orders.yaml", "audience:", "audiance:")
		}, `unknown field "audiance"`},
		"a stray file": {func(t *testing.T, app string) {
			if err := os.WriteFile(app+"/local.settings.json", []byte("{}"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "local.settings.json: doesn't belong into the package"},
		"broken JSON": {func(t *testing.T, app string) {
			edit(t, app+"/host.json", `"version"`, `version`)
		}, "host.json"},
	} {
		t.Run(name, func(t *testing.T) {
			app := t.TempDir()
			if err := os.CopyFS(app, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			c.spoil(t, app)
			if err := bundle.Check(app); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant an error that says %s", err, c.want)
			}
		})
	}
}

// A zip made by a tool that forgets modes looks whole, and doesn't start.
func TestAZipWithoutTheExecutableBitIsRefused(t *testing.T) {
	app := staged(t)
	for name, creator := range map[string]uint16{"made on Windows": 0, "made on Unix": 3 << 8} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "azure.zip")
			writeZip(t, file, app, creator)
			if err := bundle.Check(file); err == nil || !strings.Contains(err.Error(), "no executable bit") {
				t.Errorf("got %v, want it refused", err)
			}
		})
	}
}

func writeZip(t *testing.T, file, app string, creator uint16) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	z := zip.NewWriter(out)
	for _, name := range []string{"host.json", "azure-handler", "gateway/function.json", "contracts/gateway.yaml", "contracts/orders.yaml", "contracts/invoices.yaml", "contracts/environments/prod.yaml"} {
		text, err := os.ReadFile(filepath.Join(app, name))
		if err != nil {
			t.Fatal(err)
		}
		entry, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, CreatorVersion: creator, ExternalAttrs: 0o644 << 16})
		if err == nil {
			_, err = entry.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAZipThatLeadsOutOfItsFolderIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "azure.zip")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	z := zip.NewWriter(out)
	if _, err := z.Create("../escaped"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := bundle.Check(file); err == nil || !strings.Contains(err.Error(), "leads out of the package") {
		t.Errorf("got %v, want it refused", err)
	}
}
