package boot

import (
	"context"
	"fmt"
)

// Chore is work on the store that is done now and then: it removes what has
// ended, at most so many. Anyone may be able to start it, any number of times.
type Chore struct {
	Name string
	Do   func(ctx context.Context, most int) (removed int, err error)
}

// atOnce bounds one round of a chore.
const atOnce = 500

func (c Chore) do(ctx context.Context) (line string, err error) {
	n, err := c.Do(ctx, atOnce)
	if err != nil {
		err = fmt.Errorf("remove what has ended of %s: %w", c.Name, err)
	}
	return fmt.Sprintf("%s: removed %d", c.Name, n), err
}
