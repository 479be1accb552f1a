package tables

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

func match(etag string) *azcore.ETag {
	e := azcore.ETag(etag)
	return &e
}

// The service's own names of what went wrong.
const (
	tableNotFound = "TableNotFound"
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
	answered, ok := errors.AsType[*azcore.ResponseError](err)
	switch {
	case ok && answered.StatusCode == 404:
		return ErrNotFound // no table: no row of it either
	case ok && answered.StatusCode == 409 && (answered.ErrorCode == rowExists || answered.ErrorCode == tableExists):
		return ErrExists
	case ok && answered.StatusCode == 412:
		return ErrChanged
	case ok && word.MatchString(answered.ErrorCode):
		return fmt.Errorf("the store answered %d %s", answered.StatusCode, answered.ErrorCode)
	case ok:
		return fmt.Errorf("the store answered %d", answered.StatusCode)
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
