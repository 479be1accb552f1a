package terraform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/tests/terraform"
)

const configuration = `
terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "~> 3.9"
    }
  }
}

resource "azuread_application" "this" {
  %s = "orders"
}
`

func folder(t *testing.T, attribute string) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), []byte(strings.ReplaceAll(configuration, "%s", attribute)), 0o644); err != nil {
		t.Fatal(err)
	}
	terraform.Run(t, dir, "init", "-backend=false")
	return dir
}

func TestAConfigurationIsValidatedAgainstTheProvidersSchema(t *testing.T) {
	terraform.Run(t, folder(t, "display_name"), "validate")
}

func TestAnAttributeThatTheProviderDoesNotHaveIsRefused(t *testing.T) {
	out, err := terraform.Try(t, folder(t, "display_nam"), "validate")
	if err == nil || !strings.Contains(out, "display_nam") {
		t.Errorf("got %v\n%s\nwant an error that names display_nam", err, out)
	}
}
