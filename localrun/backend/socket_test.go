package backend_test

import (
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"tollgate/localrun/backend"
)

func TestAWebSocketGetsItsMessagesBack(t *testing.T) {
	server := httptest.NewServer(backend.Record(backend.New()))
	defer server.Close()
	c, _, err := websocket.Dial(t.Context(), server.URL+"/any/path", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", ""} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if kind, got, err := c.Read(t.Context()); kind != websocket.MessageText || string(got) != text || err != nil {
			t.Errorf("got %q (%v), want %q", got, err, text)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
