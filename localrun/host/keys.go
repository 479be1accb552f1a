package host

import (
	"net/url"
	"strings"
)

// key is what the caller shows. functions-host.md §3: the header first; only
// without one does the query's "code" count.
func (c *call) key() string {
	if key := c.r.Header.Get("x-functions-key"); key != "" {
		return key
	}
	for pair := range strings.SplitSeq(strings.TrimPrefix(c.target.query, "?"), "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err != nil || !strings.EqualFold(name, "code") {
			continue
		}
		if code, err := url.QueryUnescape(value); err == nil {
			return code
		}
	}
	return ""
}

func (h *Host) master(c *call) bool {
	return opens(c.key(), h.options.MasterKey)
}

// granted checks a function's authLevel; a wrong key never fails an anonymous one.
func (h *Host) granted(c *call) bool {
	switch c.fn.AuthLevel {
	case "anonymous":
		return true
	case "function":
		key := c.key()
		return opens(key, h.options.FunctionKeys[c.fn.Name]) || opens(key, h.options.HostKey) || h.master(c)
	}
	return h.master(c)
}

// opens compares a shown key; an unset one opens nothing.
func opens(shown, set string) bool { return set != "" && shown == set }
