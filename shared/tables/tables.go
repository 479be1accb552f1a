// Package tables keeps rows in Azure Table Storage, and tells the time by it. It
// is the only home of aztables.
//
// A request is tried once and given up after a quarter of a second: whoever
// calls knows whether another try is safe, and a slow table must not make a slow
// gateway. Rows are changed conditionally, and keys hold letters, digits, "-"
// and "_" alone, so that none of the service's and the SDK's rules for escaping
// can make two of one key (entra-oauth.md §5).
package tables

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"

	"tollgate/shared/sdk"
)

// DefaultTry is how long one request may take.
const DefaultTry = 250 * time.Millisecond

// pageTries is how many times as long a page of a listing may take.
const pageTries = 10

// maxAnswer bounds an answer: a page of a thousand rows of 1 KiB and more.
const maxAnswer = 8 << 20

// What a caller may have to branch on. Anything else means that the outcome is
// not known: the write may have happened.
var (
	ErrNotFound = errors.New("there is no such row")
	ErrExists   = errors.New("the row exists already")
	ErrChanged  = errors.New("the row was changed by someone else")
	// ErrUnreadable is one row's fault, and no outage of the store.
	ErrUnreadable = errors.New("the row holds what nobody here wrote")
)

// Options say where the tables are, and how they are reached.
type Options struct {
	// Address is the account's: https://NAME.table.core.windows.net, with a SAS as
	// its query or without, or a connection string.
	Address   string
	Tokens    sdk.Tokens // used where the address carries no key and no SAS
	Identity  string     // client id of the managed identity; "" for the system-assigned
	Transport http.RoundTripper
	Now       func() time.Time
	Try       time.Duration // for one request; 0: DefaultTry
}

// Account is one storage account's tables. It is safe for concurrent use.
type Account struct {
	service *aztables.ServiceClient
	clock   *Clock
	seen    *seen
	try     time.Duration
}

// Open does no network. Its error never holds a key or a SAS.
func Open(o Options) (*Account, error) {
	a := &Account{clock: NewClock(MachineOf(o.Now)), seen: &seen{}, try: o.Try}
	if a.try == 0 {
		a.try = DefaultTry
	}
	address, key, err := parse(o.Address)
	if err != nil {
		return nil, err
	}
	// Each request has its context's end; this one is for none.
	told, client := sdk.Options(address, watched{o.Transport, a.clock, a.seen}, sdk.Limits{Patience: pageTries * a.try, MaxAnswer: maxAnswer})
	options := &aztables.ClientOptions{ClientOptions: client}
	switch {
	case key != nil:
		a.service, err = aztables.NewServiceClientWithSharedKey(told, key, options)
	case strings.Contains(told, "?"):
		a.service, err = aztables.NewServiceClientWithNoCredential(told, options)
	default:
		a.service, err = aztables.NewServiceClient(told, sdk.Credential(o.Tokens, o.Identity), options)
	}
	if err != nil {
		return nil, errors.New("make a client for the tables: the address can't be used")
	}
	return a, nil
}

// Clock is the store's: known once it has answered.
func (a *Account) Clock() *Clock { return a.clock }

// Table is one table of the account. It is made by the first insert into it.
func (a *Account) Table(name string) *Table {
	return &Table{name: name, client: a.service.NewClient(name), account: a}
}

// Table is one table. It is safe for concurrent use.
type Table struct {
	name    string
	client  *aztables.Client
	account *Account
}

// within is one try's time. The try ends by itself and not with the request that
// asked for it: an end in the middle would leave a write's outcome unknown.
func (t *Table) within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), t.account.try)
}

// Get reads one row; ErrNotFound if there is none.
func (t *Table) Get(ctx context.Context, key Key) (Row, error) {
	if err := key.check(); err != nil {
		return Row{}, err
	}
	ctx, cancel := t.within(ctx)
	defer cancel()
	answer, err := t.client.GetEntity(ctx, key.Partition, key.Row, nil)
	if err != nil {
		return Row{}, t.told("read", err)
	}
	row, err := decode(answer.Value, string(answer.ETag))
	if err == nil && row.Key != key {
		return Row{}, errors.New("the store's answer is another row")
	}
	return row, err
}

// Insert adds a row; ErrExists if there is one of that key. The table is made if
// it isn't there.
func (t *Table) Insert(ctx context.Context, row Row) (etag string, err error) {
	return t.add(ctx, row, "insert into", func(ctx context.Context, text []byte) (azcore.ETag, error) {
		answer, err := t.client.AddEntity(ctx, text, nil)
		return answer.ETag, err
	})
}

// Put writes the row whatever is there. The table is made if it isn't there.
func (t *Table) Put(ctx context.Context, row Row) (etag string, err error) {
	return t.add(ctx, row, "write to", func(ctx context.Context, text []byte) (azcore.ETag, error) {
		answer, err := t.client.UpsertEntity(ctx, text, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
		return answer.ETag, err
	})
}

func (t *Table) add(ctx context.Context, row Row, doing string, write func(context.Context, []byte) (azcore.ETag, error)) (etag string, err error) {
	text, err := encode(row)
	if err != nil {
		return "", err
	}
	for range 2 {
		within, cancel := t.within(ctx)
		var written azcore.ETag
		written, err = write(within, text)
		cancel()
		if err == nil {
			return string(written), nil
		}
		if !noTable(err) {
			break
		}
		if err := t.create(ctx); err != nil {
			return "", err
		}
	}
	return "", t.told(doing, err)
}

// Replace writes the whole row in place of the one with row.ETag, which must be
// given; ErrChanged if it isn't that one any more, ErrNotFound if it is gone.
func (t *Table) Replace(ctx context.Context, row Row) (etag string, err error) {
	if row.ETag == "" {
		return "", errors.New("a row is replaced by its ETag only")
	}
	text, err := encode(row)
	if err != nil {
		return "", err
	}
	ctx, cancel := t.within(ctx)
	defer cancel()
	answer, err := t.client.UpdateEntity(ctx, text, &aztables.UpdateEntityOptions{IfMatch: match(row.ETag), UpdateMode: aztables.UpdateModeReplace})
	if err != nil {
		return "", t.told("replace a row of", err)
	}
	return string(answer.ETag), nil
}

// Delete removes the row; with an ETag only that version of it. One that is
// gone already is no error.
func (t *Table) Delete(ctx context.Context, key Key, etag string) error {
	if err := key.check(); err != nil {
		return err
	}
	ctx, cancel := t.within(ctx)
	defer cancel()
	if etag == "" {
		etag = "*"
	}
	_, err := t.client.DeleteEntity(ctx, key.Partition, key.Row, &aztables.DeleteEntityOptions{IfMatch: match(etag)})
	if err = t.told("delete from", err); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (t *Table) create(ctx context.Context) error {
	ctx, cancel := t.within(ctx)
	defer cancel()
	_, err := t.client.CreateTable(ctx, nil)
	if err = t.told("create", err); errors.Is(err, ErrExists) {
		return nil
	}
	return err
}

// told says what happened to the table without what the service wrote, which
// can repeat the request.
func (t *Table) told(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", doing, t.name, plainly(err))
}
