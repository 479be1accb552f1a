// Package storagetest is what a table service must do, as the aztables client
// sees it. The stand-in and Azurite are both held to it, so that each keeps the
// other honest; where Azurite is known to do something else, that stands beside
// the expectation, and a change of it is noticed, too.
package storagetest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// Service is one that is running, empty or not.
type Service struct {
	URL, Account, Key string
	Azurite           bool
}

// expectation is one promise. does tells what happened in a few words. Where
// Azurite is known to do something else, the name has the number of that gap in
// ecosystem.md §1, "Gaps against the real service", or says that it is new.
type expectation struct {
	name    string
	does    func(b *bench) string
	want    string
	azurite string // what Azurite does instead, if anything
}

// silence is what Azurite does instead where it says nothing.
const silence = "(nothing)"

func (e expectation) of(s Service) string {
	switch {
	case !s.Azurite || e.azurite == "":
		return e.want
	case e.azurite == silence:
		return ""
	}
	return e.azurite
}

// Run holds the service to every expectation.
func Run(t *testing.T, s Service) {
	groups := map[string][]expectation{
		"answers": answers(), "keys": keys(), "entities": entityRules(), "queries": queries(),
		"transactions": transactions(), "client": clientTraps(),
		"service": serviceWide(), "races": races(),
	}
	for name, all := range groups {
		t.Run(name, func(t *testing.T) {
			for _, e := range all {
				t.Run(e.name, func(t *testing.T) {
					if got, want := e.does(newBench(t, s)), e.of(s); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				})
			}
		})
	}
}

// bench is a client without retries and a table of its own.
type bench struct {
	t       *testing.T
	ctx     context.Context
	about   Service
	service *aztables.ServiceClient
	table   *aztables.Client
}

func newBench(t *testing.T, s Service) *bench {
	t.Helper()
	b := &bench{t: t, ctx: t.Context(), about: s, service: Client(t, s)}
	name := "t" + rand.Text()
	if _, err := b.service.CreateTable(b.ctx, name, nil); err != nil {
		t.Fatal(err)
	}
	b.table = b.service.NewClient(name)
	return b
}

// Client talks to the service with the account's key, and never tries again.
func Client(t testing.TB, s Service) *aztables.ServiceClient {
	t.Helper()
	cred, err := aztables.NewSharedKeyCredential(s.Account, s.Key)
	if err != nil {
		t.Fatal(err)
	}
	client, err := aztables.NewServiceClientWithSharedKey(s.URL, cred, Options(t))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Options are those of a client that never tries again, and whose connections end with the test.
func Options(t testing.TB) *aztables.ClientOptions {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	return &aztables.ClientOptions{ClientOptions: policy.ClientOptions{
		Retry: policy.RetryOptions{MaxRetries: -1}, Transport: &http.Client{Transport: transport},
	}}
}

// Outcome is "ok", or the status and code of an error; of a failed transaction
// also what the multipart body says, and of which operation.
func Outcome(err error) string {
	if err == nil {
		return "ok"
	}
	failed, ok := errors.AsType[*azcore.ResponseError](err)
	if !ok {
		return err.Error()
	}
	said := strings.TrimSpace(fmt.Sprintf("%d %s", failed.StatusCode, failed.ErrorCode))
	inside := regexp.MustCompile(`(?s)HTTP/1.1 (\d+) .*"code":"(\w*)".*"value":"(\d*):`).FindStringSubmatch(failed.Error())
	if failed.StatusCode == http.StatusAccepted && inside != nil {
		said += " with " + inside[1] + " " + inside[2] + " of " + inside[3]
	}
	return said
}

// add inserts an entity with these keys and properties, and gives its ETag.
func (b *bench) add(pk, rk string, properties map[string]any) azcore.ETag {
	b.t.Helper()
	resp, err := b.table.AddEntity(b.ctx, entity(pk, rk, properties), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.ETag
}

// get reads an entity as it comes.
func (b *bench) get(pk, rk string) map[string]any {
	b.t.Helper()
	resp, err := b.table.GetEntity(b.ctx, pk, rk, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.parsed(resp.Value)
}

func (b *bench) parsed(text []byte) map[string]any {
	b.t.Helper()
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		b.t.Error(err)
	}
	return all
}

// entity is plain JSON, without what EDMEntity does to it.
func entity(pk, rk string, properties map[string]any) []byte {
	all := map[string]any{"PartitionKey": pk, "RowKey": rk}
	for name, v := range properties {
		all[name] = v
	}
	text, _ := json.Marshal(all) // texts, numbers and maps of them always marshal
	return text
}

// with is one property.
func with(name string, v any) map[string]any { return map[string]any{name: v} }

func ifMatch(tag azcore.ETag) *azcore.ETag { return &tag }
