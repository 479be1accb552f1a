// Command schema prints the contract language's JSON Schema, or with the word
// event that of events: make schema.
package main

import (
	"os"

	"tollgate/shared/audit"
	"tollgate/shared/contract"
)

func main() {
	text := contract.Schema()
	if len(os.Args) > 1 && os.Args[1] == "event" {
		text = audit.Schema()
	}
	_, _ = os.Stdout.Write(text)
}
