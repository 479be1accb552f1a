package backend

import (
	"net/http"

	"github.com/coder/websocket"
)

// maxMessage bounds one WebSocket message.
const maxMessage = 1 << 20

// repeat sends each message back until the client closes. Origins are the gateway's to judge.
func repeat(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // it has answered
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxMessage)
	for {
		kind, text, err := c.Read(r.Context())
		if err != nil || c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// Protocols are those that a server for the stand-in speaks: HTTP/2 too, for
// contracts that ask for it, without TLS.
func Protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}
