package boot

import (
	"net/http"
	"sync"
)

// pools are the connections that are kept for later. On AWS Lambda the process is
// frozen in between: what its other end closed meanwhile looks open afterwards,
// and a request that isn't sent twice would be lost on it.
type pools struct {
	mu  sync.Mutex
	all []interface{ CloseIdleConnections() }
}

func (p *pools) add(c interface{ CloseIdleConnections() }) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, c)
}

// empty gives every kept connection up.
func (p *pools) empty() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.all {
		c.CloseIdleConnections()
	}
}

// transport has connections of its own, for requests of the gateway's own.
func (o Outside) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	o.pools.add(t)
	return t
}
