package parity

import (
	"slices"
	"strings"

	"tollgate/localrun/lambda"
)

// Difference is one way in which a transport's answer, or what the backend heard,
// may differ from the bare gateway's for the same call.
type Difference struct {
	Name, Why string
	At        []string // transports; none: all
	Explains  func(ref, own Seen, what string) bool
}

// The names of transports.
const (
	Host        = "azure" // through the stand-in for the Functions host
	rest        = string(lambda.REST)
	httpAPI     = string(lambda.HTTP)
	urlBuffered = string(lambda.URL)
	stream      = string(lambda.URLStream)
	alb         = string(lambda.ALB)
	albMulti    = string(lambda.ALBMulti)
)

// Differences are all that are permitted; the first that explains one has it.
// None of them lets a call through that the bare gateway refuses.
func Differences() []Difference {
	return append(ofRequests(), ofAnswers()...)
}

// ofAnswers are those on the way back.
func ofAnswers() []Difference {
	return []Difference{
		{
			Name: "challenge renamed", At: []string{rest, urlBuffered, stream}, Explains: renamed,
			Why: "REST APIs and function URLs rename WWW-Authenticate (and a few more) of an answer to X-Amzn-Remapped-…; nothing in the answer prevents it",
		},
		{
			Name: "length of a HEAD", At: ofAWS,
			Why: "AWS's fronts write Content-Length themselves, of the content that they have: of a HEAD there is none",
			Explains: func(ref, own Seen, what string) bool {
				return what == "header Content-Length" && strings.HasPrefix(ref.Request, "HEAD ") && len(own.Header["Content-Length"]) == 0
			},
		},
	}
}

func renamed(ref, own Seen, what string) bool {
	name, isHeader := strings.CutPrefix(what, "header ")
	name = strings.TrimPrefix(name, "X-Amzn-Remapped-")
	return isHeader && slices.Equal(ref.Header.Values(name), own.Header.Values("X-Amzn-Remapped-"+name)) && len(own.Header.Values(name)) == 0
}

// ofRequests are those on the way in.
func ofRequests() []Difference {
	return []Difference{
		{
			Name: "address known",
			Why:  "a front tells where a call came from; without one the gateway doesn't know, or has a caller's word for it",
			Explains: func(ref, own Seen, what string) bool {
				return (what == "heard Forwarded" || what == "heard X-Forwarded-For") &&
					!strings.Contains(heard(ref, "Forwarded"), "for=127.0.0.1") && strings.Contains(heard(own, "Forwarded"), "for=127.0.0.1")
			},
		},
		{
			Name: "signed by another instance",
			Why:  "each instance signs what it asserts with a key of its own",
			Explains: func(ref, own Seen, what string) bool {
				return strings.HasPrefix(what, "heard X-Gateway-Assertion") && heard(ref, "X-Gateway-Assertion") != "" && heard(own, "X-Gateway-Assertion") != ""
			},
		},
		{
			Name: "trace of AWS", At: ofAWS,
			Why:      "each front of AWS adds X-Amzn-Trace-Id, which goes on to the backend as any unknown header does",
			Explains: func(_, _ Seen, what string) bool { return what == "heard X-Amzn-Trace-Id" },
		},
		{
			Name: "length of a chunked body", At: ofAWS,
			Why: "an event holds the whole body: the backend is told its length",
			Explains: func(ref, own Seen, what string) bool {
				return what == "heard Content-Length" && strings.Contains(ref.Request, "Transfer-Encoding: chunked") && heard(ref, "Content-Length") == ""
			},
		},
		{
			Name: "request header renamed", At: []string{rest},
			Why:      "a REST API renames Content-MD5, Date and Max-Forwards of a request to X-Amzn-Remapped-…",
			Explains: func(_, _ Seen, what string) bool { return strings.HasPrefix(what, "heard X-Amzn-Remapped-") },
		},
		{
			Name: "header named in Connection",
			Why:  "a front keeps Connection to itself: what it names is not known to be of the connection",
			Explains: func(ref, _ Seen, what string) bool {
				name, isHeard := strings.CutPrefix(what, "heard ")
				return isHeard && strings.Contains(ref.Request, "Connection: "+name+"\r\n")
			},
		},
		{
			Name: "path resolved by the host", At: []string{Host}, Explains: resolved,
			Why: "the Functions host resolves dot segments and decodes before the gateway sees a path, and keeps /admin and /runtime: the verdict is that of the path that arrives (tests/adversarial holds which)",
		},
		{
			Name: "refused by the front", Explains: refusedBefore,
			Why: "what is no HTTP/1.1, no method that the front knows or more than it takes, it refuses in its own words; so does the gateway in its own",
		},
		{
			Name: "beyond the front", Explains: beyond,
			Why: "API Gateway takes 10,240 bytes of headers, a load balancer before a function no Upgrade: calls that the gateway would grant, or refuse for another reason",
		},
	}
}

func heard(s Seen, name string) string {
	if len(s.Backend) == 0 {
		return ""
	}
	return strings.Join(s.Backend[0].Header.Values(name), ", ")
}

func granted(s Seen) bool { return s.Status < 400 || len(s.Backend) > 0 }

func resolved(ref, own Seen, what string) bool {
	r, ok := parts(ref.Request)
	odd := ok && (strings.ContainsAny(r.path, "%*\\") || strings.Contains(r.path, "/.") || strings.Contains(r.path, "//") || strings.HasPrefix(strings.ToLower(r.path), "/admin") || strings.HasPrefix(r.path, "/runtime") || strings.HasPrefix(ref.Request, "POST /admin"))
	switch what {
	case "status":
		return odd && !granted(ref) && !granted(own)
	case "target":
		return odd && granted(ref) && granted(own)
	}
	return false
}

func refusedBefore(ref, own Seen, what string) bool {
	return what == "status" && own.Front && own.Status >= 400 && !granted(ref) && !granted(own)
}

func beyond(ref, own Seen, what string) bool {
	long := own.Status == 431 && (own.Transport == rest || own.Transport == httpAPI) && len(ref.Request) > 10_000
	upgrade := own.Status == 400 && (own.Transport == alb || own.Transport == albMulti) && strings.Contains(ref.Request, "Upgrade")
	return (what == "status" || what == "calls") && own.Front && !granted(own) && (long || upgrade)
}

func explain(ref, own Seen, what string) string {
	for _, d := range Differences() {
		if (len(d.At) == 0 || slices.Contains(d.At, own.Transport)) && d.Explains(ref, own, what) {
			return d.Name
		}
	}
	return ""
}
