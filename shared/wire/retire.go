package wire

// Retire ends what is kept, and keeps nothing from now on: connections in use
// end with their answers. It is for a client whose credential was replaced.
func (c *Client) Retire() {
	c.mu.Lock()
	c.retired = true
	c.mu.Unlock()
	c.CloseIdleConnections()
}
