package host

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheHandlerGetsItsEnvironmentArgumentsAndFolder(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	app := proxyApp()
	app["host.json"] = strings.Replace(hostJSON(proxying, ""), `"description":{`,
		`"description":{"workingDirectory":"sub","arguments":["two words","%CHILD_SET%-%CHILD_UNSET%","100%","and 50% more","--port=%FUNCTIONS_CUSTOMHANDLER_PORT%"],"defaultWorkerPath":"quoted path","workerArguments":["last"],`, 1)
	app["sub/here"] = ""
	h, _ := ready(t, app, func(o *Options) {
		o.Settings = map[string]string{"CHILD_SET": "set", "CHILD_BOTH": "setting"}
		o.Environ = append(os.Environ(), "CHILD_BOTH=inherited", "CHILD_INHERITED=yes")
	})
	var got struct {
		Env, Args []string
		Dir       string
	}
	if err := json.Unmarshal([]byte(get(t, h, "/?do=environment").Body), &got); err != nil {
		t.Fatal(err)
	}
	port := strings.TrimPrefix(h.handler.address, "127.0.0.1:")
	// "%...%" is deleted across arguments: from "100%" up to "50%".
	want := []string{"two", "words", "set-", "100", "more", "--port=" + port, "quoted path", "last"}
	if diff := cmp.Diff(want, got.Args); diff != "" {
		t.Errorf("arguments: %s", diff)
	}
	if want := filepath.Join(h.app.Root, "sub"); got.Dir != want {
		t.Errorf("got folder %s, want %s", got.Dir, want)
	}
	env := newEnvironment(got.Env, nil).values
	for name, want := range map[string]string{
		"FUNCTIONS_CUSTOMHANDLER_PORT": port, "FUNCTIONS_HTTPWORKER_PORT": port, "FUNCTIONS_APP_ROOT_PATH": h.app.Root,
		"FUNCTIONS_HTTPWORKER_ID": env["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"],
		"CHILD_SET":               "set", "CHILD_BOTH": "setting", "CHILD_INHERITED": "yes",
	} {
		if env[name] != want || want == "" {
			t.Errorf("%s: got %q, want %q", name, env[name], want)
		}
	}
}

func TestAnAppWithoutFunctionsStartsNoHandler(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	h, w := launch(t, files{"host.json": hostJSON(proxying, "")}, "serve", nil)
	if err := h.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "function.json") {
		t.Errorf("got %v, want the missing function.json as the reason", err)
	}
	if got := get(t, h, "/x"); got.Status != 404 || h.PID() != 0 || len(w.kinds()) != 0 {
		t.Errorf("got status %d, pid %d, events %v, want 404 and no process", got.Status, h.PID(), w.kinds())
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	withExe := func(exe string) files {
		app := proxyApp()
		app["host.json"] = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":` + quote(exe) + `}}}`
		app["handler"] = "#!/bin/sh\nexit 9\n"
		return app
	}
	for name, test := range map[string]struct {
		options Options
		app     files
		want    string
	}{
		"a handler without the executable bit": {Options{}, withExe("handler"), "without the executable bit"}, // §1.1
		"a handler that isn't there":           {Options{}, withExe("nothing-here"), "none on PATH"},
		"a path to nowhere":                    {Options{}, withExe("/nowhere/handler"), "no file /nowhere/handler"},
		"an address others can reach":          {Options{Addr: "0.0.0.0:0"}, proxyApp(), "loopback only"},
		"an address without a port":            {Options{Addr: "127.0.0.1"}, proxyApp(), "want 127.0.0.1:PORT"},
		"a body limit that is no number":       {Options{Settings: map[string]string{"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1MB"}}, proxyApp(), "number of bytes"},
		"a broken app":                         {Options{}, files{"host.json": "{"}, "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.options.Root = writeApp(t, test.app)
			h, err := Start(t.Context(), test.options)
			if err == nil {
				_ = h.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error that tells %q", err, test.want)
			}
		})
	}
}

func TestChmodHandlerMakesTheFileExecutable(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1: what Flex Consumption tries.
	app := proxyApp()
	app["host.json"] = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`
	app["handler"] = "#!/bin/sh\necho started; exit 9\n"
	h, w := launch(t, app, "", func(o *Options) { o.ChmodHandler = true })
	_ = stopped(t, h)
	if !w.has(Line{Information, "started"}) {
		t.Errorf("got %v, want the handler started", w.lines)
	}
}

func TestAPinnedPortMustBeFree(t *testing.T) {
	t.Parallel()
	// functions-host.md §1.1.
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := handlerPort(port); err == nil || !strings.Contains(err.Error(), "isn't free") {
		t.Errorf("got %v, want the busy port refused", err)
	}
	l.Close()
	if got, err := handlerPort(port); err != nil || got != port {
		t.Errorf("got %d, %v, want %d", got, err, port)
	}
}
