package renewal

// Fresh is the value of key if it needs no renewal. It costs nothing but the look.
func (c *Cache[K, V]) Fresh(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.entries[key]
	if at == nil {
		return value, false
	}
	e := at.Value.(*entry[K, V])
	if now := c.now(); !e.held || !now.Before(e.until.Renew) || !now.Before(e.until.End) {
		return value, false
	}
	c.order.MoveToFront(at)
	return e.value, true
}

// Last is the value of key whatever its age, if there ever was one.
func (c *Cache[K, V]) Last(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.entries[key]
	if at == nil {
		return value, false
	}
	e := at.Value.(*entry[K, V])
	return e.value, e.held
}

// Keep takes a value that came by another way than a fetch.
func (c *Cache[K, V]) Keep(key K, value V, until Until) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entry(key)
	e.held, e.value, e.until = true, value, until
}
