package storage

import (
	"net/http"
	"strings"
)

// planned is a write that nothing stands against any more.
type planned struct {
	call   call
	table  *table
	pk, rk string
	entity *entity // nil = delete
}

// change is a write on its own.
func (s *Storage) change(c call) (answer, *refusal) {
	p, refused := s.plan(c)
	if refused != nil {
		return answer{}, refused
	}
	return s.commit(p), nil
}

// plan checks a write without doing it.
func (s *Storage) plan(c call) (planned, *refusal) {
	t, refused := s.table(c.target.table)
	if refused != nil {
		return planned{}, refused
	}
	p := planned{call: c, table: t, pk: c.target.pk, rk: c.target.rk}
	switch {
	case c.target.kind == entities && c.method == http.MethodPost:
		return p.insert()
	case c.target.kind == one && (c.method == http.MethodPut || c.method == http.MethodPatch):
		return p.update(s.storm)
	case c.target.kind == one && c.method == http.MethodDelete:
		if len(c.header.Values("If-Match")) == 0 {
			return planned{}, &refusal{http.StatusBadRequest, "MissingRequiredHeader", "If-Match is missing."}
		}
		_, refused := p.current(s.storm)
		return p, refused
	}
	return planned{}, methodNotAllowed()
}

func (p planned) insert() (planned, *refusal) {
	e, refused := decode(p.call.body, p.call.target)
	if refused == nil {
		refused = e.check()
	}
	if refused != nil {
		return planned{}, refused
	}
	if _, exists := p.table.find(e.pk, e.rk); exists {
		return planned{}, entityExists()
	}
	p.pk, p.rk, p.entity = e.pk, e.rk, e
	return p, nil
}

// update is an upsert if no ETag is named.
func (p planned) update(storm func() bool) (planned, *refusal) {
	e, refused := decode(p.call.body, p.call.target)
	if refused != nil {
		return planned{}, refused
	}
	old, refused := p.current(storm)
	if refused != nil {
		return planned{}, refused
	}
	if p.call.method == http.MethodPatch && old != nil {
		e = e.merged(old)
	}
	p.entity = e
	return p, e.check()
}

// current is the entity as it stands, if its ETag is the one that the call
// names; nil if there is none and the call names no ETag either.
func (p planned) current(storm func() bool) (*entity, *refusal) {
	at, exists := p.table.find(p.pk, p.rk)
	named := p.call.header.Values("If-Match")
	switch {
	case len(named) == 0 && !exists:
		return nil, nil
	case len(named) > 0 && !wellFormed(named):
		return nil, invalidInput("If-Match is no ETag.")
	case !exists:
		return nil, resourceNotFound()
	}
	e := p.table.rows[at]
	if len(named) > 0 && named[0] != "*" && (storm() || named[0] != e.etag()) {
		return nil, conditionNotMet()
	}
	return e, nil
}

// wellFormed: "*" or one weak ETag.
func wellFormed(named []string) bool {
	if len(named) != 1 {
		return false
	}
	inside, weak := strings.CutPrefix(named[0], `W/"`)
	inside, closed := strings.CutSuffix(inside, `"`)
	return named[0] == "*" || weak && closed && !strings.Contains(inside, `"`)
}

// storm tells whether a write that names an ETag is to fail for no other reason.
func (s *Storage) storm() bool {
	_, met := s.Take(Conflict)
	return met
}

// commit does what was planned.
func (s *Storage) commit(p planned) answer {
	a := nothing()
	if p.entity == nil {
		p.table.remove(p.pk, p.rk)
		a.committed = true
		return a
	}
	p.entity.stamp = s.stamp()
	p.table.put(p.entity)
	c := p.call
	switch {
	case c.method == http.MethodPost && !c.quiet():
		body := p.entity.show(c, p.table, nil)
		if c.level() != none {
			body["odata.metadata"] = c.base + "/$metadata#" + p.table.name + "/@Element"
		}
		a = reply(c, http.StatusCreated, body)
		a.header.Set("Location", c.base+"/"+p.entity.address(p.table))
	case c.method == http.MethodPost:
		a.header.Set("Preference-Applied", "return-no-content")
	}
	a.header["Etag"] = []string{p.entity.etag()}
	a.committed = true
	return a
}
