package audit

import (
	"reflect"
	"strings"
)

// Column is one of the table in Azure Monitor.
type Column struct {
	Name string
	Type string // as KQL calls it
}

// Columns are those of the table that a data collection rule fills with events:
// the attributes that its stream declares, and the time that its transformation
// adds. The attributes left out say in words, or as a number, what one of these
// says. The types follow from those that Parse decodes into.
func Columns() []Column {
	out := []Column{{"TimeGenerated", "datetime"}}
	for name := range strings.FieldsSeq(`time_dt class_uid activity_id severity_id status_id action_id status_code status_detail duration
		actor api policy trace src_endpoint dst_endpoint http_request http_response unmapped metadata`) {
		out = append(out, Column{name, columnType(name)})
	}
	return out
}

// columnType is "" for what no event has.
func columnType(name string) string {
	t := reflect.TypeFor[record]()
	for i := range t.NumField() {
		f := t.Field(i)
		if said, _, _ := strings.Cut(f.Tag.Get("json"), ","); said != name {
			continue
		}
		switch f.Type.Kind() {
		case reflect.String:
			if f.Tag.Get("format") == "date-time" {
				return "datetime"
			}
			return "string"
		case reflect.Int:
			return "int"
		case reflect.Int64:
			return "long"
		default:
			return "dynamic"
		}
	}
	return ""
}
