package host

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// constraint tells whether a parameter's value is one that the route takes.
type constraint func(value string) bool

// newConstraint builds one of the inline constraints of functions-host.md §3.
func newConstraint(name, args string) (constraint, error) {
	switch strings.ToLower(name) {
	case "int":
		return parses(func(s string) error { _, err := strconv.ParseInt(s, 10, 32); return err }), nil
	case "long":
		return parses(func(s string) error { _, err := strconv.ParseInt(s, 10, 64); return err }), nil
	case "float", "double":
		return parses(isFloat), nil
	case "decimal":
		return parses(isDecimal), nil
	case "bool":
		return func(s string) bool {
			s = strings.TrimSpace(s)
			return strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
		}, nil
	case "datetime":
		return isDateTime, nil
	case "guid":
		return regexp.MustCompile(`(?i)^(\{[0-9a-f-]{36}\}|\([0-9a-f-]{36}\)|[0-9a-f-]{36}|[0-9a-f]{32})$`).MatchString, nil
	case "alpha":
		return regexp.MustCompile(`(?i)^[a-z]*$`).MatchString, nil
	case "required":
		return func(s string) bool { return s != "" }, nil
	case "regex":
		return newRegexConstraint(args)
	}
	return newSizeConstraint(strings.ToLower(name), args)
}

// newRegexConstraint: not anchored, without case; doubled braces mean single ones.
func newRegexConstraint(args string) (constraint, error) {
	pattern := strings.NewReplacer("{{", "{", "}}", "}", "[[", "[", "]]", "]").Replace(args)
	re, err := regexp.Compile("(?i)" + pattern)
	if err != nil {
		return nil, fmt.Errorf("regex(%s): %w (Go's syntax; lookarounds and backreferences of .NET are not emulated here)", args, err)
	}
	return re.MatchString, nil
}

func newSizeConstraint(name, args string) (constraint, error) {
	var numbers []int64
	for text := range strings.SplitSeq(args, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil {
			numbers = nil
			break
		}
		numbers = append(numbers, n)
	}
	length := func(s string) int64 { return int64(utf8.RuneCountInString(s)) }
	switch {
	case name == "length" && len(numbers) == 1:
		return func(s string) bool { return length(s) == numbers[0] }, nil
	case name == "length" && len(numbers) == 2:
		return func(s string) bool { return length(s) >= numbers[0] && length(s) <= numbers[1] }, nil
	case name == "minlength" && len(numbers) == 1:
		return func(s string) bool { return length(s) >= numbers[0] }, nil
	case name == "maxlength" && len(numbers) == 1:
		return func(s string) bool { return length(s) <= numbers[0] }, nil
	case name == "min" && len(numbers) == 1:
		return integer(func(n int64) bool { return n >= numbers[0] }), nil
	case name == "max" && len(numbers) == 1:
		return integer(func(n int64) bool { return n <= numbers[0] }), nil
	case name == "range" && len(numbers) == 2:
		return integer(func(n int64) bool { return n >= numbers[0] && n <= numbers[1] }), nil
	}
	return nil, fmt.Errorf("constraint %s(%s) is none of int, bool, guid, alpha, length(n[,m]), min(n), max(n), range(n,m), minlength(n), maxlength(n), datetime, decimal, long, double, float, required, regex(...)", name, args)
}

func integer(holds func(int64) bool) constraint {
	return func(s string) bool {
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && holds(n)
	}
}

// parses trims first, as .NET's number styles do.
func parses(parse func(string) error) constraint {
	return func(s string) bool { return parse(strings.TrimSpace(s)) == nil }
}

func isFloat(s string) error {
	if strings.ContainsAny(s, "xX_pP") {
		return strconv.ErrSyntax
	}
	_, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	return err
}

func isDecimal(s string) error {
	if _, ok := new(big.Rat).SetString(strings.ReplaceAll(s, ",", "")); !ok || strings.ContainsAny(s, "eExX/_pP") {
		return strconv.ErrSyntax
	}
	return nil
}

// isDateTime takes the invariant forms that APIs use; .NET reads more.
func isDateTime(s string) bool {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04",
		"2006-01-02", "01/02/2006", "1/2/2006", "01/02/2006 15:04:05", "1/2/2006 3:04:05 PM", "2006/01/02", "2006-01", time.RFC1123,
	} {
		if _, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return true
		}
	}
	return false
}
