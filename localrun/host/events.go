package host

import (
	"strings"
	"sync"
	"time"
)

// Level is the level under which the host logs a line of the handler.
type Level int

// The levels that the host gives to a handler's lines.
const (
	Information Level = iota
	Warning
	Error
)

func (l Level) String() string {
	return [...]string{"Information", "Warning", "Error"}[l]
}

// Line is one line that the handler printed, or sent in "Logs" (JSON mode).
type Line struct {
	Level Level
	Text  string
}

// Event is something that happened to the handler's process.
type Event struct {
	Time   time.Time
	Kind   string // one of the Event constants
	PID    int    // 0 when no process is concerned
	Detail string
}

// The kinds of Event.
const (
	EventStarted = "started" // the process was started
	EventReady   = "ready"   // it answered a probe
	EventExited  = "exited"  // it ended by itself; Detail holds the exit code
	EventKilled  = "killed"  // the host killed it; Detail says why
	EventFailure = "failure" // the host counted an error; Detail says which of three
	EventWarning = "warning" // something the host would only warn about
	EventStopped = "stopped" // the host stopped by itself
)

// keptLines is how many of the handler's last lines an error about it shows.
const keptLines = 20

// reporter serialises what is told to the owner of the host.
type reporter struct {
	mu     sync.Mutex
	log    func(Line)
	events func(Event)
	now    func() time.Time
	last   []string
}

func (r *reporter) line(l Line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = append(r.last, l.Level.String()+": "+l.Text)
	if len(r.last) > keptLines {
		r.last = r.last[1:]
	}
	r.log(l)
}

func (r *reporter) event(kind string, pid int, detail string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events(Event{Time: r.now(), Kind: kind, PID: pid, Detail: detail})
}

// Write takes what the listening server complains about.
func (r *reporter) Write(complaint []byte) (int, error) {
	r.event(EventWarning, 0, strings.TrimSpace(string(complaint)))
	return len(complaint), nil
}

// stdout logs one line of the handler's standard output.
func (r *reporter) stdout(text string) {
	r.printed(Line{Level: Information, Text: text})
}

// stderr logs one line of the handler's standard error.
func (r *reporter) stderr(text string) {
	level := Error
	// functions-host.md §1.1: stderr is for errors only, except lines that hold "warn".
	if strings.Contains(strings.ToLower(text), "warn") {
		level = Warning
	}
	r.printed(Line{Level: level, Text: text})
}

func (r *reporter) printed(l Line) {
	// functions-host.md §1.1: this prefix diverts a line to the platform's own logs.
	if strings.HasPrefix(l.Text, "LanguageWorkerConsoleLog") {
		return
	}
	r.line(l)
}

// lastLines is the handler's last output, as the tail of an error message.
func (r *reporter) lastLines() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.last) == 0 {
		return "it printed nothing"
	}
	return "its last lines:\n  " + strings.Join(r.last, "\n  ")
}
