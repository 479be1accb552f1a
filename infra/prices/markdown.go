package prices

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The marks between which a document has the tables.
const (
	begin = "<!-- costs: made from infra/prices/prices.json by TOLLGATE_GOLDEN=1 go test ./infra/prices -->"
	end   = "<!-- /costs -->"
)

// Markdown is the tables: what each environment costs, how that comes about, the prices.
func (b *Book) Markdown() string {
	var out strings.Builder
	fmt.Fprintf(&out, "US dollars, one region, list prices as of %s. **Most are quoted from third parties (see the last table): check them in Azure's calculator before\nyou decide by them.** Without free grants, taxes, backends, the bytes of answers and\nof what leaves by the NAT gateway, and the platform's own logs.\n\n", b.Date)
	out.WriteString("| environment | a month, without a call | a million calls | |\n|---|---:|---:|---|\n")
	for _, e := range b.Environments {
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", e.Name, money(b.Sum(e.Fixed)), money(b.Sum(e.Million)), e.About)
	}
	for _, e := range b.Extras {
		fmt.Fprintf(&out, "| + %s | %s | %s | %s |\n", e.Name, none(e.Fixed, b), none(e.Million, b), e.About)
	}
	b.compare(&out)
	out.WriteString("\n### The arithmetic\n")
	for _, e := range append(append([]Environment(nil), b.Environments...), b.Extras...) {
		b.lines(&out, e.Name+", a month", e.Fixed)
		b.lines(&out, e.Name+", a million calls", e.Million)
	}
	b.list(&out)
	return out.String()
}

func none(lines []Line, b *Book) string {
	if len(lines) == 0 {
		return ""
	}
	return money(b.Sum(lines))
}

func (b *Book) lines(out *strings.Builder, title string, lines []Line) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(out, "\n**%s: %s**\n\n| | | USD |\n|---|---|---:|\n", title, money(b.Sum(lines)))
	for _, l := range lines {
		p := b.price(l.Price)
		var terms []string
		for _, f := range l.Factors {
			terms = append(terms, number(f.N)+" "+f.Of)
		}
		price := number(p.USD)
		if p.Per != 1 {
			price += " / " + number(p.Per)
		}
		fmt.Fprintf(out, "| %s | %s × %s | %s |\n", l.Says, strings.Join(terms, " × "), price, money(b.Cost(l)))
	}
}

func (b *Book) compare(out *strings.Builder) {
	fmt.Fprintf(out, "\nAPI Management, one unit, to compare (%s; confidence %s):\n\n| tier | a month | a million calls | in a virtual network |\n|---|---:|---:|---|\n", b.APIM.Source, b.APIM.Confidence)
	for _, t := range b.APIM.Tiers {
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", t.Tier, t.Fixed, t.Million, t.VNet)
	}
}

func (b *Book) list(out *strings.Builder) {
	out.WriteString("\n### The prices\n\n| meter | USD | for | region | confidence | as of | source |\n|---|---:|---|---|---|---|---|\n")
	for _, p := range b.Prices {
		about := p.Service + ": " + p.Meter
		if p.Note != "" {
			about += ". " + p.Note
		}
		fmt.Fprintf(out, "| %s | %s | %s %s | %s | %s | %s | %s |\n", about, number(p.USD), number(p.Per), p.Unit, p.Region, p.Confidence, p.Date, p.Source)
	}
	out.WriteString("\nConfidence: high is Microsoft's price list, medium Microsoft's own text or a quotation of the list, low a third party's word or memory.\n")
}

// money is dollars, to the cent; less than one is said so.
func money(v float64) string {
	if v > 0 && v < 0.005 {
		return "< 0.01"
	}
	return grouped(strconv.FormatFloat(v, 'f', 2, 64))
}

func number(v float64) string { return grouped(strconv.FormatFloat(v, 'f', -1, 64)) }

func grouped(s string) string {
	whole, rest, dot := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		return whole + "." + rest
	}
	return whole
}

// Into puts the tables between the marks of a document.
func (b *Book) Into(document []byte) ([]byte, error) {
	before, rest, ok := bytes.Cut(document, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !ok || !closed {
		return nil, errors.New("the document lacks the marks of the costs")
	}
	return bytes.Join([][]byte{before, []byte(begin + "\n\n" + b.Markdown() + "\n" + end), after}, nil), nil
}
