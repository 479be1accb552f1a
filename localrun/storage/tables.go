package storage

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// maxPage is how many entities, or tables, an answer has at most.
const maxPage = 1000

func (s *Storage) catalogue(c call) (answer, *refusal) {
	switch {
	case c.method == http.MethodGet && c.target.table == "":
		return s.listTables(c)
	case c.method == http.MethodGet:
		t, refused := s.table(c.target.table)
		if refused != nil {
			return answer{}, resourceNotFound()
		}
		return reply(c, http.StatusOK, showTable(c, t.name, true)), nil
	case c.method == http.MethodPost && c.target.table == "":
		return s.createTable(c)
	case c.method == http.MethodDelete && c.target.table != "":
		if _, refused := s.table(c.target.table); refused != nil {
			return answer{}, resourceNotFound()
		}
		delete(s.tables, strings.ToLower(c.target.table))
		a := nothing()
		a.committed = true
		return a, nil
	}
	return answer{}, methodNotAllowed()
}

func (s *Storage) table(name string) (*table, *refusal) {
	t := s.tables[strings.ToLower(name)]
	if t == nil {
		return nil, tableNotFound()
	}
	return t, nil
}

func (s *Storage) createTable(c call) (answer, *refusal) {
	raw, refused := object(c.body)
	if refused != nil {
		return answer{}, refused
	}
	name, ok := raw["TableName"].(string)
	if !ok {
		return answer{}, needsValue("TableName")
	}
	if refused := checkTable(name); refused != nil {
		return answer{}, refused
	}
	if s.tables[strings.ToLower(name)] != nil {
		return answer{}, tableExists()
	}
	s.tables[strings.ToLower(name)] = &table{name: name}
	a := nothing()
	if c.quiet() {
		a.header.Set("Preference-Applied", "return-no-content")
	} else {
		a = reply(c, http.StatusCreated, showTable(c, name, true))
		a.header.Set("Location", c.base+"/Tables('"+name+"')")
	}
	a.committed = true
	return a, nil
}

func checkTable(name string) *refusal {
	switch {
	case len(name) < 3 || len(name) > 63:
		return &refusal{400, "OutOfRangeInput", "A table's name has 3 to 63 characters."}
	case strings.ContainsFunc(name, notAlphanumeric), name[0] <= '9', strings.EqualFold(name, "tables"):
		return &refusal{400, "InvalidResourceName", "A table's name has letters and digits, a letter first, and isn't tables."}
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func showTable(c call, name string, alone bool) map[string]any {
	out := map[string]any{"TableName": name}
	if alone && c.level() != none {
		out["odata.metadata"] = c.base + "/$metadata#Tables/@Element"
	}
	if c.level() == full {
		account := c.base[strings.LastIndexByte(c.base, '/')+1:]
		out["odata.type"] = account + ".Tables"
		out["odata.id"] = c.base + "/Tables('" + name + "')"
		out["odata.editLink"] = "Tables('" + name + "')"
	}
	return out
}

func (s *Storage) listTables(c call) (answer, *refusal) {
	match, top, refused := paging(c)
	if refused != nil {
		return answer{}, refused
	}
	all := slices.SortedFunc(maps.Values(s.tables), func(a, b *table) int { return strings.Compare(a.name, b.name) })
	next, found := "", []any{}
	for _, t := range all {
		if t.name < c.query.Get("NextTableName") {
			continue
		}
		if len(found) == top {
			next = t.name
			break
		}
		if match(func(name string) (value, bool) { return value{edmString, t.name}, name == "TableName" }) {
			found = append(found, showTable(c, t.name, false))
		}
	}
	body := map[string]any{"value": found}
	if c.level() != none {
		body["odata.metadata"] = c.base + "/$metadata#Tables"
	}
	a := reply(c, http.StatusOK, body)
	if next != "" {
		a.header["X-Ms-Continuation-Nexttablename"] = []string{next}
	}
	return a, nil
}
