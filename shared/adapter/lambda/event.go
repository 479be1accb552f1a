package lambda

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// front is what calls the function. Events tell it themselves, so that one
// function can stand behind several.
type front int

const (
	httpAPI  front = iota + 1 // HTTP API, payload 2.0; a function URL's events are the same
	restAPI                   // REST API, and HTTP API with payload 1.0
	alb                       // a target group without multi-value headers
	albMulti                  // one with them
)

// event is one call as a front describes it.
type event struct {
	front  front
	method string
	path   string // with every byte as the front gave it
	query  string // raw; "" for none
	fields []field
	body   []byte
	client netip.Addr
	id     string // the front's name for the call
}

// field is one header line.
type field struct{ name, value string }

// read makes a call of an event.
func read(o object) (*event, error) {
	context, err := o.sub("requestContext")
	if err != nil {
		return nil, err
	}
	var e *event
	switch {
	case context.has("connectionId"):
		return nil, errors.New("it is of a WebSocket API, which isn't served: a WebSocket can't pass a function")
	case context.has("elb"):
		e, err = fromALB(o)
	case context.has("http"):
		e, err = fromHTTP(o, context)
	case context != nil && o.has("httpMethod"):
		e, err = fromREST(o, context)
	default:
		return nil, errors.New("it is of no kind that this gateway knows: API Gateway (HTTP or REST), a function URL, a load balancer, an authorizer's request, a schedule")
	}
	if err == nil {
		err = e.complete(o)
	}
	return e, err
}

// complete reads what all kinds have, and refuses what no front sends.
func (e *event) complete(o object) error {
	if e.method == "" || e.path == "" {
		return errors.New("it has no method or no path")
	}
	body, err := o.text("body")
	if err != nil {
		return err
	}
	encoded, err := o.truth("isBase64Encoded")
	if err != nil {
		return err
	}
	e.body = []byte(body)
	if encoded {
		if e.body, err = base64.StdEncoding.Strict().DecodeString(body); err != nil {
			return errors.New("body: it isn't base64")
		}
	}
	return nil
}

// fromHTTP: payload 2.0. The raw path and query stand in it as the front got
// them. Headers of one name have been joined by commas, cookies stand apart.
func fromHTTP(o, context object) (*event, error) {
	http, err := context.sub("http")
	if err != nil {
		return nil, err
	}
	r := reader{}
	e := &event{
		front: httpAPI, method: r.text(http, "method"), path: r.text(o, "rawPath"), query: r.text(o, "rawQueryString"),
		client: address(r.text(http, "sourceIp")), id: r.text(context, "requestId"), fields: r.single(o, "headers"),
	}
	if cookies := r.list(o, "cookies"); len(cookies) > 0 {
		e.fields = slices.DeleteFunc(e.fields, func(f field) bool { return strings.EqualFold(f.name, "cookie") })
		e.fields = append(e.fields, field{"cookie", strings.Join(cookies, "; ")}) // RFC 6265 §4.2.1
	}
	return e, r.err
}

// fromREST: payload 1.0. The query comes decoded, as names and values.
func fromREST(o, context object) (*event, error) {
	r := reader{}
	identity := r.sub(context, "identity")
	e := &event{
		front: restAPI, method: r.text(o, "httpMethod"), path: r.text(o, "path"),
		client: address(r.text(identity, "sourceIp")), id: r.text(context, "requestId"), fields: r.fields(o),
	}
	e.query = query(r.parameters(o), escape)
	return e, r.err
}

// fromALB: a load balancer tells the address in X-Forwarded-For alone, to whose
// end it appends the peer's. Parameters come as they were sent, not decoded.
func fromALB(o object) (*event, error) {
	r := reader{}
	e := &event{front: alb, method: r.text(o, "httpMethod"), path: r.text(o, "path"), fields: r.fields(o)}
	if o.has("multiValueHeaders") {
		e.front = albMulti
	}
	e.query = query(r.parameters(o), func(s string) string { return s })
	var chain string
	for _, f := range e.fields {
		switch strings.ToLower(f.name) {
		case "x-forwarded-for":
			chain = f.value
		case "x-amzn-trace-id":
			e.id = f.value
		}
	}
	e.client = address(strings.TrimSpace(chain[strings.LastIndexByte(chain, ',')+1:]))
	return e, r.err
}

// address: an IPv4 address in IPv6 form is the IPv4 address; what is none is unknown.
func address(s string) netip.Addr {
	if with, err := netip.ParseAddrPort(s); err == nil { // a load balancer can be told to write the port too
		s = with.Addr().String()
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}
	}
	return a.Unmap()
}

type parameter struct {
	name   string
	values []string
}

// query writes parameters in one order, for events have none.
func query(all []parameter, escape func(string) string) string {
	slices.SortFunc(all, func(a, b parameter) int { return strings.Compare(a.name, b.name) })
	var out []string
	for _, p := range all {
		for _, v := range p.values {
			out = append(out, escape(p.name)+"="+escape(v))
		}
	}
	return strings.Join(out, "&")
}

// escape: RFC 3986 §2.3; a space is %20, which is one in every reading.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// reader reads members until the first that isn't what it must be.
type reader struct{ err error }

func (r *reader) note(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) text(o object, name string) string {
	s, err := o.text(name)
	r.note(err)
	return s
}

func (r *reader) list(o object, name string) []string {
	l, err := o.list(name)
	r.note(err)
	return l
}

func (r *reader) sub(o object, name string) object {
	s, err := o.sub(name)
	r.note(err)
	return s
}

// single are the members of an object of texts, by name.
func (r *reader) single(o object, name string) (out []field) {
	sub := r.sub(o, name)
	for _, key := range sorted(sub) {
		v, err := sub.text(key)
		if err != nil {
			r.note(fmt.Errorf("%s: it has a value that isn't a text", name))
		}
		out = append(out, field{key, v})
	}
	return out
}

// multi are those of an object of lists of texts.
func (r *reader) multi(o object, name string) (out []parameter) {
	sub := r.sub(o, name)
	for _, key := range sorted(sub) {
		values, err := sub.list(key)
		if err != nil {
			r.note(fmt.Errorf("%s: it has a value that isn't a list of texts", name))
		}
		out = append(out, parameter{key, values})
	}
	return out
}

// fields are the header lines of payload 1.0 and of load balancers. Where there
// are lists, the single values are the last of each.
func (r *reader) fields(o object) (out []field) {
	if !o.has("multiValueHeaders") {
		return r.single(o, "headers")
	}
	for _, p := range r.multi(o, "multiValueHeaders") {
		for _, v := range p.values {
			out = append(out, field{p.name, v})
		}
	}
	return out
}

func (r *reader) parameters(o object) (out []parameter) {
	if o.has("multiValueQueryStringParameters") {
		return r.multi(o, "multiValueQueryStringParameters")
	}
	for _, f := range r.single(o, "queryStringParameters") {
		out = append(out, parameter{f.name, []string{f.value}})
	}
	return out
}

func sorted(o object) []string {
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
