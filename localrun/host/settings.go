package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"
)

// settings is host.json as the host sees it: one flat map from a lower-case,
// colon-separated key to text. It collects faults, so that all are reported.
type settings struct {
	values map[string]string
	faults []error
}

// parseSettings flattens host.json. functions-host.md §4: an environment
// variable AzureFunctionsJobHost__a__b overrides a.b.
func parseSettings(document []byte, env environment) (*settings, error) {
	tree, err := decodeJSON(document)
	if err != nil {
		return nil, err
	}
	if _, ok := tree.(map[string]any); !ok {
		return nil, errors.New("the document must be one JSON object")
	}
	s := &settings{values: map[string]string{}}
	s.flatten("", tree)
	for _, name := range env.names() {
		if key, ok := cutPrefixFold(name, "AzureFunctionsJobHost__"); ok {
			s.values[strings.ToLower(strings.ReplaceAll(key, "__", ":"))] = env.values[name]
		}
	}
	return s, nil
}

// decodeJSON reads exactly one document and says on which line it went wrong.
func decodeJSON(document []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	var tree any
	err := decoder.Decode(&tree)
	if err == nil {
		if _, err = decoder.Token(); err == io.EOF {
			return tree, nil
		}
		err = errors.New("text after the end of the document")
	}
	line := 1 + bytes.Count(document[:min(int(decoder.InputOffset()), len(document))], []byte("\n"))
	return nil, fmt.Errorf("line %d: not valid JSON: %w", line, err)
}

func (s *settings) flatten(key string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, child := range value {
			s.flatten(strings.TrimPrefix(key+":"+strings.ToLower(name), ":"), child)
		}
	case []any:
		for i, child := range value {
			s.flatten(key+":"+strconv.Itoa(i), child)
		}
	case nil:
	default:
		s.values[key] = fmt.Sprint(value)
	}
}

// has tells whether anything is set at key or below it.
func (s *settings) has(key string) bool {
	key = strings.ToLower(key)
	for name := range s.values {
		if name == key || strings.HasPrefix(name, key+":") {
			return true
		}
	}
	return false
}

func (s *settings) text(key, otherwise string) string {
	if value, ok := s.values[strings.ToLower(key)]; ok {
		return value
	}
	return otherwise
}

func (s *settings) flag(key string) bool {
	text := s.text(key, "false")
	value, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		s.fault(key, "got %q, want true or false", text)
	}
	return value
}

func (s *settings) number(key string, otherwise int) int {
	text := s.text(key, strconv.Itoa(otherwise))
	value, err := strconv.Atoi(text)
	if err != nil {
		s.fault(key, "got %q, want a whole number", text)
	}
	return value
}

func (s *settings) span(key string, otherwise time.Duration) time.Duration {
	text, ok := s.values[strings.ToLower(key)]
	if !ok {
		return otherwise
	}
	value, err := parseTimeSpan(text)
	if err != nil {
		s.fault(key, "%w", err)
	}
	return value
}

// list reads an array, or one JSON array in a single text (how an environment
// variable sets one).
func (s *settings) list(key string) []string {
	if text, ok := s.values[strings.ToLower(key)]; ok {
		var items []string
		if err := json.Unmarshal([]byte(text), &items); err != nil {
			s.fault(key, "got %q, want an array of strings", text)
		}
		return items
	}
	var items []string
	for i := 0; s.has(key + ":" + strconv.Itoa(i)); i++ {
		items = append(items, s.text(key+":"+strconv.Itoa(i), ""))
	}
	return items
}

// children lists the names directly below key.
func (s *settings) children(key string) []string {
	seen := map[string]bool{}
	for name := range s.values {
		if rest, ok := cutPrefixFold(name, key+":"); ok {
			first, _, _ := strings.Cut(rest, ":")
			seen[first] = true
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (s *settings) fault(key, format string, args ...any) {
	s.faults = append(s.faults, fmt.Errorf("host.json: %s: "+format, append([]any{strings.ReplaceAll(key, ":", ".")}, args...)...))
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// parseTimeSpan reads .NET's "[d.]hh:mm:ss[.fraction]"; a bare number is days.
func parseTimeSpan(text string) (time.Duration, error) {
	bad := fmt.Errorf(`got %q, want a time span as "hh:mm:ss" (a bare number means days)`, text)
	rest, negative := strings.CutPrefix(strings.TrimSpace(text), "-")
	days, clock, found := cutDays(rest)
	total, err := timePart(days, 24*time.Hour, -1)
	if err != nil {
		return 0, bad
	}
	if found {
		parts := strings.Split(clock, ":")
		if len(parts) < 2 || len(parts) > 3 {
			return 0, bad
		}
		for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second}[:len(parts)] {
			d, err := timePart(parts[i], unit, []int{23, 59, 59}[i])
			if err != nil {
				return 0, bad
			}
			total += d
		}
	}
	if negative {
		total = -total
	}
	return total, nil
}

// cutDays splits "d.hh:mm:ss" and "hh:mm:ss"; without a colon all is days.
func cutDays(text string) (days, clock string, found bool) {
	colon := strings.Index(text, ":")
	if colon < 0 {
		return text, "", false
	}
	if dot := strings.Index(text[:colon], "."); dot >= 0 {
		return text[:dot], text[dot+1:], true
	}
	return "0", text, true
}

// timePart reads one field; only seconds may have a fraction, most is the
// largest whole value (-1 = any).
func timePart(text string, unit time.Duration, most int) (time.Duration, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseUint(whole, 10, 31)
	if err != nil {
		return 0, err
	}
	if most >= 0 && int(n) > most || fraction != "" && unit != time.Second {
		return 0, errors.New("out of range")
	}
	total := time.Duration(n) * unit
	if fraction != "" {
		part, err := strconv.ParseUint((fraction + "0000000")[:7], 10, 32)
		if err != nil || len(fraction) > 7 {
			return 0, errors.New("out of range")
		}
		total += time.Duration(part) * 100
	}
	return total, nil
}
