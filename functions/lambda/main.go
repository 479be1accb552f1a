// Command bootstrap is the gateway as an AWS Lambda function (provided.al2023).
package main

import (
	"os"

	"tollgate/shared/adapter/lambda"
	"tollgate/shared/boot"
)

func main() {
	function, err := boot.Lambda(os.Stdout, os.Stderr)
	if err != nil {
		lambda.CannotStart(os.Getenv(boot.RuntimeAPI), err)
		os.Exit(1)
	}
	lambda.Start(&lambda.Handler{
		Gateway: function.Gateway, Limits: lambda.DefaultLimits(), Stream: function.Stream,
		After: function.After, Refresh: function.Refresh, Report: function.Report,
		Now: function.Now, Thawed: function.Thawed,
		Authorizer: lambda.Authorizer{
			Policy: function.Policy, Headers: function.Headers, Parameters: function.Parameters, ByAddress: function.ByAddress,
		},
	})
}
