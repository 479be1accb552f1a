package main

import (
	"testing"
	"time"

	"tollgate/shared/contract"
	"tollgate/shared/revocation"
)

// An entry must not end before the tokens that it is about.
func TestAnEntryOutlivesTokensThatNothingBounds(t *testing.T) {
	okta := revocation.Subject{Kind: revocation.User, Issuer: "okta", ID: "jo"}
	entra := revocation.Subject{Kind: revocation.User, Issuer: contract.Entra}
	for _, tc := range []struct {
		of         revocation.Subject
		plan       *contract.Plan
		said, want time.Duration
	}{
		{okta, nil, 0, revocation.Forever},
		{okta, &contract.Plan{}, 0, revocation.Forever},
		{okta, &contract.Plan{MaxLifetime: 30 * 24 * time.Hour}, 0, revocation.Forever},
		{okta, &contract.Plan{MaxLifetime: 24 * time.Hour}, 0, 0},
		{okta, &contract.Plan{}, time.Hour, time.Hour},
		{entra, &contract.Plan{}, 0, 0},
		{revocation.Subject{Kind: revocation.All}, nil, 0, 0},
	} {
		if got := keepOf(tc.of, tc.plan, tc.said); got != tc.want {
			t.Errorf("%s, %+v, %v: got %v, want %v", tc.of, tc.plan, tc.said, got, tc.want)
		}
	}
}
