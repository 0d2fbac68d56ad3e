package wire

import (
	"reflect"
	"testing"
)

// FuzzMessages feeds anything, in two pieces: no panic, and the pieces make no
// difference.
func FuzzMessages(f *testing.F) {
	f.Add(record(f, full(f)), 9)
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28\x16\x03\x03\x00\x04\x0e\x00\x00\x00"), 3)
	f.Add([]byte("\x80\x0b\x04\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00"), 2)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		if cut < 0 || cut > len(b) {
			cut = len(b) / 2
		}
		var whole, pieces Messages
		whole.Feed(b)
		want, _ := drain(&whole)
		pieces.Feed(b[:cut])
		got, err := drain(&pieces)
		if err == ErrMore {
			pieces.Feed(b[cut:])
			more, _ := drain(&pieces)
			got = append(got, more...)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("cut at %d: %v, want %v", cut, got, want)
			}
		}
	})
}

func drain(m *Messages) (all []Message, err error) {
	for {
		msg, err := m.Next()
		if err != nil {
			return all, err
		}
		msg.Body = append([]byte(nil), msg.Body...)
		all = append(all, msg)
		// Whatever it is, it may be read as anything.
		ParseClientHello(msg.Body)
		ParseServerHello(msg.Body)
		ParseSSL20Hello(msg.Body)
		ParseSSL20ServerHello(msg.Body)
		ParseAlert(msg.Body)
		for _, s := range []Suite{0xC02F, 0xC035, 0x0033, 0x0034, 0x002F, 0x10080} {
			ParseKeyExchange(msg.Body, s)
		}
	}
}

// FuzzClientHello writes what it could read and reads it again.
func FuzzClientHello(f *testing.F) {
	f.Add(record(f, full(f))[9:])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseClientHello(b)
		if err != nil {
			return
		}
		r, err := h.Record()
		if err != nil { // twice the same extension may sum up to too much
			return
		}
		again, err := ParseClientHello(r[9:])
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		h.Extensions, again.Extensions = nil, nil
		if h.NoKeyShares && len(h.KeyShares) > 0 { // two extensions that disagree
			return
		}
		if h.Compressions == nil {
			again.Compressions = nil
		}
		if !reflect.DeepEqual(h, again) {
			t.Errorf("read %+v, wrote and read %+v", h, again)
		}
	})
}

func FuzzServerHello(f *testing.F) {
	f.Add([]byte("\x03\x03random random random random rando\x00\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { ParseServerHello(b) })
}
