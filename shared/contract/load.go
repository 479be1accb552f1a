package contract

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds one contract file: a reviewer reads it, so it is small.
const maxFile = 1 << 20

// Estate is every contract of one folder, read but not yet bound to an environment.
type Estate struct {
	Gateway Gateway
	APIs    []API
	Clients []Client

	environments map[string]*environment
	gateway      *document
	apis         []*document // parallel to APIs
	clients      []*document // parallel to Clients
	digest       string
}

type environment struct {
	Environment
	doc *document
}

// Environments are the names that Plan takes.
func (e *Estate) Environments() []string {
	var out []string
	for name := range e.environments {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Load reads the contracts of a folder: *.yaml in it, one API or
// Client each and one Gateway, and environments/*.yaml. It reports all faults that don't depend on
// an environment. The estate is nil if there are errors.
func Load(fsys fs.FS) (*Estate, Faults) {
	l := &loader{fsys: fsys, estate: &Estate{environments: map[string]*environment{}}, patterns: map[string]*regexp.Regexp{}}
	l.readFolder(".")
	l.readFolder("environments")
	if len(l.faults.Errors()) == 0 || l.estate.gateway != nil {
		l.finish()
	}
	faults := l.faults.sorted()
	if len(faults.Errors()) > 0 {
		return nil, faults
	}
	return l.estate, faults
}

type loader struct {
	fsys   fs.FS
	estate *Estate
	faults Faults
	sums   []string

	patterns map[string]*regexp.Regexp
}

func (l *loader) fault(file, format string, args ...any) {
	l.faults = append(l.faults, Fault{File: file, Message: fmt.Sprintf(format, args...)})
}

func (l *loader) readFolder(dir string) {
	entries, err := fs.ReadDir(l.fsys, dir)
	if err != nil {
		if dir == "." || !errors.Is(err, fs.ErrNotExist) {
			l.fault(dir, "read the folder: %v", err)
		}
		return
	}
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), "."), entry.IsDir() && name == "environments":
		case entry.IsDir():
			l.faults = append(l.faults, Fault{File: name, Warning: true, Message: "this folder is not read; contracts stand in the folder itself, environments in environments/"})
		case slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)):
			l.readFile(name)
		case !slices.Contains([]string{".md", ".json", ".golden"}, path.Ext(name)):
			l.faults = append(l.faults, Fault{File: name, Warning: true, Message: "this file is not read; contracts are *.yaml"})
		}
	}
}

func (l *loader) readFile(name string) {
	f, err := l.fsys.Open(name)
	if err != nil {
		l.fault(name, "open: %v", err)
		return
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(data) > maxFile {
		l.fault(name, "must be a readable file of at most 1 MiB (read error: %v)", err)
		return
	}
	sum := sha256.Sum256(data)
	l.sums = append(l.sums, name+"\x00"+hex.EncodeToString(sum[:]))
	if root := l.parse(name, data); root != nil {
		l.decode(name, root)
	}
}

// parse is the file as one YAML document, nil after a fault.
func (l *loader) parse(name string, data []byte) *yaml.Node {
	in, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		l.syntax(name, err)
		return nil
	}
	var doc yaml.Node
	if err := in.Load(&doc); err != nil {
		l.syntax(name, err)
		return nil
	}
	if len(doc.Content) != 1 {
		l.fault(name, "the file is empty; remove it or write a contract")
		return nil
	}
	var second yaml.Node
	if err := in.Load(&second); !errors.Is(err, io.EOF) {
		l.fault(name, "holds more than one document; write one contract to a file")
		return nil
	}
	return doc.Content[0]
}

func (l *loader) syntax(name string, err error) {
	if errors.Is(err, io.EOF) {
		l.fault(name, "the file is empty; remove it or write a contract")
		return
	}
	f := Fault{File: name, Message: "not YAML: " + err.Error()}
	if le, ok := errors.AsType[*yaml.LoadError](err); ok {
		f.Line, f.Column, f.Width, f.Message = max(le.Mark.Line, 1), max(le.Mark.Column, 1), 1, "not YAML: "+le.Message
	}
	l.faults = append(l.faults, f)
}

// decode turns the document into what its kind says it is.
func (l *loader) decode(name string, root *yaml.Node) {
	d := &document{file: name, at: map[string]mark{}, bad: &l.faults, patterns: l.patterns}
	d.place("", root)
	if !d.is(root, yaml.MappingNode, "a mapping that starts with kind:", "") {
		return
	}
	kind, inEnvironments := kindOf(root), path.Dir(name) == "environments"
	switch {
	case kind == KindEnvironment && inEnvironments:
		e := &environment{doc: d}
		d.decode(root, reflect.ValueOf(&e.Environment).Elem(), "", "")
		l.estate.environments[strings.TrimSuffix(path.Base(name), path.Ext(name))] = e
	case kind == KindEnvironment:
		d.fault("", "an Environment belongs into environments/")
	case inEnvironments:
		d.fault("", "environments/ holds documents of kind: Environment only; this is %q", kind)
	case kind == KindGateway && l.estate.gateway != nil:
		d.fault("", "there is a second Gateway; the first is %s", l.estate.gateway.file)
	case kind == KindGateway:
		l.estate.gateway = d
		d.decode(root, reflect.ValueOf(&l.estate.Gateway).Elem(), "", "")
	case kind == KindAPI:
		var api API
		d.decode(root, reflect.ValueOf(&api).Elem(), "", "")
		l.estate.APIs, l.estate.apis = append(l.estate.APIs, api), append(l.estate.apis, d)
	case kind == KindClient:
		var client Client
		d.decode(root, reflect.ValueOf(&client).Elem(), "", "")
		l.estate.Clients, l.estate.clients = append(l.estate.Clients, client), append(l.estate.clients, d)
	default:
		d.fault("", "kind: %q is not one of Gateway, API, Client, Environment%s", kind, suggest(kind, []string{KindGateway, KindAPI, KindClient, KindEnvironment}))
	}
}

func kindOf(root *yaml.Node) string {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "kind" {
			return root.Content[i+1].Value
		}
	}
	return ""
}

// finish fills in defaults and checks what spans several documents.
func (l *loader) finish() {
	if l.estate.gateway == nil {
		l.fault(".", "no file has kind: Gateway; write gateway.yaml")
		return
	}
	if len(l.estate.APIs) == 0 {
		l.fault(".", "no file has kind: API; write one for each API")
	}
	sum := sha256.Sum256([]byte(strings.Join(l.sums, "\n")))
	l.estate.digest = hex.EncodeToString(sum[:8])
	l.estate.setDefaults()
	l.estate.check()
}
