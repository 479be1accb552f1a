package main

import (
	"bytes"
	"encoding/json"
	"slices"

	"tollgate/shared/boot"
)

// lambdaSettings are those that whoever deploys to Lambda may set: not what AWS Lambda sets, nor what
// the module does, which is the environment and whether answers stream.
func lambdaSettings(all []boot.Setting) ([]byte, error) {
	type setting struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		Doc     string `json:"doc"`
	}
	set := []string{boot.RuntimeAPI, boot.TaskRoot, boot.Region, boot.AccessKey, boot.SecretKey, boot.SessionToken}
	var out []setting
	for _, s := range all {
		if s.Read(boot.OnLambda) && !slices.Contains(set, s.Name) && s.Name != boot.Environment && s.Name != boot.Stream {
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
