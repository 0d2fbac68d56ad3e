package serve

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// moves is how many ports Move tries.
const moves = 100

// take opens the sockets that the configuration asks for.
func (s *Server) take(c Config) (err error) {
	if c.Address != "" {
		if s.secure, err = s.bind(c.Address, c.Move, c.HTTP3); err != nil {
			return err
		}
	}
	if c.PlainAddress != "" {
		if s.plain, err = s.bind(c.PlainAddress, c.MovePlain, false); err != nil {
			return err
		}
	}
	return nil
}

// bind opens a TCP port, and the UDP port of the same number when asked.
func (s *Server) bind(address string, move, udp bool) (net.Listener, error) {
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("serve: %q is not host:port", address)
	}
	first, err := net.LookupPort("tcp", service)
	if err != nil {
		return nil, fmt.Errorf("serve: %q has no port number", address)
	}
	tries := 1
	if move || first == 0 {
		tries = moves
	}
	var why error
	for i := range tries {
		p := first
		if first != 0 {
			p += i
		}
		if p > 65535 {
			break
		}
		at := net.JoinHostPort(host, strconv.Itoa(p))
		l, u, err := bindBoth(at, udp)
		if err == nil {
			s.udp = either(u, s.udp)
			if i > 0 && first != 0 {
				s.moved = append(s.moved, address+" is taken, using "+l.Addr().String())
			}
			return l, nil
		}
		if why == nil {
			why = err
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, why
}

func either(a, b net.PacketConn) net.PacketConn {
	if a != nil {
		return a
	}
	return b
}

func bindBoth(at string, udp bool) (net.Listener, net.PacketConn, error) {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, nil, fmt.Errorf("serve: %s: %w", at, inner(err))
	}
	if !udp {
		return l, nil, nil
	}
	// The number may only be known now: port 0 asks for any that is free.
	u, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		l.Close()
		return nil, nil, fmt.Errorf("serve: %s, UDP for HTTP/3: %w", at, inner(err))
	}
	return l, u, nil
}

// inner drops what net says around the reason; the address is said already.
func inner(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
