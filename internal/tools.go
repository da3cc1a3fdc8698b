//go:build deps

// Package internal keeps the chosen libraries in go.mod until their users exist.
package internal

import (
	_ "github.com/creack/pty"
	_ "github.com/emiago/sipgo/sip"
	_ "github.com/icholy/digest"
	_ "github.com/nyaruka/phonenumbers"
	_ "github.com/pelletier/go-toml/v2"
	_ "github.com/pion/rtcp"
	_ "github.com/pion/rtp"
	_ "github.com/pion/sdp/v3"
	_ "github.com/tarm/serial"
	_ "github.com/zaf/g711"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sys/unix"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
