// Package host stands in for the Azure Functions host, so that a custom
// handler meets on a laptop what it meets when deployed.
//
// It reads the files that are deployed (host.json and <Function>/function.json
// under one app root), starts the handler as a child process as the host does,
// and answers on a loopback address. Where the real host changes, loses or
// refuses something, so does this one; where its behaviour differs between
// versions or isn't known, [Variants] has a switch. docs/functions-host.md lists every
// behaviour with the test that holds it.
//
// In this package "functions-host.md" is the project's reference on the real
// host; a comment that names one of its sections obeys that section.
package host
