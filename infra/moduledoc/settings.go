package main

import (
	"bytes"
	"encoding/json"
	"strings"

	"tollgate/shared/boot"
)

// lambdaSettings are those that whoever deploys to Lambda may set: not what the
// Functions host or Azure sets, nor what the module does.
func lambdaSettings(all []boot.Setting) ([]byte, error) {
	type setting struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		Doc     string `json:"doc"`
	}
	var out []setting
	for _, s := range all {
		azures := strings.HasPrefix(s.Name, "FUNCTIONS_") || s.Name == boot.IdentityEndpoint || s.Name == boot.IdentityHeader
		if !azures && s.Name != boot.Environment {
			out = append(out, setting{s.Name, s.Default, s.Doc})
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(out)
	return b.Bytes(), err
}
