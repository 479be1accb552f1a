package storage

import (
	"encoding/xml"
	"net/http"
)

// maxPolicies is how many stored access policies a table has at most.
const maxPolicies = 5

const emptyPolicies = `<?xml version="1.0" encoding="utf-8"?><SignedIdentifiers/>`

const defaultProperties = `<?xml version="1.0" encoding="utf-8"?><StorageServiceProperties>` +
	`<Logging><Version>1.0</Version><Delete>false</Delete><Read>false</Read><Write>false</Write><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></Logging>` +
	`<HourMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></HourMetrics>` +
	`<MinuteMetrics><Version>1.0</Version><Enabled>false</Enabled><RetentionPolicy><Enabled>false</Enabled></RetentionPolicy></MinuteMetrics>` +
	`<Cors/></StorageServiceProperties>`

// service keeps the properties of the account and does nothing about them.
func (s *Storage) service(c call) (answer, *refusal) {
	if c.query.Get("restype") != "service" || c.query.Get("comp") != "properties" {
		return answer{}, &refusal{http.StatusBadRequest, "InvalidQueryParameterValue", "Of the service only its properties can be asked here."}
	}
	switch c.method {
	case http.MethodGet:
		if s.properties == nil {
			return document([]byte(defaultProperties)), nil
		}
		return document(s.properties), nil
	case http.MethodPut:
		var any struct {
			XMLName xml.Name `xml:"StorageServiceProperties"`
		}
		if xml.Unmarshal(c.body, &any) != nil {
			return answer{}, invalidDocument()
		}
		s.properties = c.body
		return answer{status: http.StatusAccepted, header: http.Header{}}, nil
	}
	return answer{}, methodNotAllowed()
}

// policies keeps the access policies of a table; no SAS is held to them.
func (s *Storage) policies(c call) (answer, *refusal) {
	t, refused := s.table(c.target.table)
	if refused != nil {
		return answer{}, refused
	}
	switch c.method {
	case http.MethodGet:
		if t.policies == nil {
			return document([]byte(emptyPolicies)), nil
		}
		return document(t.policies), nil
	case http.MethodPut:
		var given struct {
			XMLName xml.Name   `xml:"SignedIdentifiers"`
			All     []struct{} `xml:"SignedIdentifier"`
		}
		if len(c.body) > 0 && (xml.Unmarshal(c.body, &given) != nil || len(given.All) > maxPolicies) {
			return answer{}, invalidDocument()
		}
		if t.policies = c.body; len(c.body) == 0 {
			t.policies = nil
		}
		return nothing(), nil
	}
	return answer{}, methodNotAllowed()
}

func invalidDocument() *refusal {
	return &refusal{http.StatusBadRequest, "InvalidXmlDocument", "The body is not the XML that is expected here."}
}

func document(text []byte) answer {
	return answer{status: http.StatusOK, body: text, header: http.Header{"Content-Type": {"application/xml"}}}
}
