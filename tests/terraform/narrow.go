package terraform

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// stands are addresses that a provider would compute. The recorded schemas know
// that there are some; what is made of them here must have their shape.
var stands = map[string]map[string]map[string]any{
	"azurerm": {
		"azurerm_storage_account": {
			"primary_table_endpoint": "https://example.table.core.windows.net/", "primary_blob_endpoint": "https://example.blob.core.windows.net/",
		},
		"azurerm_key_vault":                        {"vault_uri": "https://example.vault.azure.net/"},
		"azurerm_monitor_data_collection_endpoint": {"logs_ingestion_endpoint": "https://example.westeurope-1.ingest.monitor.azure.com"},
		"azurerm_monitor_data_collection_rule":     {"immutable_id": "dcr-0123456789abcdef0123456789abcdef"},
		"azurerm_function_app_flex_consumption":    {"default_hostname": "example.azurewebsites.net"},
		"azurerm_linux_web_app":                    {"default_hostname": "example-app.azurewebsites.net"},
		"azurerm_application_insights":             {"connection_string": "InstrumentationKey=00000000-0000-0000-0000-000000000000"},
		"azurerm_cdn_frontdoor_profile":            {"resource_guid": "00000000-0000-4000-8000-00000000f00d"},
		"azurerm_cdn_frontdoor_endpoint":           {"host_name": "example.azurefd.net"},
		"azurerm_log_analytics_workspace":          {"workspace_id": "00000000-0000-4000-8000-0000000000aa"},
		"azurerm_public_ip":                        {"ip_address": "203.0.113.250"},
	},
}

var declared = regexp.MustCompile(`(?m)^\s*(?:resource|data|mock_resource|mock_data)\s+"([a-z0-9_]+)"`)

// declaredTypes are the types of resources and data sources that some Terraform below root has.
func declaredTypes(root string) ([]string, error) {
	var types []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && (name == "node_modules" || name == ".git" || name == ".terraform" || name == "dist") {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); ext != ".tf" && ext != ".hcl" && ext != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // a test that runs beside this one took it away
			return nil
		}
		for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
			types = append(types, m[1])
		}
		return err
	})
	slices.Sort(types)
	return slices.Compact(types), err
}

// narrow leaves of the recorded schemas in the mirror dir only the types named.
// A provider is started for each run of each test; one that knows three hundred types more takes twice as long.
func narrow(dir string, types []string) error {
	schemas, err := filepath.Glob(filepath.Join(dir, "registry.terraform.io/*/*/*/*/schema.json"))
	if err != nil || len(schemas) == 0 {
		return fmt.Errorf("no schemas below %s (%v)", dir, err)
	}
	for _, name := range schemas {
		var schema struct {
			Format    string                                `json:"format_version"`
			Providers map[string]map[string]json.RawMessage `json:"provider_schemas"`
		}
		err := rewrite(name, &schema, func() error {
			for _, p := range schema.Providers {
				if err := errors.Join(keep(p, "resource_schemas", types), keep(p, "data_source_schemas", types)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := narrowRules(filepath.Dir(name), types); err != nil {
			return err
		}
	}
	return nil
}

func narrowRules(dir string, types []string) error {
	var rules map[string]json.RawMessage
	err := rewrite(filepath.Join(dir, "schema.rules.json"), &rules, func() error {
		return errors.Join(keep(rules, "resources", types), keep(rules, "data", types))
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for provider, values := range stands {
		mocks := filepath.Join(dir, "schema.mocks.json")
		if _, err := os.Stat(mocks); err == nil || !strings.Contains(dir, "/"+provider+"/") {
			continue
		}
		text, err := json.Marshal(values)
		if err != nil {
			return err
		}
		if err := os.WriteFile(mocks, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// keep leaves in a member of the object only the types named.
func keep(object map[string]json.RawMessage, member string, types []string) error {
	if object[member] == nil {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(object[member], &all); err != nil {
		return err
	}
	for name := range all {
		if !slices.Contains(types, name) {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	object[member] = text
	return err
}

// rewrite decodes a file into v, and writes it back as change left it.
func rewrite(name string, v any, change func() error) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := change(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if text, err = json.Marshal(v); err != nil {
		return err
	}
	if err := os.Remove(name); err != nil { // it may be read-only, as its source is
		return err
	}
	return os.WriteFile(name, text, 0o644)
}
