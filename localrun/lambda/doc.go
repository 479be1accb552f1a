// Package lambda stands in for AWS Lambda and for the services that put HTTP
// before it, so that a bootstrap meets on a laptop what it meets when deployed.
//
// A [Front] makes the event of one kind from an HTTP request, as API Gateway
// (REST and HTTP APIs), a function URL or an Application Load Balancer does, and
// turns the function's answer back into HTTP. [Start] puts the unmodified
// bootstrap behind it: each process has a runtime API of its own, serves one
// invocation at a time, is stopped (SIGSTOP) between two, killed at its deadline,
// and replaced by a new one after that, as it is after a crash.
//
// Where the real services change, lose or refuse something, so does this one.
// What isn't documented, and what others saw, is a switch of [Variants] or said
// beside the code. Sources, by the names used in comments:
//
//	runtime API   docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
//	custom        .../lambda/latest/dg/runtimes-custom.html (response streaming, trailers)
//	environment   .../lambda/latest/dg/lambda-runtime-environment.html (init, invoke, shutdown)
//	variables     .../lambda/latest/dg/configuration-envvars.html
//	quotas        .../lambda/latest/dg/gettingstarted-limits.html
//	URLs          .../lambda/latest/dg/urls-invocation.html
//	REST          docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
//	notes         .../apigateway/latest/developerguide/api-gateway-known-issues.html
//	HTTP API      .../apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
//	ALB           docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
package lambda
