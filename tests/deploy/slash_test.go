package deploy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/tests/lab"
)

// functions-host.md §2c: the host makes %252F of %2F, and of %252F too. Behind it
// both are an encoded slash for an operation that takes one, and the backend
// gets what the gateway got.
func TestAnEncodedSlashBehindTheHost(t *testing.T) {
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(lab.Root(t), "contracts"))); err != nil {
		t.Fatal(err)
	}
	orders := filepath.Join(folder, "orders.yaml")
	text, err := os.ReadFile(orders)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, `  - { id: file, match: "GET /files/{name}", public: true, encodedSlash: allow }`+"\n"...)
	if err := os.WriteFile(orders, text, 0o644); err != nil {
		t.Fatal(err)
	}
	l := lab.Hosted(t, folder, lab.StageApp(t))
	for sent, want := range map[string]string{
		"/orders/files/a%2Fb": "/orders/files/a%252Fb", "/orders/files/a%252fb": "/orders/files/a%252fb", "/orders/files/a%2Fb%2fc?x=%2F": "/orders/files/a%252Fb%252fc?x=%2F",
		"/orders/files/..%2Fhealth": "", "/orders/files/a%2F": "", "/orders/a%2Fb": "", "/orders%2Fhealth": "", "/orders/files/a%2F%2Fb": "",
	} {
		t.Run(sent, func(t *testing.T) {
			l.Backend.Reset()
			conn := l.Dial(t)
			fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n", sent)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			got := ""
			if seen := l.Backend.Requests(); len(seen) == 1 {
				got = seen[0].Target
			}
			if got != want || (want == "") != (resp.StatusCode == 400 && strings.Contains(string(body), "path_not_canonical")) {
				t.Errorf("got status %d and %q at the backend, want %q; none means 400", resp.StatusCode, got, want)
			}
		})
	}
}
