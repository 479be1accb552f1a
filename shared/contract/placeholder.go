package contract

import (
	"regexp"
	"slices"
	"strings"
)

var placeholder = regexp.MustCompile(`\$\{[^}]*\}?`)

// Placeholders are the names, such as "backend.orders", that the estate's
// contracts want an environment to bind.
func (e *Estate) Placeholders() []string {
	var texts []Text
	for _, is := range e.Gateway.Identity.Issuers {
		texts = append(texts, is.Issuer, is.Discovery)
	}
	for _, a := range e.APIs {
		texts = append(texts, a.Audience)
		for _, url := range a.Backend.urls() {
			texts = append(texts, url)
		}
		if a.Backend.Assertion != nil {
			texts = append(texts, a.Backend.Assertion.Audience)
		}
		texts = append(texts, a.Backend.Authenticate.allTexts()...)
		for _, r := range a.Require {
			texts = append(texts, r.Values...)
		}
	}
	var out []string
	for _, t := range texts {
		for _, match := range placeholder.FindAllString(string(t), -1) {
			out = append(out, strings.TrimSuffix(strings.TrimPrefix(match, "${"), "}"))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Vaults are the names of vaults that the estate's contracts want an environment to bind.
func (e *Estate) Vaults() (out []string) {
	for _, a := range e.APIs {
		if auth := a.Backend.Authenticate; auth != nil {
			for _, s := range auth.secrets() {
				vault, _ := s.parts()
				out = append(out, vault)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bind replaces each ${…}.
func (b *binder) bind(d *document, at string, t Text) string {
	return placeholder.ReplaceAllStringFunc(string(t), func(match string) string {
		name := strings.TrimSuffix(strings.TrimPrefix(match, "${"), "}")
		value := b.value(name)
		if value == "" {
			d.fault(at, "%s has no value in %s", match, b.env.doc.file)
		}
		b.used[name] = true
		return value
	})
}

func (b *binder) value(name string) string {
	group, key, _ := strings.Cut(name, ".")
	switch group {
	case "tenant":
		return b.env.Tenant
	case "publicURL":
		return b.env.PublicURL
	case "backend":
		return b.env.Backend[key]
	case "clientId":
		return b.env.ClientID[key]
	case "issuer":
		return b.env.Issuer[key]
	case "identities":
		return b.env.Identities[key]
	}
	return ""
}

// placeholders reports a ${…} that no environment could bind.
func (d *document) placeholders(at string, t Text) {
	groups := []string{"tenant", "publicURL", "backend", "clientId", "issuer", "identities"}
	if strings.Contains(string(t), "${secret:") {
		return // was reported where it stands
	}
	for _, match := range placeholder.FindAllString(string(t), -1) {
		name := strings.TrimPrefix(match, "${")
		if !strings.HasSuffix(name, "}") {
			d.fault(at, "%q is not closed; write ${name}", match)
			continue
		}
		group, key, dotted := strings.Cut(strings.TrimSuffix(name, "}"), ".")
		if !slices.Contains(groups, group) || dotted != slices.Contains(groups[2:], group) || dotted && key == "" {
			d.fault(at, "%s is unknown; an environment binds ${tenant}, ${publicURL}, ${backend.NAME}, ${clientId.NAME}, ${issuer.NAME} and ${identities.NAME}", match)
		}
	}
}
