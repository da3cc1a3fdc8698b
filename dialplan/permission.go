package dialplan

import "strings"

// A Permission is a set of kinds of call. A class of service allows some; a
// call takes one. The zero value allows nothing.
type Permission uint16

const (
	Internal      Permission = 1 << iota // extensions, groups and services of the exchange
	Local                                // numbers of the same area, free ones, private plans
	National                             // other areas and mobile telephones of the country
	International                        // other countries
	Premium                              // numbers that cost extra, and those whose meaning is unknown
	SIPAddress                           // SIP addresses of other domains
	EmergencyCall                        // always allowed to every phone
)

var permissionNames = []string{"internal", "local", "national", "international", "premium", "sip", "emergency"}

// toll are the calls that toll_per_day limits.
const toll = National | International | Premium

// String lists the kinds of call: "internal, local".
func (p Permission) String() string {
	var names []string
	for i, name := range permissionNames {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if names == nil {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// MarshalText writes the names.
func (p Permission) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// permission returns the kind of call with the given name; the names were
// checked as the file was read.
func permission(name string) Permission {
	for i, n := range permissionNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

func permissions(names []string) Permission {
	var p Permission
	for _, name := range names {
		p |= permission(name)
	}
	return p
}
