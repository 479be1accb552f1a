package main

import (
	"bytes"
	"fmt"

	"tollgate/shared/audit"
)

// columns are the table's, one in a line, as the observability module reads them.
func columns(of []audit.Column) []byte {
	var b bytes.Buffer
	b.WriteString("[\n")
	for i, c := range of {
		fmt.Fprintf(&b, "  {\"name\": %q, \"type\": %q}", c.Name, c.Type)
		if i < len(of)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]\n")
	return b.Bytes()
}
