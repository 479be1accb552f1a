// Command azure-handler is the gateway as an Azure Functions custom handler.
package main

import (
	"os"

	"tollgate/shared/boot"
)

func main() { os.Exit(boot.Azure(os.Stdout, os.Stderr)) }
