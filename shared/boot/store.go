package boot

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/limit"
	limits "tollgate/shared/limit/tables"
	"tollgate/shared/revocation"
	"tollgate/shared/sdk"
	"tollgate/shared/subscription"
	"tollgate/shared/tables"
)

// store is where counters, subscriptions and revocations are kept: one storage
// account for the process, with connections of its own, and one clock.
type store struct {
	outside   Outside
	tokens    sdk.Tokens
	transport http.RoundTripper
	secrets   subscription.Secrets

	mu      sync.Mutex
	account *tables.Account
}

func newStore(o Outside, tokens sdk.Tokens, secrets subscription.Secrets) *store {
	transport := o.transport()
	transport.MaxIdleConnsPerHost = 64 // every request that needs the store needs the same host
	return &store{outside: o, tokens: tokens, transport: transport, secrets: secrets}
}

// open is the plan's account, or the one that the setting names. It does no network.
func (s *store) open(said contract.PlannedStore) (*tables.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account != nil {
		return s.account, nil
	}
	account, err := tables.Open(tables.Options{
		Address: cmp.Or(strings.TrimSpace(s.outside.Getenv(Tables)), said.Tables), Tokens: s.tokens, Identity: said.Identity,
		Transport: s.outside.probe.around(s.transport), Now: s.outside.Now, Try: said.Try,
	})
	s.account = account
	return account, err
}

// join makes what is kept there parts of a gateway. An address that can't be used
// stopped the start; see checkStore.
func (s *store) join(p *gateway.Parts) {
	p.Limits = func(said contract.PlannedStore) limit.Store {
		account, err := s.open(said)
		if err != nil {
			p.Report(err)
			return nil
		}
		return limits.New(account.Table(limits.Name), limits.Options{Clock: account.Clock(), Now: s.outside.Now, Try: said.Try})
	}
	p.Subscriptions = func(said contract.PlannedStore) subscription.Source {
		account, err := s.open(said)
		if err != nil {
			p.Report(err)
			return subscription.Source{}
		}
		return subscription.Source{Rows: account.Table(subscription.Table), Clock: account.Clock(), Secrets: s.secrets}
	}
	p.Revocations = func(plan *contract.Plan) revocation.Lists {
		account, err := s.open(*plan.Store)
		if err != nil {
			p.Report(err)
			return nil
		}
		return revocation.NewWatch(account.Table(revocation.TableName), revocation.Options{
			Now: s.outside.Now, Clock: account.Clock(), MaxStale: plan.Revocation.MaxStale, Report: p.Report,
		})
	}
	p.Chores = s.chores
	p.Store = func() gateway.StoreState {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.account == nil {
			return gateway.StoreState{}
		}
		return gateway.StoreState(s.account.State())
	}
}

// chores are what is removed once it has ended.
func (s *store) chores(plan *contract.Plan) []gateway.Chore {
	if plan.Store == nil {
		return nil
	}
	account, err := s.open(*plan.Store)
	if err != nil {
		return nil // said already
	}
	office := subscription.NewOffice(account.Table(subscription.Table), account.Clock(), nil, plan.Store.Digest, rand.Reader)
	return []gateway.Chore{
		{Name: "counts of limits", Do: limits.Keeping{Rows: account.Table(limits.Name), Clock: account.Clock()}.Sweep},
		{Name: "subscription keys", Do: office.Sweep},
		{Name: "revocations", Do: revocation.Book{Rows: account.Table(revocation.TableName), Clock: account.Clock(), NewID: newID}.Sweep},
	}
}

// checkStore: an address that can't be used stops the start.
func checkStore(getenv func(string) string, plan *contract.Plan) error {
	if plan.Store == nil {
		return nil
	}
	_, err := newStore(Outside{Getenv: getenv, Now: time.Now}, nil, nil).open(*plan.Store)
	return err
}
