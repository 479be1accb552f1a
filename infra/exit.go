package infra

import (
	"errors"
	"fmt"

	"tollgate/infra/terraform"
)

// ErrDiffers says that an environment isn't what it should be, after it was told how.
var ErrDiffers = errors.New("it differs")

// Refused is a rule that stopped the command. Nothing was changed.
type Refused struct{ Rule, Why string }

func (r *Refused) Error() string { return "refused (" + r.Rule + "): " + r.Why }

func refusedBy(j *judged) error {
	return &Refused{j.Refused[0].Rule, fmt.Sprintf("%d finding(s), told above; nothing was changed", len(j.Refused))}
}

// ExitCode is what a process ends with: 0 without an error, 2 where the environment
// differs, 3 where a rule refused, 130 after an interruption, 1 for anything else.
func ExitCode(err error) int {
	_, refused := errors.AsType[*Refused](err)
	_, interrupted := errors.AsType[*terraform.Interrupted](err)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrDiffers):
		return 2
	case refused:
		return 3
	case interrupted:
		return 130
	}
	return 1
}
