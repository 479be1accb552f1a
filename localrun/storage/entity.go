package storage

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// What the service takes of one entity. Three of 255 properties are the system's.
const (
	maxProperties = 252
	maxName       = 255
	maxValue      = 64 << 10
	maxEntity     = 1 << 20
)

// entity is never changed once it is in a table.
type entity struct {
	pk, rk     string
	properties map[string]value
	stamp      time.Time
}

// etag is made of the stamp, which no two writes share.
func (e *entity) etag() string {
	return `W/"datetime'` + strings.ReplaceAll(format(e.stamp), ":", "%3A") + `'"`
}

// property is one of the entity's own or of the system's.
func (e *entity) property(name string) (value, bool) {
	switch name {
	case "PartitionKey":
		return value{edmString, e.pk}, true
	case "RowKey":
		return value{edmString, e.rk}, true
	case "Timestamp":
		return value{edmDateTime, e.stamp}, true
	}
	v, ok := e.properties[name]
	return v, ok
}

// merged is the old entity with what the new one has.
func (e *entity) merged(onto *entity) *entity {
	all := maps.Clone(onto.properties)
	maps.Copy(all, e.properties)
	return &entity{pk: e.pk, rk: e.rk, properties: all}
}

// check holds the entity to the limits of the service.
func (e *entity) check() *refusal {
	if len(e.properties) > maxProperties {
		return &refusal{400, "TooManyProperties", "The entity has more than 252 properties of its own."}
	}
	size := 4 + 2*(units(e.pk)+units(e.rk))
	for name, v := range e.properties {
		if refused := checkName(name); refused != nil {
			return refused
		}
		if n := v.size(); n-4 > maxValue {
			return &refusal{400, "PropertyValueTooLarge", "The value of " + name + " takes more than 64 KiB."}
		}
		size += 8 + 2*units(name) + v.size()
	}
	if size > maxEntity {
		return &refusal{400, "EntityTooLarge", "The entity takes more than 1 MiB."}
	}
	return nil
}

// checkName: a property's name is an identifier of C#.
func checkName(name string) *refusal {
	if units(name) > maxName {
		return &refusal{400, "PropertyNameTooLong", "A property's name has more than 255 characters."}
	}
	for i, r := range name {
		first := r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r)
		if !first && (i == 0 || !unicode.In(r, unicode.Mn, unicode.Mc, unicode.Nd, unicode.Pc, unicode.Cf)) {
			return invalidName("The property name " + name + " is no identifier.")
		}
	}
	if name == "" {
		return invalidName("A property has no name.")
	}
	return nil
}

// show is the entity as an answer has it. Of selected, nil means every property.
func (e *entity) show(c call, t *table, selected []string) map[string]any {
	out := map[string]any{}
	names := selected
	if names == nil {
		names = append(slices.Collect(maps.Keys(e.properties)), "PartitionKey", "RowKey", "Timestamp")
	}
	for _, name := range names {
		v, ok := e.property(name)
		if !ok {
			continue
		}
		out[name] = v.json()
		if l := c.level(); l != none && v.named() && (name != "Timestamp" || l == full) {
			out[name+"@odata.type"] = v.edm
		}
	}
	if c.level() != none {
		out["odata.etag"] = e.etag()
	}
	if c.level() == full {
		out["odata.type"] = strings.TrimPrefix(c.base[strings.LastIndexByte(c.base, '/'):], "/") + "." + t.name
		out["odata.id"] = c.base + "/" + e.address(t)
		out["odata.editLink"] = e.address(t)
	}
	return out
}

// address of the entity within its account.
func (e *entity) address(t *table) string {
	quote := func(key string) string { return url.PathEscape(strings.ReplaceAll(key, "'", "''")) }
	return t.name + "(PartitionKey='" + quote(e.pk) + "',RowKey='" + quote(e.rk) + "')"
}

// table keeps its entities in the order of their keys.
type table struct {
	name     string
	rows     []*entity
	policies []byte // who holds a SAS by its identifier, as XML
}

// find is where the entity with these keys is, or would be.
func (t *table) find(pk, rk string) (int, bool) {
	return slices.BinarySearchFunc(t.rows, [2]string{pk, rk}, func(e *entity, key [2]string) int {
		return cmp.Or(strings.Compare(e.pk, key[0]), strings.Compare(e.rk, key[1]))
	})
}

// put makes e the entity of its keys.
func (t *table) put(e *entity) {
	at, found := t.find(e.pk, e.rk)
	if found {
		t.rows[at] = e
		return
	}
	t.rows = slices.Insert(t.rows, at, e)
}

func (t *table) remove(pk, rk string) {
	if at, found := t.find(pk, rk); found {
		t.rows = slices.Delete(t.rows, at, at+1)
	}
}
