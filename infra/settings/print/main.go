// print writes the settings that the gateway's Terraform module knows.
package main

import (
	"fmt"
	"os"

	"tollgate/infra/settings"
)

func main() {
	text, err := settings.JSON()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = os.Stdout.Write(text)
}
