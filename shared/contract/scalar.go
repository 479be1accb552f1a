package contract

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// setScalar stores n in v; what doesn't fit is said in the result.
func setScalar(n *yaml.Node, v reflect.Value) string {
	switch v.Interface().(type) {
	case string, Text, PEM:
		if n.ShortTag() != "!!str" {
			return fmt.Sprintf("want text, got %s; put it in quotes if text is meant", shape(n))
		}
		v.SetString(n.Value)
	case bool:
		if n.ShortTag() != "!!bool" || (n.Value != "true" && n.Value != "false") {
			return fmt.Sprintf("want true or false, got %s", shape(n))
		}
		v.SetBool(n.Value == "true")
	case int:
		i, err := strconv.Atoi(n.Value)
		if n.ShortTag() != "!!int" || err != nil {
			return fmt.Sprintf("want a whole number, got %s", shape(n))
		}
		v.SetInt(int64(i))
	case Duration:
		t, err := time.ParseDuration(n.Value)
		if err != nil || t <= 0 {
			return fmt.Sprintf("%q is not a span of time such as 30s or 1m30s", n.Value)
		}
		v.SetInt(int64(t))
	case Size:
		b, ok := parseSize(n.Value)
		if !ok {
			return fmt.Sprintf("%q is not a size such as 512KiB or 10MiB", n.Value)
		}
		v.SetInt(b)
	}
	return ""
}

var sizePattern = regexp.MustCompile(`^([1-9][0-9]{0,8})(KiB|MiB|GiB)$`)

func parseSize(s string) (int64, bool) {
	m := sizePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := map[string]int{"KiB": 10, "MiB": 20, "GiB": 30}[m[2]]
	return n << shift, err == nil
}
