// Command schema prints the contract language's JSON Schema: make schema.
package main

import (
	"os"

	"tollgate/shared/contract"
)

func main() { _, _ = os.Stdout.Write(contract.Schema()) }
