package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"tollgate/localrun/credentials"
	"tollgate/shared/boot"
	limits "tollgate/shared/limit/tables"
	"tollgate/shared/tables"
)

// probeTry is how long up waits for tables that aren't its own.
const probeTry = 5 * time.Second

// named resolves --tables; "" for the run's own stand-in.
func (f *upFlags) named() (string, error) {
	address := f.tables
	if address == "-" {
		if address = strings.TrimSpace(os.Getenv(tablesVariable)); address == "" {
			return "", fmt.Errorf("--tables - reads the address from $%s, which is not set", tablesVariable)
		}
	}
	if strings.HasPrefix(address, "http") && !strings.Contains(address, "?") {
		return "", errors.New("--tables needs an address with a SAS, or a connection string: a local run has no identity that the account knows")
	}
	return address, nil
}

// probe asks those tables once: what is wrong with them shows at the start, and
// not as a refusal of the first call. Its error holds neither a key nor a SAS.
func probe(ctx context.Context, address string) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	account, err := tables.Open(tables.Options{Address: address, Transport: transport, Now: time.Now, Try: probeTry})
	if err != nil {
		return fmt.Errorf("--tables: %w", err)
	}
	_, err = account.Table(limits.Name).Get(ctx, tables.Key{Partition: "clock", Row: "clock"})
	if err != nil && !errors.Is(err, tables.ErrNotFound) {
		return fmt.Errorf("the tables of --tables can't be used: %w. Is the address right, the service up, and its key or SAS good?", err)
	}
	return nil
}

// openTables decides where things are kept: where --tables says, or in a
// stand-in of this run's own.
func (s *stage) openTables(ctx context.Context) error {
	address, err := s.flags.named()
	if err != nil {
		return err
	}
	if address != "" {
		s.connection = address
		return probe(ctx, address)
	}
	l, err := s.listen()
	if err != nil {
		return err
	}
	own := "http://" + l.Addr().String()
	s.tables, s.connection = credentials.StoreAddress(own), s.around.Connection(own)
	s.serve(l, s.around.Storage)
	return nil
}

// tablesSetting is what the handler is told. Its own tables it reaches as in
// Azure, by the contracts' address and its identity; the variable of whoever
// started the run is for --tables - alone.
func (s *stage) tablesSetting() map[string]string {
	if s.tables != "" {
		return map[string]string{boot.Tables: ""}
	}
	return map[string]string{boot.Tables: s.connection}
}
