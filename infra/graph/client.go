package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Bounds: an answer's size, pages of a list, tries while Graph says it has too
// much to do, and how long one of its pauses may be.
const (
	maxAnswer = 16 << 20
	maxPages  = 100
	maxTries  = 6
	maxPause  = 2 * time.Minute
)

// Client talks to Graph. The zero value of Wait is a pause that the context ends.
type Client struct {
	Address   string                                    // Base(cloud), or a stand-in's
	Token     func(ctx context.Context) (string, error) // of whoever deploys, for Address + "/.default"
	Transport http.RoundTripper                         // redirects aren't followed: the token is for Address alone
	Wait      func(ctx context.Context, d time.Duration) error
}

// Error is Graph's refusal.
type Error struct {
	Doing      string
	Status     int
	Code       string // Graph's, such as Authorization_RequestDenied
	Message    string
	Permission string // that was needed
}

func (e *Error) Error() string {
	said := strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, e.Code))
	switch e.Status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("%s: Graph doesn't accept the token (%s): %s; sign in again, with `az login` or as the pipeline does", e.Doing, said, e.Message)
	case http.StatusForbidden:
		return fmt.Sprintf("%s: Graph refused (%s): %s; whoever deploys needs the permission %s, with an administrator's consent", e.Doing, said, e.Message, e.Permission)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Sprintf("%s: Graph has too much to do (%s): %s; try again later", e.Doing, said, e.Message)
	}
	return fmt.Sprintf("%s: Graph answered %s: %s", e.Doing, said, e.Message)
}

// list is every object of a collection.
func (c *Client) list(ctx context.Context, path, doing, permission string) (all []object, err error) {
	next := "/v1.0" + path
	for page := 0; next != ""; page++ {
		if page == maxPages {
			return nil, fmt.Errorf("%s: Graph's list has over %d pages", doing, maxPages)
		}
		answer, err := c.send(ctx, http.MethodGet, next, nil, doing, permission)
		if err != nil {
			return nil, err
		}
		values, ok := answer["value"].([]any)
		if !ok {
			return nil, fmt.Errorf("%s: Graph's answer is no list", doing)
		}
		for _, v := range values {
			o, ok := v.(object)
			if !ok {
				return nil, fmt.Errorf("%s: Graph's list holds something else than objects", doing)
			}
			all = append(all, o)
		}
		link := text(answer["@odata.nextLink"])
		rest, ours := strings.CutPrefix(link, c.Address+"/")
		if link != "" && !ours {
			return nil, fmt.Errorf("%s: Graph's next page is at %q, which is elsewhere; nothing was sent there", doing, link)
		}
		next = ""
		if link != "" {
			next = "/" + rest
		}
	}
	return all, nil
}

// send sends one request, again after a pause while Graph asks for that.
func (c *Client) send(ctx context.Context, method, path string, body []byte, doing, permission string) (object, error) {
	for try := 1; ; try++ {
		resp, err := c.once(ctx, method, path, body)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		answer, err := read(resp)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		if resp.StatusCode < 300 {
			return answer, nil
		}
		// A 503 may come after the work was done; creating is not tried again then, or there'd be two.
		busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable && method != http.MethodPost
		if !busy || try == maxTries {
			inner, _ := answer["error"].(object)
			return nil, &Error{doing, resp.StatusCode, clip(text(inner["code"]), 80), clip(text(inner["message"]), 400), permission}
		}
		if err := c.wait(ctx, pause(resp, try)); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
}

func (c *Client) once(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	if !strings.HasPrefix(c.Address, "https://") && !strings.HasPrefix(c.Address, "http://127.0.0.1:") {
		return nil, fmt.Errorf("the address %q is plain http, where the token could be read on its way", c.Address)
	}
	token, err := c.Token(ctx)
	if err != nil {
		return nil, fmt.Errorf("sign in for Graph: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.Transport.RoundTrip(req)
}

// read is an answer's object; nil for one without a body.
func read(resp *http.Response) (object, error) {
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read Graph's answer: %w", err)
	}
	if len(data) > maxAnswer {
		return nil, fmt.Errorf("Graph's answer is over %d MiB", maxAnswer>>20)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		if resp.StatusCode >= 300 { // a proxy's page, say
			return nil, nil
		}
		return nil, fmt.Errorf("Graph's answer (%d) is not JSON: %w", resp.StatusCode, err)
	}
	return o, nil
}

// pause is Graph's own word, within bounds, or longer with every try.
func pause(resp *http.Response, try int) time.Duration {
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		return min(time.Duration(s)*time.Second, maxPause)
	}
	return time.Duration(1<<try) * time.Second
}

func (c *Client) wait(ctx context.Context, d time.Duration) error {
	if c.Wait != nil {
		return c.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clip keeps a message short and on one line.
func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
