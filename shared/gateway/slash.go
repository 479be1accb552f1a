package gateway

import (
	"errors"
	"fmt"
	"strings"
)

// The two spellings of an encoded slash. The Functions host turns %2F, and a
// client's %252F too, into %252F (functions-host.md §2c), so behind it the
// second is all that is ever seen of the first.
const (
	slashOnce  = "%2f"
	slashTwice = "%252f"
)

// encodedSlash is the length of the encoded slash that s begins with, 0 if it begins with none.
func encodedSlash(s string) int {
	for _, spelling := range []string{slashOnce, slashTwice} {
		if len(s) >= len(spelling) && strings.EqualFold(s[:len(spelling)], spelling) {
			return len(spelling)
		}
	}
	return 0
}

// slashes tells whether a path that checkPath accepted holds encoded slashes.
func slashes(path string) bool {
	if !strings.Contains(path, "%2") {
		return false
	}
	lower := strings.ToLower(path)
	return strings.Contains(lower, slashOnce) || strings.Contains(lower, slashTwice)
}

// opened is the path as a server sees it that takes encoded slashes for slashes.
func opened(path string) string {
	if !slashes(path) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); {
		if slash := encodedSlash(path[i:]); slash > 0 {
			b.WriteByte('/')
			i += slash
			continue
		}
		b.WriteByte(path[i])
		i++
	}
	return b.String()
}

// checkSlashes: what stands between the slashes of a segment, encoded ones
// included, is neither empty nor a dot segment. So no decoding makes a path that
// resolves to another one. Both spellings in one path would be two readings.
func checkSlashes(path string) error {
	if !slashes(path) {
		return nil
	}
	lower := strings.ToLower(path)
	if strings.Contains(lower, slashOnce) && strings.Contains(lower, slashTwice) {
		return errors.New("it encodes slashes in two ways")
	}
	open := opened(path)
	if err := checkSegments(open); err != nil {
		return fmt.Errorf("with its encoded slashes decoded, %w", err)
	}
	if strings.HasSuffix(open, "/") && !strings.HasSuffix(path, "/") {
		return errors.New("it ends in an encoded slash")
	}
	return nil
}
