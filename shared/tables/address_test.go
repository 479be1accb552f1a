package tables_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
	"tollgate/shared/tables"
	"tollgate/tests/azurite"
)

// tokens gives one for whatever scope is asked for, and notes which.
type tokens struct {
	asked []string
	fault error
}

// signature is the part of a token that nobody may see.
const signature = "c2VjcmV0LXNpZ25hdHVyZQ"

func (s *tokens) Token(_ context.Context, id, scope string) (string, error) {
	s.asked = append(s.asked, id+" "+scope)
	claims := fmt.Sprintf(`{"aud":%q,"exp":%d}`, strings.TrimSuffix(scope, "/.default"), time.Now().Add(time.Hour).Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + signature, s.fault
}

// sas is an account's shared access signature, from its owner. Azurite, unlike
// the stand-in, looks at the protocol.
func sas(t testing.TB, s storagetest.Service) string {
	t.Helper()
	cred, err := aztables.NewSharedKeyCredential(s.Account, s.Key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := aztables.AccountSASSignatureValues{
		Protocol: aztables.SASProtocolHTTPSandHTTP, ExpiryTime: time.Now().Add(time.Hour), Services: "t", ResourceTypes: "sco", Permissions: "rwdlacu",
	}.Sign(cred)
	if err != nil {
		t.Fatal(err)
	}
	return signed.Encode()
}

func TestAddressesOnTheStandIn(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	lettingIn(t, service)
}

func TestAddressesOnAzurite(t *testing.T) {
	url, account, key := azurite.Start(t)
	lettingIn(t, storagetest.Service{URL: url, Account: account, Key: key})
}

func lettingIn(t *testing.T, s storagetest.Service) {
	name, secret, at, sig := "AccountName="+s.Account, "AccountKey="+s.Key, "TableEndpoint="+s.URL, sas(t, s)
	for form, address := range map[string]string{
		"the key":                          strings.Join([]string{name, secret, at}, ";"),
		"the key, as the portal has it":    strings.Join([]string{"DefaultEndpointsProtocol=http", name, secret, "BlobEndpoint=http://127.0.0.1:1/x", at, "EndpointSuffix=core.windows.net"}, ";"),
		"the key, with semicolons after":   strings.Join([]string{name, secret, at, "", ";"}, ";"),
		"the key, with a slash and a line": strings.Join([]string{at + "/", name, secret}, ";") + "\n",
		"the key, one part a line":         strings.Join([]string{at, name, secret}, ";\n"),
		"a SAS in a connection string":     at + ";SharedAccessSignature=" + sig,
		"a SAS with its question mark":     at + "/;SharedAccessSignature=?" + sig + ";",
		"a SAS on the address":             s.URL + "?" + sig,
		"a SAS after a slash":              s.URL + "/?" + sig + "\n",
	} {
		t.Run(form, func(t *testing.T) {
			a := open(t, address, patient)
			if _, err := a.Table("t"+strings.ReplaceAll(form[:5], " ", "")).Put(t.Context(), counted(one, 1)); err != nil {
				t.Errorf("got %v, want to be let in", err)
			}
		})
	}
}

// carrier takes requests for any host to a handler of this process, and notes where they went.
type carrier struct {
	http.RoundTripper
	seen  []string
	count atomic.Int64
}

func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	c.seen = append(c.seen, r.URL.Scheme+"://"+r.URL.Host)
	c.count.Add(1)
	if c.RoundTripper == nil {
		return nil, errors.New("nobody is there")
	}
	return c.RoundTripper.RoundTrip(r)
}

func TestAnEndpointIsMadeOfItsSuffix(t *testing.T) {
	net := &carrier{}
	a, err := tables.Open(tables.Options{
		Address:   "DefaultEndpointsProtocol=http;AccountName=contoso;AccountKey=" + azurite.Key + ";EndpointSuffix=core.usgovcloudapi.net",
		Transport: net, Now: time.Now, Try: patient,
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.Table("things").Get(t.Context(), one)
	if want := "https://contoso.table.core.usgovcloudapi.net"; len(net.seen) != 1 || net.seen[0] != want {
		t.Errorf("got requests to %q, want one to %s", net.seen, want)
	}
}

func TestAnAddressThatCanNotBeUsedIsRefusedWithoutBeingRepeated(t *testing.T) {
	const secret, end = "c2VjcmV0LWtleQ==", ";TableEndpoint=https://contoso.table.core.windows.net"
	for name, address := range map[string]string{
		"nothing":             "",
		"some text":           "secret-text",
		"a name without more": "AccountName=contoso;secret-text",
		"the emulator's":      "UseDevelopmentStorage=true",
		"no endpoint":         "AccountName=contoso;AccountKey=" + secret,
		"no name":             "AccountKey=" + secret + end,
		"no key":              "AccountName=secret-text" + end,
		"an empty key":        "AccountName=contoso;AccountKey=" + end,
		"a key that is none":  "AccountName=contoso;AccountKey=secret-text!" + end,
		"a key cut short":     "AccountName=contoso;AccountKey=c2VjcmV0LWtleQ=" + end,
		"no scheme":           "AccountName=contoso;AccountKey=" + secret + ";TableEndpoint=secret-text.example",
		"another scheme":      "AccountName=contoso;AccountKey=" + secret + ";TableEndpoint=ftp://secret-text.example",
		"no host":             "https://?sv=1&sig=secret-text",
		"no URL":              "https://%zz?sv=1&sig=secret-text",
		"a person":            "https://me:secret-text@contoso.table.core.windows.net",
		"a fragment":          "https://contoso.table.core.windows.net?sig=secret-text#more",
	} {
		_, err := tables.Open(tables.Options{Address: address, Transport: &carrier{}, Now: time.Now, Tokens: &tokens{}})
		if err == nil || strings.Contains(err.Error(), "secret-") || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s: got %v, want an error that repeats nothing", name, err)
		}
	}
}

func TestATokenForStorageLetsIn(t *testing.T) {
	_, service := standIn(t, storage.Options{})
	own := &tokens{}
	a, err := tables.Open(tables.Options{Address: service.URL, Tokens: own, Identity: "id", Transport: transport(t), Now: time.Now, Try: patient})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Table("things").Insert(t.Context(), counted(one, 1)); err != nil {
		t.Errorf("got %v, want to be let in", err)
	}
	for _, asked := range own.asked {
		if want := "id https://storage.azure.com/.default"; asked != want {
			t.Errorf("got a token asked for %q, want %q", asked, want)
		}
	}
	if len(own.asked) == 0 {
		t.Error("got no token asked for")
	}
}

// Neither a token nor a SAS nor anything signed may go where anybody can read it.
func TestNothingGoesOverPlainHTTPBeyondThisMachine(t *testing.T) {
	for _, host := range []string{"contoso.table.core.windows.net", "10.0.0.4:10002", "127.0.0.1.example", "localhost.example:80", "[::ffff:8.8.8.8]", "0.0.0.0", "2130706433"} {
		for _, address := range []string{"http://" + host, "http://" + host + "?sv=1&sig=x", "AccountName=a;AccountKey=" + azurite.Key + ";TableEndpoint=http://" + host} {
			net, own := &carrier{}, &tokens{}
			a, err := tables.Open(tables.Options{Address: address, Tokens: own, Transport: net, Now: time.Now, Try: patient})
			if err == nil {
				_, err = a.Table("things").Get(t.Context(), one)
			}
			if err == nil || len(net.seen) > 0 || len(own.asked) > 0 {
				t.Errorf("%s: got %v, requests %q, tokens %q, want nothing sent", host, err, net.seen, own.asked)
			}
		}
	}
}
