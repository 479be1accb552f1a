package audit

import "time"

// unmapped is what OCSF has no place for.
func (w *writer) unmapped(e *Event, claims int) {
	w.always(`,"unmapped":{"event":`, e.Event, maxMethod)
	w.always(`,"verdict":`, e.Verdict, maxMethod)
	w.text(`,"environment":`, e.Environment, maxID)
	w.text(`,"invocation":`, e.Invocation, maxID)
	if e.Replay {
		w.raw(`,"replay":true`)
	}
	w.text(`,"principal":`, e.Principal, maxMethod)
	w.text(`,"subscription":`, e.Subscription, maxID)
	w.text(`,"product":`, e.Product, maxID)
	w.some(`,"backend_status":`, int64(e.BackendStatus))
	w.some(`,"backend_us":`, e.Waited.Microseconds())
	w.some(`,"gateway_us":`, e.Own.Microseconds())
	w.limits(e.Limits)
	w.list(`,"marks":[`, e.Marks, maxMarks, roomMarks)
	w.claims(e.Claims, claims)
	w.list(`,"omitted":[`, e.Omitted, maxValues, roomMarks)
	w.list(`,"pseudonyms":[`, e.Pseudonyms, maxValues, roomMarks)
	w.text(`,"pseudonym_key":`, e.PseudonymKey, 2*maxID)
	w.raw("}")
}

func (w *writer) limits(limits []Limit) {
	if len(limits) == 0 {
		return
	}
	w.cut = w.cut || len(limits) > maxLimits
	w.raw(`,"limits":[`)
	for i, l := range limits[:min(len(limits), maxLimits)] {
		if i > 0 {
			w.raw(",")
		}
		w.always(`{"name":`, l.Name, maxID)
		w.number(`,"left":`, l.Left)
		w.some(`,"reset":`, int64((l.Reset+time.Second-1)/time.Second))
		w.raw("}")
	}
	w.raw("]")
}

// claims are written in order until their room is used up; what is left out is
// told by is_truncated.
func (w *writer) claims(claims []Claim, room int) {
	if len(claims) == 0 {
		return
	}
	end := len(w.b) + room
	w.raw(`,"claims":{`)
	first := true
	for _, c := range claims {
		before := len(w.b)
		if !first {
			w.raw(",")
		}
		w.always("", c.Name, maxName)
		w.cut = w.cut || len(c.Values) > maxValues
		w.raw(":[")
		for i, v := range c.Values[:min(len(c.Values), maxValues)] {
			if i > 0 {
				w.raw(",")
			}
			w.always("", v, maxValue)
		}
		w.raw("]")
		if len(w.b) > end {
			w.b, w.cut = w.b[:before], true
			continue // a smaller one may still fit
		}
		first = false
	}
	w.raw("}")
}

// list writes texts, at most so many, in so many bytes.
func (w *writer) list(name string, texts []string, most, room int) {
	if len(texts) == 0 {
		return
	}
	end := len(w.b) + room
	w.cut = w.cut || len(texts) > most
	w.raw(name)
	for i, s := range texts[:min(len(texts), most)] {
		before := len(w.b)
		if i > 0 {
			w.raw(",")
		}
		w.always("", s, maxID)
		if len(w.b) > end {
			w.b, w.cut = w.b[:before], true
			break
		}
	}
	w.raw("]")
}
