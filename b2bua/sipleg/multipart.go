package sipleg

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"crosspoint/b2bua/sipleg/sdp"
)

// mediaType is a Content-Type without parameters, in lower case.
func mediaType(kind string) string {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}

// sdpPart finds the session description among the parts of a body (RFC 5621);
// nil: there is none.
func sdpPart(kind string, body []byte) []byte {
	_, params, err := mime.ParseMediaType(kind)
	if err != nil || params["boundary"] == "" {
		return nil
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range 16 { // more than anyone sends
		p, err := parts.NextRawPart()
		if err != nil {
			return nil
		}
		if mediaType(p.Header.Get("Content-Type")) == sdp.ContentType {
			text, err := io.ReadAll(p)
			if err != nil || len(text) == 0 {
				return nil
			}
			return text
		}
	}
	return nil
}
