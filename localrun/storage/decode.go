package storage

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// decode reads an entity. The keys may be left out if the address has them.
func decode(text []byte, at target) (*entity, *refusal) {
	raw, refused := object(text)
	if refused != nil {
		return nil, refused
	}
	e := &entity{properties: map[string]value{}}
	if e.pk, refused = key(raw, "PartitionKey", at.pk, at.kind == one); refused != nil {
		return nil, refused
	}
	if e.rk, refused = key(raw, "RowKey", at.rk, at.kind == one); refused != nil {
		return nil, refused
	}
	for name, v := range raw {
		_, system := e.property(name)
		// What the service says of an entity comes back with it, and means nothing;
		// null is the same as nothing.
		if system || v == nil || strings.HasPrefix(name, "odata.") || strings.HasSuffix(name, "@odata.type") {
			continue
		}
		edm, ok := "", true
		if named, there := raw[name+"@odata.type"]; there {
			edm, ok = named.(string)
		}
		if ok {
			e.properties[name], ok = typed(v, edm)
		}
		if !ok {
			return nil, invalidInput("The value of " + name + " is not one of its type.")
		}
	}
	return e, checkKeys(e.pk, e.rk)
}

// key is the key in the body, which must be the one of the address.
func key(raw map[string]any, name, addressed string, isAddressed bool) (string, *refusal) {
	v, there := raw[name]
	if !there && isAddressed {
		return addressed, nil
	}
	if v == nil {
		return "", needsValue(name)
	}
	text, ok := v.(string)
	if !ok || isAddressed && text != addressed {
		return "", invalidInput(name + " is no text, or not the one of the address.")
	}
	return text, nil
}

// object reads a JSON object in which no name comes twice.
func object(text []byte) (map[string]any, *refusal) {
	malformed := invalidInput("The body is not a JSON object.")
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, malformed
	}
	all := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, malformed
		}
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, malformed
		}
		if _, twice := all[name.(string)]; twice {
			return nil, &refusal{400, "DuplicatePropertiesSpecified", "A property is there twice."}
		}
		all[name.(string)] = v
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, malformed
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, malformed
	}
	return all, nil
}
