package boot

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"tollgate/shared/telemetry"
)

// Setting is one environment variable that the gateway reads. There are no others.
type Setting struct {
	Name    string
	Default string // "" with Required false: may be absent
	Must    bool   // the start stops without it
	Doc     string

	on Platform // where it is read; "": everywhere
}

// The names of the settings.
const (
	Port        = "FUNCTIONS_CUSTOMHANDLER_PORT"
	AppRoot     = "FUNCTIONS_APP_ROOT_PATH"
	Contracts   = "TOLLGATE_CONTRACTS"
	Environment = "TOLLGATE_ENVIRONMENT"
	Snapshot    = "TOLLGATE_SNAPSHOT"
	Tables      = "TOLLGATE_TABLES"

	IdentityEndpoint = "IDENTITY_ENDPOINT"
	IdentityHeader   = "IDENTITY_HEADER"

	RuntimeAPI = "AWS_LAMBDA_RUNTIME_API"
	TaskRoot   = "LAMBDA_TASK_ROOT"
	Stream     = "TOLLGATE_LAMBDA_STREAM"
	Authorizer = "TOLLGATE_LAMBDA_AUTHORIZER"

	Region       = "AWS_REGION"
	AccessKey    = "AWS_ACCESS_KEY_ID"
	SecretKey    = "AWS_SECRET_ACCESS_KEY"
	SessionToken = "AWS_SESSION_TOKEN"
	STS          = "AWS_ENDPOINT_URL_STS"
)

// Platform is what runs the gateway.
type Platform string

const (
	OnAzure  Platform = "Azure Functions"
	OnLambda Platform = "AWS Lambda"
)

// Read tells whether it is read on that platform.
func (s Setting) Read(on Platform) bool { return s.on == "" || s.on == on }

// Settings is the table of all settings.
func Settings() []Setting {
	return append([]Setting{
		{Name: Port, on: OnAzure, Must: true, Doc: "Port on 127.0.0.1 that the Functions host calls. The host sets it."},
		{Name: AppRoot, on: OnAzure, Default: ".", Doc: "The app's folder. The host sets it."},
		{Name: Contracts, Default: "contracts", Doc: "Folder of the contracts; relative to the app's folder."},
		{Name: Environment, Must: true, Doc: "Which file of environments/ the contracts are bound to. No default: a package must not guess where it runs."},
		{Name: Snapshot, Default: "snapshot", Doc: "Folder of the issuers' key sets as tollgate snapshot saved them, for a start during an outage; relative to the app's folder. It may be absent."},
		{Name: Tables, Doc: "Where the tables are, instead of the environment's store.tables: an address, one with a SAS, or a connection string, for Azurite or a stand-in. The last two are secrets."},
		{Name: IdentityEndpoint, on: OnAzure, Doc: "Where the platform gives the managed identity's tokens. The platform sets it; it is read anew at each use, and absent without an identity."},
		{Name: IdentityHeader, on: OnAzure, Doc: "What a request there must carry. The platform sets it."},
	}, append(lambdaSettings(), telemetrySettings()...)...)
}

// lambdaSettings are read on AWS Lambda alone.
func lambdaSettings() []Setting {
	return []Setting{
		{Name: RuntimeAPI, on: OnLambda, Must: true, Doc: "Where events come from, host:port. AWS Lambda sets it."},
		{Name: TaskRoot, on: OnLambda, Default: ".", Doc: "The package's folder. AWS Lambda sets it."},
		{Name: Stream, on: OnLambda, Default: "false", Doc: "true: the function's URL streams answers (RESPONSE_STREAM). The events don't tell."},
		{Name: Authorizer, on: OnLambda, Default: "simple", Doc: "What an HTTP API's authorizer with payload 2.0 answers: simple, or policy. The events don't tell."},
		{Name: Region, on: OnLambda, Doc: "Whose STS is asked for what proves the function's role to Entra. AWS Lambda sets it."},
		{Name: AccessKey, on: OnLambda, Doc: "The role's, for minutes to hours. AWS Lambda sets it and the next two; they are no settings of yours."},
		{Name: SecretKey, on: OnLambda, Doc: "The same."},
		{Name: SessionToken, on: OnLambda, Doc: "The same."},
		{Name: STS, on: OnLambda, Doc: "Where STS is, if not at the region's own address: an endpoint of a VPC, or a stand-in."},
	}
}

