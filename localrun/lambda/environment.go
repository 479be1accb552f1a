package lambda

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// maxVariables is how much a function's own variables may come to (quotas).
const maxVariables = 4 << 10

const (
	region       = "eu-central-1"
	account      = "123456789012"
	functionName = "tollgate"
	functionARN  = "arn:aws:lambda:" + region + ":" + account + ":function:" + functionName
)

// The role's keys, made up: they are worth nothing but to a stand-in for STS.
const (
	KeyID   = "ASIASTANDIN000000000"
	Session = "stand-in"
)

// defined are the variables that Lambda itself sets (variables, "defined
// runtime environment variables"), for a runtime that is only an OS.
func defined(taskRoot, api, stream string) map[string]string {
	return map[string]string{
		"_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": taskRoot, "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_LAMBDA_FUNCTION_NAME": functionName, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_RUNTIME_API": api,
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + functionName, "AWS_LAMBDA_LOG_STREAM_NAME": stream,
		"AWS_ACCESS_KEY_ID": KeyID, "AWS_SECRET_ACCESS_KEY": "stand-in", "AWS_SESSION_TOKEN": Session,
		"LANG": "en_US.UTF-8", "TZ": ":UTC",
		"PATH":            "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH": "/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:" + taskRoot + ":" + filepath.Join(taskRoot, "lib") + ":/opt/lib",
	}
}

// changeable are those of Lambda's variables that a function may set itself (variables).
var changeable = []string{"PATH", "LD_LIBRARY_PATH", "LANG", "TZ"}

// checkSettings refuses what creating the function would refuse.
func checkSettings(settings map[string]string) error {
	size := 0
	for name, value := range settings {
		size += len(name) + len(value)
		_, taken := defined("", "", "")[name]
		if (taken || strings.HasPrefix(name, "AWS_LAMBDA_") || name == "_X_AMZN_TRACE_ID") && !slices.Contains(changeable, name) {
			return fmt.Errorf("the setting %s is Lambda's own: a function can't set it", name)
		}
	}
	if size > maxVariables {
		return fmt.Errorf("the settings come to %d bytes: Lambda takes %d", size, maxVariables)
	}
	return nil
}

// variables is all that a process gets.
func (l *Lambda) variables(api, stream string) []string {
	all := defined(filepath.Dir(l.options.Bootstrap), api, stream)
	maps.Copy(all, l.options.Settings)
	pairs := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+all[name])
	}
	return pairs
}
