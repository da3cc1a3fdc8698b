// Package linecard speaks the line-card protocol, version 1, from the host's
// side: it takes up a card with telephone ports behind a serial line, gives
// each port to the gateway as a jack.Port, and takes the card up again when it
// was unplugged. docs/linecard-protocol.md is the specification; section
// numbers in comments refer to it.
//
// One goroutine owns a Card: the session, the orders under way, the calls of
// every jack.Handler. A reader and a writer goroutine move bytes for it and
// know nothing of their meaning.
//
// The codec (frames and messages) is exported for the simulated card in
// gateway/linesim and for firmware tests. What a port is used for is no
// business of this package.
package linecard