// telemetrySettings are OpenTelemetry's own, so that whoever knows them elsewhere
// knows them here. A bad one counts as not set, with a warning.
func telemetrySettings() []Setting {
	return []Setting{
		{Name: telemetry.Endpoint, Doc: "The collector's address, to which /v1/traces and /v1/metrics are added. Without it, or one of the next two, nothing is measured."},
		{Name: telemetry.TracesEndpoint, Doc: "Where traces go, as it is."},
		{Name: telemetry.MetricsEndpoint, Doc: "Where metrics go, as it is."},
		{Name: telemetry.Headers, Doc: "What each export carries, as name=value,name=value. A key here is a secret."},
		{Name: telemetry.Protocol, Default: "http/protobuf", Doc: "Or http/json."},
		{Name: telemetry.Timeout, Default: "10000", Doc: "Milliseconds that one export may take."},
		{Name: telemetry.Compression, Default: "none", Doc: "Or gzip."},
		{Name: telemetry.Temporality, Default: "cumulative", Doc: "Or delta: counts since the last export."},
		{Name: telemetry.Interval, Default: "60000", Doc: "Milliseconds between exports of metrics."},
		{Name: telemetry.TracesExporter, Default: "otlp", Doc: "none: no traces."},
		{Name: telemetry.MetricsExporter, Default: "otlp", Doc: "none: no metrics."},
		{Name: telemetry.Sampler, Default: "parentbased_always_on", Doc: "Which calls are traced: always_on, always_off, traceidratio, or one of them after parentbased_."},
		{Name: telemetry.SamplerArg, Default: "1", Doc: "The ratio of traceidratio, from 0 to 1."},
		{Name: telemetry.ServiceName, Doc: "service.name, if not the gateway's own name."},
		{Name: telemetry.Resource, Doc: "More attributes of the resource, as name=value,name=value."},
	}
}

// Config is what the settings say.
type Config struct {
	Port        int
	Contracts   string
	Environment string
	Snapshot    string
	Stream      bool // AWS Lambda: the front streams answers
	Policy      bool // AWS Lambda: an HTTP API's authorizer answers with policies
}

// configure reads the settings; every missing or bad one is reported.
func configure(getenv func(string) string, on Platform) (Config, error) {
	values, faults := map[string]string{}, []error{}
	for _, s := range Settings() {
		if !s.Read(on) {
			continue
		}
		v := strings.TrimSpace(getenv(s.Name))
		if v == "" {
			v = s.Default
		}
		if v == "" && s.Must {
			faults = append(faults, fmt.Errorf("%s is not set. %s", s.Name, s.Doc))
		}
		values[s.Name] = v
	}
	c := Config{Environment: values[Environment], Stream: values[Stream] == "true", Policy: values[Authorizer] == "policy"}
	for name, words := range map[string][2]string{Stream: {"true", "false"}, Authorizer: {"simple", "policy"}} {
		if v := values[name]; v != "" && v != words[0] && v != words[1] {
			faults = append(faults, fmt.Errorf("%s is %q; it is %s or %s", name, v, words[0], words[1]))
		}
	}
	for name, at := range map[string]*string{Contracts: &c.Contracts, Snapshot: &c.Snapshot} {
		*at = values[name]
		if !filepath.IsAbs(*at) {
			*at = filepath.Join(values[AppRoot]+values[TaskRoot], *at) // one of the two is read
		}
	}
	if v := values[Port]; v != "" {
		port, err := strconv.Atoi(v)
		if err != nil || port < 1 || port > 65535 {
			faults = append(faults, fmt.Errorf("%s is %q, which is not a port from 1 to 65535", Port, v))
		}
		c.Port = port
	}
	return c, errors.Join(faults...)
}
