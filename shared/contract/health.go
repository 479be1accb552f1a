package contract

// Health is what GET /_gateway/health tells.
type Health struct {
	Detail string `field:"detail" doc:"What it tells besides the status. none: nothing. public: whoever asks reads the versions, and the ages of key sets, store, events and revocations; never an address or a caller." enum:"none,public" default:"none"`
}

// What Health.Detail may be.
const (
	HealthNone   = "none"
	HealthPublic = "public"
)
