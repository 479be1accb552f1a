package adversarial

import "testing"

// The same attacks with no host before the handler: what it would have resolved
// or refused arrives as it was sent.
func TestDirectly(t *testing.T) {
	b := direct(t)
	t.Run("every attack on a path or a method is refused", func(t *testing.T) { b.run(t, paths(b)) })
	t.Run("no header speaks for the gateway", func(t *testing.T) { b.run(t, headers(b)) })
}
