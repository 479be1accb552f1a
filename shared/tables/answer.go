package tables

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"tollgate/shared/renewal"
)

func match(etag string) *azcore.ETag {
	e := azcore.ETag(etag)
	return &e
}

// The service's own names of what went wrong.
const (
	tableNotFound = "TableNotFound"
	rowNotFound   = "ResourceNotFound"
	tableExists   = "TableAlreadyExists"
	rowExists     = "EntityAlreadyExists"
	rowChanged    = "UpdateConditionNotSatisfied"
)

// noTable tells a missing table from a missing row; both are 404.
func noTable(err error) bool {
	answered, ok := errors.AsType[*azcore.ResponseError](err)
	return ok && answered.StatusCode == 404 && answered.ErrorCode == tableNotFound
}

var word = regexp.MustCompile(`^[A-Za-z]{1,60}$`)

// plainly is what the caller may branch on, or else what happened in few words:
// the SDK's own errors repeat whole answers, and addresses with their SAS.
func plainly(err error) error {
	if answered, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return answer(answered.StatusCode, answered.ErrorCode)
	}
	if down, ok := errors.AsType[*renewal.Unavailable](err); ok { // no token for the store
		return down
	}
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	if own, ok := errors.AsType[*net.OpError](err); ok {
		return own
	}
	if own, ok := errors.AsType[*net.DNSError](err); ok {
		return own
	}
	if own, ok := errors.AsType[net.Error](err); ok && own.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("the store didn't answer in time")
	}
	return errors.New("the connection failed, or what the store answered can't be used")
}

// answer needs the code, too: a 404 of whoever else answers at a wrong address
// says nothing about a row.
func answer(status int, code string) error {
	switch {
	case status == 404 && (code == rowNotFound || code == tableNotFound): // no table: no row of it either
		return ErrNotFound
	case status == 409 && (code == rowExists || code == tableExists):
		return ErrExists
	case status == 412 && code == rowChanged:
		return ErrChanged
	case word.MatchString(code):
		return fmt.Errorf("the store answered %d %s", status, code)
	}
	return fmt.Errorf("the store answered %d", status)
}
