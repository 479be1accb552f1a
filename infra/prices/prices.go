// Package prices says what an environment costs: prices with where they are from and
// how far to trust them, quantities, and the arithmetic in between.
package prices

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

//go:embed prices.json
var file []byte

// Price is one meter's.
type Price struct {
	ID         string  `json:"id"`
	Service    string  `json:"service"`
	Meter      string  `json:"meter"`
	Unit       string  `json:"unit"`
	Per        float64 `json:"per"` // so many units for USD
	USD        float64 `json:"usd"`
	Region     string  `json:"region"`
	Source     string  `json:"source"`
	Date       string  `json:"date"`       // when it was looked up, or as old as it says to be
	Confidence string  `json:"confidence"` // high: Microsoft's price list; medium: Microsoft's text, or quoted from the list; low: only a third party says so
	Note       string  `json:"note,omitempty"`
}

// Factor is one number of a quantity.
type Factor struct {
	N  float64 `json:"n"`
	Of string  `json:"of"`
}

// Line is so much of one meter.
type Line struct {
	Price   string   `json:"price"`
	Says    string   `json:"says"`
	Factors []Factor `json:"factors"`
}

// Environment is what is there all month, and what a million calls use.
type Environment struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Fixed   []Line `json:"fixed"`
	Million []Line `json:"million"`
}

// Tier is one of API Management's, to compare.
type Tier struct {
	Tier    string `json:"tier"`
	Fixed   string `json:"fixed"`
	Million string `json:"million"`
	VNet    string `json:"vnet"`
}

// Book is all of it.
type Book struct {
	Date         string        `json:"date"`
	Currency     string        `json:"currency"`
	Prices       []Price       `json:"prices"`
	Environments []Environment `json:"environments"`
	Extras       []Environment `json:"extras"`
	APIM         struct {
		Source     string `json:"source"`
		Confidence string `json:"confidence"`
		Tiers      []Tier `json:"tiers"`
	} `json:"apim"`
}

// Load reads the book that is built in.
func Load() (*Book, error) { return Read(file) }

// Read reads a book, and says everything that is wrong with it.
func Read(text []byte) (*Book, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var b Book
	if err := dec.Decode(&b); err != nil {
		return nil, fmt.Errorf("read the prices: %w", err)
	}
	return &b, errors.Join(b.faults()...)
}

func (b *Book) faults() (all []error) {
	used := map[string]bool{}
	for _, e := range slices.Concat(b.Environments, b.Extras) {
		for _, l := range slices.Concat(e.Fixed, e.Million) {
			used[l.Price] = true
			if b.price(l.Price) == nil {
				all = append(all, fmt.Errorf("%s: there is no price %q", e.Name, l.Price))
			}
			if l.Says == "" || len(l.Factors) == 0 {
				all = append(all, fmt.Errorf("%s: a line of %s doesn't say what for, or how much", e.Name, l.Price))
			}
		}
	}
	for _, p := range b.Prices {
		if _, err := time.Parse(time.DateOnly, p.Date); err != nil {
			all = append(all, fmt.Errorf("%s: its date: %w", p.ID, err))
		}
		if !slices.Contains([]string{"high", "medium", "low"}, p.Confidence) || p.Source == "" || p.Region == "" || p.Unit == "" || p.USD <= 0 || p.Per <= 0 {
			all = append(all, fmt.Errorf("%s: it needs a source, a region, a unit, a price and a confidence (high, medium, low)", p.ID))
		}
		if !used[p.ID] {
			all = append(all, fmt.Errorf("%s: nothing uses it", p.ID))
		}
	}
	return all
}

func (b *Book) price(id string) *Price {
	for i := range b.Prices {
		if b.Prices[i].ID == id {
			return &b.Prices[i]
		}
	}
	return nil
}

// Cost is what a line comes to, in dollars.
func (b *Book) Cost(l Line) float64 {
	p := b.price(l.Price)
	if p == nil {
		return 0
	}
	cost := p.USD / p.Per
	for _, f := range l.Factors {
		cost *= f.N
	}
	return cost
}

// Sum is what lines come to.
func (b *Book) Sum(lines []Line) (sum float64) {
	for _, l := range lines {
		sum += b.Cost(l)
	}
	return sum
}
