package tables

import (
	"errors"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/shared/sdk"
)

// parse tells an address from a connection string, and what lets in from where
// it is. No error repeats any of it.
func parse(text string) (address string, key *aztables.SharedKeyCredential, err error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
		address = text
	} else if address, key, err = parseParts(text); err != nil {
		return "", nil, err
	}
	address = strings.TrimSuffix(address, "/")
	switch u, err := url.Parse(address); {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || strings.Contains(address, "#"):
		return "", nil, errors.New("the tables' address is not an https address")
	case u.Scheme == "http" && !sdk.Loopback(address):
		return "", nil, errors.New("the tables' address is plain http, which is for loopback only")
	}
	return address, key, nil
}

// parseParts reads a connection string. aztables has its own reading of those; it
// guesses names of services where parts are missing.
func parseParts(text string) (address string, key *aztables.SharedKeyCredential, err error) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return "", nil, errors.New("the tables' address is neither an https address nor a connection string of NAME=VALUE parts")
		}
		parts[name] = value
	}
	address = parts["TableEndpoint"]
	if address == "" && parts["AccountName"] != "" && parts["EndpointSuffix"] != "" {
		address = "https://" + parts["AccountName"] + ".table." + parts["EndpointSuffix"]
	}
	switch {
	case address == "":
		return "", nil, errors.New("the connection string names neither TableEndpoint nor AccountName and EndpointSuffix")
	case parts["SharedAccessSignature"] != "":
		return strings.TrimSuffix(address, "/") + "?" + strings.TrimPrefix(parts["SharedAccessSignature"], "?"), nil, nil
	case parts["AccountName"] == "" || parts["AccountKey"] == "":
		return "", nil, errors.New("the connection string holds neither AccountName and AccountKey nor SharedAccessSignature")
	}
	if key, err = aztables.NewSharedKeyCredential(parts["AccountName"], parts["AccountKey"]); err != nil {
		return "", nil, errors.New("the connection string's AccountKey is not base64")
	}
	return address, key, nil
}
