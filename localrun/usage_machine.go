package main

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"tollgate/shared/subscription"
)

// shownUse is a count, as --json prints it. Its names are kept.
type shownUse struct {
	Scope        string        `json:"scope"` // product/NAME, api/NAME or operation/API/ID
	Limit        string        `json:"limit"`
	By           []shownBy     `json:"by"`
	Used         int64         `json:"used"` // debited; a part may be held unspent
	Of           int64         `json:"of"`
	Unit         string        `json:"unit"`    // calls or bytes
	Percent      float64       `json:"percent"` // can be above 100: bytes are known once they were sent
	Starts       time.Time     `json:"starts"`
	Ends         *time.Time    `json:"ends"` // null: never
	Smooth       bool          `json:"smooth,omitempty"`
	Subscription *shownCounted `json:"subscription,omitempty"`
}

type shownBy struct {
	What  string `json:"what"`
	Value string `json:"value"` // "" where calls had none and share one count
}

// shownCounted is whose count it is.
type shownCounted struct {
	ID      string             `json:"id"`
	Product string             `json:"product,omitempty"`
	API     string             `json:"api,omitempty"`
	Owner   string             `json:"owner"`
	State   subscription.State `json:"state"`
}

func (u used) unit() string {
	if u.Bytes {
		return "bytes"
	}
	return "calls"
}

func writeUsageJSON(w io.Writer, all []used) error {
	out := []shownUse{} // [] rather than null
	for _, u := range all {
		one := shownUse{
			Scope: u.Scope, Limit: u.Name, By: []shownBy{}, Used: u.Used, Of: u.Most, Unit: u.unit(), Percent: math.Round(u.share()*10000) / 100,
			Starts: u.Starts, Ends: u.Ends, Smooth: u.Smooth,
		}
		for _, by := range u.By {
			one.By = append(one.By, shownBy{by[0], by[1]})
		}
		if r := u.of; r != nil {
			one.Subscription = &shownCounted{r.ID, r.Product, r.API, r.Owner, r.State}
		}
		out = append(out, one)
	}
	return writeIndented(w, out)
}

func writeUsageCSV(w io.Writer, all []used) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"scope", "limit", "by", "value", "used", "of", "unit", "percent", "starts", "ends", "smooth", "product", "api", "owner", "state"}}
	for _, u := range all {
		var what, values []string
		for _, by := range u.By {
			what, values = append(what, by[0]), append(values, by[1])
		}
		ends := ""
		if u.Ends != nil {
			ends = u.Ends.Format(time.RFC3339)
		}
		of := u.of
		if of == nil {
			of = &subscription.Record{}
		}
		rows = append(rows, []string{
			u.Scope, u.Name, strings.Join(what, " + "), strings.Join(values, " + "),
			strconv.FormatInt(u.Used, 10), strconv.FormatInt(u.Most, 10), u.unit(), strconv.FormatFloat(u.share()*100, 'f', 2, 64),
			u.Starts.Format(time.RFC3339), ends, strconv.FormatBool(u.Smooth), of.Product, of.API, of.Owner, string(of.State),
		})
	}
	for _, row := range rows {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// harmless is a text that no spreadsheet runs as a formula (OWASP, CSV
// Injection): callers choose some of these values. The wide forms count too, as
// some programs fold them. Control characters are written out.
func harmless(s string) string {
	s = plain(s)
	if strings.IndexAny(strings.TrimLeft(s, " \u00a0\u3000'\""), "=+-@＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}
