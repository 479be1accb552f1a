// Package settings is what the gateway reads from its environment as a file that
// Terraform reads: infra/modules/gateway refuses a setting that isn't there.
// `make infra-docs` writes it to infra/modules/gateway/settings.json.
//
// boot's table says which settings there are. Who sets each on Azure is said
// here, so a new setting doesn't reach a function app before someone has decided.
package settings

import (
	"bytes"
	"encoding/json"
	"fmt"

	"tollgate/shared/boot"
	"tollgate/shared/telemetry"
)

// By is who sets a setting of a function app.
type By string

const (
	Host     By = "host"     // the Functions host, when it starts the handler
	Platform By = "platform" // Azure, for the managed identity
	Module   By = "module"   // infra/modules/gateway
	Operator By = "operator" // whoever fills in the module's settings
)

// Setting is one line of the file.
type Setting struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Must    bool   `json:"must"`
	SetBy   By     `json:"set_by"`
	Secret  bool   `json:"secret"` // its value is or holds a key, so Terraform mustn't know it
	Doc     string `json:"doc"`
}

// by says who sets what.
func by() map[string]By {
	return map[string]By{
		boot.Port:             Host,
		boot.AppRoot:          Host,
		boot.IdentityEndpoint: Platform,
		boot.IdentityHeader:   Platform,
		boot.Environment:      Module,

		boot.Contracts:            Operator,
		boot.Snapshot:             Operator,
		boot.Tables:               Operator,
		telemetry.Endpoint:        Operator,
		telemetry.TracesEndpoint:  Operator,
		telemetry.MetricsEndpoint: Operator,
		telemetry.Headers:         Operator,
		telemetry.Protocol:        Operator,
		telemetry.Timeout:         Operator,
		telemetry.Compression:     Operator,
		telemetry.Temporality:     Operator,
		telemetry.Interval:        Operator,
		telemetry.TracesExporter:  Operator,
		telemetry.MetricsExporter: Operator,
		telemetry.Sampler:         Operator,
		telemetry.SamplerArg:      Operator,
		telemetry.ServiceName:     Operator,
		telemetry.Resource:        Operator,
	}
}

// table is boot's table for Azure Functions with who sets what, in boot's order.
func table() ([]Setting, error) {
	who, all := by(), []Setting{}
	for _, s := range boot.Settings() {
		if !s.Read(boot.OnAzure) {
			continue
		}
		set, known := who[s.Name]
		if !known {
			return nil, fmt.Errorf("%s is a setting of the gateway, and infra/settings doesn't say who sets it", s.Name)
		}
		delete(who, s.Name)
		secret := s.Name == telemetry.Headers || s.Name == boot.IdentityHeader
		all = append(all, Setting{Name: s.Name, Default: s.Default, Must: s.Must, SetBy: set, Secret: secret, Doc: s.Doc})
	}
	for name := range who {
		return nil, fmt.Errorf("infra/settings says who sets %s, which the gateway doesn't read", name)
	}
	return all, nil
}

// File is the text.
func File() ([]byte, error) {
	all, err := table()
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(all)
	return text.Bytes(), err
}
