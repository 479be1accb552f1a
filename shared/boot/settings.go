package boot

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Setting is one environment variable that the gateway reads. There are no others.
type Setting struct {
	Name    string
	Default string // "" with Required false: may be absent
	Must    bool   // the start stops without it
	Doc     string
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
)

// Settings is the table of all settings.
func Settings() []Setting {
	return []Setting{
		{Name: Port, Must: true, Doc: "Port on 127.0.0.1 that the Functions host calls. The host sets it."},
		{Name: AppRoot, Default: ".", Doc: "The app's folder. The host sets it."},
		{Name: Contracts, Default: "contracts", Doc: "Folder of the contracts; relative to the app's folder."},
		{Name: Environment, Must: true, Doc: "Which file of environments/ the contracts are bound to. No default: a package must not guess where it runs."},
		{Name: Snapshot, Default: "snapshot", Doc: "Folder of the issuers' key sets as tollgate snapshot saved them, for a start during an outage; relative to the app's folder. It may be absent."},
		{Name: Tables, Doc: "Where the tables are, instead of the environment's store.tables: an address, one with a SAS, or a connection string, for Azurite or a stand-in. The last two are secrets."},
		{Name: IdentityEndpoint, Doc: "Where the platform gives the managed identity's tokens. The platform sets it; it is read anew at each use, and absent without an identity."},
		{Name: IdentityHeader, Doc: "What a request there must carry. The platform sets it."},
	}
}

// Config is what the settings say.
type Config struct {
	Port        int
	Contracts   string
	Environment string
	Snapshot    string
}

// configure reads the settings; every missing or bad one is reported.
func configure(getenv func(string) string) (Config, error) {
	values, faults := map[string]string{}, []error{}
	for _, s := range Settings() {
		v := strings.TrimSpace(getenv(s.Name))
		if v == "" {
			v = s.Default
		}
		if v == "" && s.Must {
			faults = append(faults, fmt.Errorf("%s is not set. %s", s.Name, s.Doc))
		}
		values[s.Name] = v
	}
	c := Config{Environment: values[Environment]}
	for name, at := range map[string]*string{Contracts: &c.Contracts, Snapshot: &c.Snapshot} {
		*at = values[name]
		if !filepath.IsAbs(*at) {
			*at = filepath.Join(values[AppRoot], *at)
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
