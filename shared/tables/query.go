package tables

import (
	"context"
	"fmt"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// maxPage is how many rows the service gives at once; it refuses to be asked for more.
const maxPage = 1000

// Query says which rows: those whose partition is from From to before Before,
// either of which may be "" for no bound.
type Query struct {
	From, Before string
	Page         int // rows in one answer; 0, or more than a thousand: a thousand
}

// Partition is all rows of one partition.
func Partition(name string) Query { return Query{From: name, Before: name + "!"} } // "!" is below every byte of a key

func (q Query) filter() (string, error) {
	filter := ""
	for _, bound := range []struct{ is, text string }{{"ge", q.From}, {"lt", q.Before}} {
		if bound.text == "" {
			continue
		}
		key := bound.text
		if key[len(key)-1] == '!' {
			key = key[:len(key)-1]
		}
		if err := (Key{key, key}).check(); err != nil {
			return "", err
		}
		if filter != "" {
			filter += " and "
		}
		filter += fmt.Sprintf("PartitionKey %s '%s'", bound.is, bound.text)
	}
	return filter, nil
}

// List gives rows in order of partition and row key, page by page; an error ends
// it. Each page is a request of its own, and may take ten times as long as one
// for a row. Nothing is written, so the end of ctx ends it.
func (t *Table) List(ctx context.Context, q Query) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		filter, err := q.filter()
		if err != nil {
			yield(Row{}, err)
			return
		}
		options := &aztables.ListEntitiesOptions{}
		if filter != "" {
			options.Filter = &filter
		}
		if q.Page > 0 {
			n := int32(min(q.Page, maxPage))
			options.Top = &n
		}
		for pages := t.client.NewListEntitiesPager(options); pages.More(); {
			within, cancel := context.WithTimeout(ctx, pageTries*t.account.try)
			page, err := pages.NextPage(within)
			cancel()
			if noTable(err) {
				return // made by the first insert
			}
			if err != nil {
				yield(Row{}, t.told("list", err))
				return
			}
			for _, text := range page.Entities {
				row, err := decode(text, "")
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}
