package contract

import "strings"

// PlannedClient is a client's contract, bound. Nothing is decided by it: it tells
// people who it is that calls.
type PlannedClient struct {
	Client
	ID    string // its app id; "" where the environment binds none
	File  string
	lines map[string]int
}

// Place is the line of something in the client's contract, such as "uses.0.roles.1".
func (c *PlannedClient) Place(at string) (file string, line int) {
	for {
		if line, ok := c.lines[at]; ok {
			return c.File, line
		}
		cut := strings.LastIndexByte(at, '.')
		if cut < 0 {
			return c.File, c.lines[""]
		}
		at = at[:cut]
	}
}

func (b *binder) clients() (all []PlannedClient) {
	for i, c := range b.estate.Clients {
		d := b.estate.clients[i]
		all = append(all, PlannedClient{Client: c, ID: b.env.Client[c.Name], File: d.file, lines: d.lines(nil)})
	}
	return all
}
