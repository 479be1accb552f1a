package boot

import (
	"tollgate/shared/contract"
	"tollgate/shared/gateway"
	"tollgate/shared/revocation"
)

// joinRevocations makes the list of who was cut off a part of a gateway, and
// removing what has ended of it a chore.
func (s *store) joinRevocations(p *gateway.Parts) {
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
	p.Chores = func(plan *contract.Plan) []gateway.Chore {
		if plan.Store == nil {
			return nil
		}
		account, err := s.open(*plan.Store)
		if err != nil {
			return nil // said already
		}
		book := revocation.Book{Rows: account.Table(revocation.TableName), Clock: account.Clock(), NewID: newID}
		return []gateway.Chore{{Name: "revocations", Do: book.Sweep}}
	}
}
