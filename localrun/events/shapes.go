package events

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// records hands over each line, or each part of a JSON array: `az monitor
// log-analytics query` and the portal write one.
func records(ctx context.Context, in io.Reader, yield func([]byte)) error {
	buffered := bufio.NewReaderSize(in, 64<<10)
	first, err := firstByte(buffered)
	if err != nil {
		return ended(err)
	}
	if first == '[' && opensArray(buffered) {
		return array(ctx, buffered, yield)
	}
	for ctx.Err() == nil {
		line, err := readLine(buffered)
		if len(bytes.TrimSpace(line)) > 0 {
			yield(line)
		}
		if err != nil {
			return ended(err)
		}
	}
	return ctx.Err()
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("read the events: %w", err)
}

// firstByte skips a byte order mark and white space.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, in.UnreadByte()
		}
	}
}

// opensArray tells an array from a host's time stamp in brackets.
func opensArray(in *bufio.Reader) bool {
	start, _ := in.Peek(256)
	start = bytes.TrimSpace(start[1:])
	return len(start) == 0 || start[0] == '{' || start[0] == ']'
}

// readLine gives a line without its end. Of one that is longer than any event
// only so much is kept that it is seen to be.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line) <= maxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), err
		}
	}
}

func array(ctx context.Context, in io.Reader, yield func([]byte)) error {
	bound := &bounded{in: in}
	dec := json.NewDecoder(bound)
	if _, err := dec.Token(); err != nil {
		return ended(err)
	}
	for ctx.Err() == nil && dec.More() {
		bound.since = 0
		var part json.RawMessage
		if err := dec.Decode(&part); errors.Is(err, io.ErrUnexpectedEOF) {
			yield([]byte("{")) // cut off: counted as what is no event
			return nil
		} else if err != nil {
			return ended(err)
		}
		yield(part)
	}
	return ctx.Err()
}

// bounded refuses to read on within one part of an array.
type bounded struct {
	in    io.Reader
	since int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.since > 4*maxLine {
		return 0, errTooLong
	}
	n, err := b.in.Read(p)
	b.since += n
	return n, err
}

// unwrap finds the event in a line: the line itself; what stands behind a host's
// time stamp; the message of a trace, as Application Insights (message) and Log
// Analytics (Message, or Properties of an export) have it; a row of the events'
// own table, whose dynamic columns may be text.
func unwrap(line []byte) []byte {
	line = bytes.TrimSpace(line)
	if len(line) > 0 && line[0] != '{' {
		if at := bytes.Index(line, []byte(`{"class_uid":`)); at > 0 {
			return line[at:]
		}
		return line
	}
	if bytes.HasPrefix(line, []byte(`{"class_uid":`)) {
		return line
	}
	for range 3 {
		inner := within(line)
		if inner == nil {
			return line
		}
		line = inner
	}
	return line
}

func within(line []byte) []byte {
	var row map[string]json.RawMessage
	if json.Unmarshal(line, &row) != nil {
		return nil
	}
	if _, own := row["metadata"]; own && row["class_uid"] != nil {
		return columns(row)
	}
	for _, name := range []string{"message", "Message", "messageText"} {
		var text string
		if json.Unmarshal(row[name], &text) == nil && text != "" {
			return bytes.TrimSpace([]byte(text))
		}
	}
	for _, name := range []string{"properties", "Properties"} {
		if inner := opened(row[name]); len(inner) > 0 && inner[0] == '{' {
			return inner
		}
	}
	return nil
}

// columns mends a row whose dynamic columns came as text; nil if there is nothing to mend.
func columns(row map[string]json.RawMessage) []byte {
	mended := false
	for name, value := range row {
		if inner := opened(value); len(inner) > 0 && inner[0] == '{' && value[0] == '"' {
			row[name], mended = inner, true
		}
		if string(value) == `""` || string(value) == "null" {
			delete(row, name)
			mended = true
		}
	}
	if !mended {
		return nil
	}
	out, err := json.Marshal(row)
	if err != nil {
		return nil
	}
	return out
}

// opened is JSON that may stand in a text.
func opened(value json.RawMessage) json.RawMessage {
	var text string
	if len(value) > 0 && value[0] == '"' && json.Unmarshal(value, &text) == nil && json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	return value
}
