package token

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// snapshotVersion is raised when the shape of snapshot changes; others are not read.
const snapshotVersion = 1

// snapshot is one issuer's key set as it was published at a time. It lets a
// gateway that starts during an outage of the issuer serve all the same, for as
// long as maxStale allows after that time.
type snapshot struct {
	Version int             `json:"version"`
	Issuer  string          `json:"issuer"`
	AppID   string          `json:"appId,omitempty"`
	Fetched time.Time       `json:"fetched"`
	Keys    json.RawMessage `json:"keys"` // the JWK set
}

// snapshotName is the file of an issuer: no name that an issuer chose stands in a path.
func (k *keySet) snapshotName() string {
	sum := sha256.Sum256([]byte(k.issuer.Issuer + "\x00" + k.issuer.AppID))
	return hex.EncodeToString(sum[:12]) + ".json"
}

// Snapshot fetches every key set, and returns them as files by name.
func (t *Trust) Snapshot(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, is := range t.sorted() {
		if err := is.keys.fetch(ctx, false); err != nil {
			return nil, err
		}
		r := is.keys.held()
		text, err := json.MarshalIndent(snapshot{snapshotVersion, is.Issuer, is.AppID, r.fetched.UTC(), r.raw}, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("write the snapshot of %s: %w", is.Issuer, err)
		}
		files[is.keys.snapshotName()] = append(text, '\n')
	}
	return files, nil
}

// restored is the snapshot's key set, nil without a usable one. A snapshot goes
// through the same checks as a fetched key set; a bad one is only a warning,
// for it is needed only while the issuer is down.
func (k *keySet) restored() *ring {
	if k.options.Snapshot == nil {
		return nil
	}
	text, err := fs.ReadFile(k.options.Snapshot, k.snapshotName())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var s snapshot
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	switch {
	case err != nil:
	case s.Version != snapshotVersion || s.Issuer != k.issuer.Issuer || s.AppID != k.issuer.AppID:
		err = errors.New("it is of another version or issuer")
	case s.Fetched.After(k.now()):
		err = errors.New("it is from the future")
	default:
		r := &ring{fetched: s.Fetched, old: true, raw: s.Keys}
		if r.keys, err = k.parse(s.Keys); err == nil {
			return r
		}
	}
	k.options.warn(fmt.Sprintf("the snapshot of %s is not used: %s", k.issuer.Issuer, shortened(err)))
	return nil
}
