package storage_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/localrun/storage"
	"tollgate/localrun/storage/storagetest"
)

// credential always has the same token.
type credential string

func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(c), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func token(audience string, until time.Time) credential {
	claims := fmt.Sprintf(`{"aud":%q,"exp":%d}`, audience, until.Unix())
	return credential("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".e30")
}

func TestATokenForStorageLetsIn(t *testing.T) {
	server := httptest.NewTLSServer(storage.New(storage.Options{Key: key, Authority: "https://login.example/tenant"}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		token credential
		want  string
	}{
		"a token for storage":              {token(storage.Resource, time.Now().Add(time.Hour)), "ok"},
		"a token that expired a while ago": {token(storage.Resource, time.Now().Add(-time.Second)), "401 AuthenticationFailed"},
		"a token for a vault":              {token("https://vault.azure.net", time.Now().Add(time.Hour)), "401 AuthenticationFailed"},
		"no token at all":                  {"opaque", "401 AuthenticationFailed"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := aztables.NewServiceClient(server.URL+"/devstoreaccount1", c.token, &aztables.ClientOptions{
				ClientOptions: policy.ClientOptions{Transport: server.Client(), Retry: policy.RetryOptions{MaxRetries: -1}},
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.NewListTablesPager(nil).NextPage(t.Context())
			if got := storagetest.Outcome(err); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// aztables has no switch for it: a stand-in that is to see tokens needs TLS, or
// a transport that puts https where the client looks, and http on the wire.
func TestATokenIsNotSentWithoutTLS(t *testing.T) {
	s, service := start(t, storage.Options{})
	client, err := aztables.NewServiceClient(service.URL, token(storage.Resource, time.Now().Add(time.Hour)), storagetest.Options(t))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.NewListTablesPager(nil).NextPage(t.Context())
	if got := storagetest.Outcome(err); !strings.Contains(got, "TLS") || s.Operations().Total() != 0 {
		t.Errorf("got %s and %+v, want a refusal of the client's own", got, s.Operations())
	}
}

func TestASharedAccessSignatureLetsIn(t *testing.T) {
	_, service := start(t, storage.Options{})
	owner := storagetest.Client(t, service)
	for name, c := range map[string]struct {
		until time.Duration
		want  string
	}{"until it expires": {time.Hour, "ok"}, "not afterwards": {-time.Hour, "403 AuthenticationFailed"}} {
		t.Run(name, func(t *testing.T) {
			all := aztables.AccountSASPermissions{Read: true, Write: true, List: true, Add: true, Create: true, Update: true, Delete: true}
			url, err := owner.GetAccountSASURL(aztables.AccountSASResourceTypes{Service: true, Container: true, Object: true}, all, time.Now().Add(-2*time.Hour), time.Now().Add(c.until))
			if err != nil {
				t.Fatal(err)
			}
			client, err := aztables.NewServiceClientWithNoCredential(url, storagetest.Options(t))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.NewListTablesPager(nil).NextPage(t.Context())
			if got := storagetest.Outcome(err); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWithoutCredentialsTheChallengeSaysWhomToAsk(t *testing.T) {
	_, service := start(t, storage.Options{Authority: "https://login.example/tenant"})
	resp, text := send(t, http.MethodGet, service.URL+"/Tables", nil, nil)
	want := "Bearer authorization_uri=https://login.example/tenant/oauth2/authorize resource_id=https://storage.azure.com"
	if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || got != want || !strings.Contains(text, "NoAuthenticationInformation") {
		t.Errorf("got %s, %q, %s", resp.Status, got, text)
	}
}

// What aztables doesn't send, and other clients do: more is signed.
func TestTheLongSharedKeySignatureLetsIn(t *testing.T) {
	_, service := start(t, storage.Options{})
	date := time.Now().UTC().Format(http.TimeFormat)
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "GET\n\n\n%s\n/devstoreaccount1/devstoreaccount1/Tables", date)
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	header := http.Header{"X-Ms-Date": {date}, "Authorization": {"SharedKey devstoreaccount1:" + signature}}
	if resp, text := send(t, http.MethodGet, service.URL+"/Tables", header, nil); resp.StatusCode != 200 {
		t.Errorf("got %s %s, want 200", resp.Status, text)
	}
	if resp, text := send(t, http.MethodGet, service.URL+"/Tables()", header, nil); resp.StatusCode != 403 {
		t.Errorf("for another address got %s %s, want 403", resp.Status, text)
	}
}

func TestWithoutAKeyNoSignatureIsChecked(t *testing.T) {
	server := httptest.NewServer(storage.New(storage.Options{Account: "mine"}))
	t.Cleanup(server.Close)
	for account, want := range map[string]string{"mine": "ok", "other": "403 AuthenticationFailed"} {
		client := storagetest.Client(t, storagetest.Service{URL: server.URL + "/mine", Account: account, Key: key})
		_, err := client.CreateTable(t.Context(), "things", nil)
		if got := storagetest.Outcome(err); got != want {
			t.Errorf("%s: got %s, want %s", account, got, want)
		}
	}
}
