package token

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"unsafe"

	jose "github.com/go-jose/go-jose/v4"

	"tollgate/shared/pipeline"
)

// maxCached bounds the tokens kept, by the length of their texts: 4 MiB, some
// 3,000 of Entra's usual ones. Decoded they take several times that.
const maxCached = 4 << 20

// entry is a token whose text was read and whose signature was verified. What it
// may be used for is asked anew on every request. It doesn't change.
type entry struct {
	issuer   *issuer
	key      *jose.JSONWebKey // that verified it, as the key set holds it
	identity *pipeline.Identity
	times    times
	binding  map[string]any // cnf; nil for a bearer token
	size     int
	digest   [sha256.Size]byte
}

// cache keeps verified tokens by the digest of their exact text. There is one
// for each compiled plan, so a changed contract or issuer starts an empty one.
type cache struct {
	mu      sync.Mutex
	entries map[[sha256.Size]byte]*list.Element
	order   list.List // of *entry, most recently used first
	size    int

	hits, misses atomic.Int64
}

func newCache() *cache { return &cache{entries: map[[sha256.Size]byte]*list.Element{}} }

func digestOf(raw string) [sha256.Size]byte {
	// Sum256 only reads: the text need not be copied, which for a token of 12 KiB
	// would cost more than the look-up.
	return sha256.Sum256(unsafe.Slice(unsafe.StringData(raw), len(raw)))
}

func (c *cache) get(raw string) *entry {
	digest := digestOf(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.entries[digest]
	if found == nil {
		c.misses.Add(1)
		return nil
	}
	c.hits.Add(1)
	c.order.MoveToFront(found)
	return found.Value.(*entry)
}

// put keeps a token, and forgets those that were not used for longest.
func (c *cache) put(raw string, e *entry) {
	e.digest, e.size = digestOf(raw), len(raw)
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[e.digest]; old != nil {
		c.drop(old)
	}
	c.entries[e.digest] = c.order.PushFront(e)
	c.size += e.size
	for c.size > maxCached {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(at *list.Element) {
	e := c.order.Remove(at).(*entry)
	delete(c.entries, e.digest)
	c.size -= e.size
}
