package host

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestQuirksNamesTestsAndVariantsThatExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/functions-host.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	paths, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(source)
	}
	for _, name := range regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(page), -1) {
		if !strings.Contains(sources.String(), "func "+name+"(") {
			t.Errorf("docs/functions-host.md names %s, want a test that exists", name)
		}
	}
	for field := range reflect.TypeFor[Variants]().Fields() {
		if !strings.Contains(string(page), "`"+field.Name+"`") {
			t.Errorf("docs/functions-host.md lacks Variants.%s", field.Name)
		}
	}
}
