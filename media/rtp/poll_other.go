//go:build !linux

package rtp

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// A poll is Linux's; elsewhere each socket has a goroutine, as any Conn has.
type poll struct{}

var (
	errWoken  = errors.New("woken")
	errNoPoll = errors.New("sockets are not shared on this system")
)

func newPoll() (*poll, error)      { return nil, errNoPoll }
func (*poll) add(*loop) error      { return errNoPoll }
func (*poll) remove(*shard, *loop) {}
func (*poll) deadline(time.Time)   {}
func (*poll) wake()                {}
func (*poll) wait(*shard) error    { return errNoPoll }
func (*poll) close()               {}

type descriptor struct{}

func (descriptor) send([]byte, *rawAddr) error { return errNoPoll }

type rawAddr struct{}

func newRawAddr(netip.AddrPort) rawAddr { return rawAddr{} }

// shared: the sockets of listenOS are read by shards.
const shared = false

// listenOS binds a socket that a goroutine reads.
func listenOS(addr string) (Conn, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
}
